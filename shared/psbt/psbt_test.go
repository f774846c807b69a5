package psbt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

type vector struct{ name, expect, psbt string }

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var v vector
		for line := range strings.Lines(block) {
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
			case "name":
				v.name = value
			case "expect":
				v.expect = value
			case "psbt":
				v.psbt = value
			}
		}
		if v.psbt != "" {
			list = append(list, v)
		}
	}
	return list
}

func TestVectors(t *testing.T) {
	count := map[string]int{}
	for _, v := range vectors(t) {
		count[v.expect]++
		p, err := psbt.Decode([]byte(v.psbt))
		if v.expect != "valid" {
			if !errors.Is(err, psbt.ErrInvalid) {
				t.Errorf("%s: %v, want it refused", v.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		wantRoundTrip(t, v.name, p)
		b, _ := base64.StdEncoding.DecodeString(v.psbt)
		if _, err := psbt.Decode(b); err != nil {
			t.Errorf("%s, binary: %v", v.name, err)
		}
		for i := range b[:len(b)-1] {
			if _, err := psbt.Decode(b[:i]); err == nil {
				t.Fatalf("%s is read when cut to %d of %d bytes", v.name, i, len(b))
			}
		}
		if _, err := psbt.Decode(append(b, 0)); err == nil {
			t.Errorf("%s is read with a byte behind it", v.name)
		}
	}
	if count["valid"] < 15 || count["invalid"] < 30 || count["refused"] != 2 {
		t.Errorf("vectors are missing: %v", count)
	}
}

// What is written is read as the same, and written as the same again.
func wantRoundTrip(t *testing.T, name string, p *psbt.Packet) {
	t.Helper()
	first, err := p.Encode()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	again, err := psbt.Decode(first)
	if err != nil {
		t.Fatalf("%s: what was written is not read: %v", name, err)
	}
	if second, err := again.Encode(); err != nil || !bytes.Equal(first, second) || again.UnsignedID() != p.UnsignedID() {
		t.Errorf("%s: written twice, it differs (%v)", name, err)
	}
}

func FuzzPSBT(f *testing.F) {
	for _, v := range vectors(f) {
		if b, err := base64.StdEncoding.DecodeString(v.psbt); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte("cHNidP8="))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := psbt.Decode(b)
		if err != nil {
			if p != nil || !errors.Is(err, psbt.ErrInvalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		wantRoundTrip(t, "fuzz", p)
		_ = p.Origins()
		if c, err := p.Content(); err == nil { // what can be judged does not stop the judge
			if table, err := utxo.NewTable(c.Previous); err == nil {
				if tx, err := utxo.Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, c.Tx, c.Context, table); err == nil {
					_, _ = p.Finished(tx)
				}
			}
		}
	})
}
