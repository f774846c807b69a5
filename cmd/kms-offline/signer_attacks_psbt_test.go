//go:build linux

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	library "github.com/btcsuite/btcd/psbt/v2"
)

// psbtAttacks are files of other programs that say something of themselves that
// does not hold.
func psbtAttacks() []attack {
	return []attack{
		{"71-version-2-says-what-may-be-modified", version2Modifiable},
		{"71-damaged-version-2-is-told-so", version2Damaged},
		{"72-mweb-is-litecoins-alone", mwebElsewhere},
	}
}

// read returns a file of testdata/wild.
func (p place) read(name string) []byte {
	p.t.Helper()
	b, err := os.ReadFile(p.wild(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// write writes a file beside the wallet.
func (p place) write(name string, b []byte) string {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), b, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// version2 is a PSBT of version 2 with these flags of what may be modified.
func (p place) version2(flags byte) []byte {
	return bytes.Replace(p.read("psbtforms/14-psbt-v2.psbt"), []byte("psbt\xff"),
		[]byte{'p', 's', 'b', 't', 0xff, 1, 6, 1, flags}, 1)
}

// BIP 370, "Signer": what is signed for everything can be modified no more, and
// no SIGHASH_SINGLE is in it, whatever the file said. Bits that the BIP does not
// name stay.
func version2Modifiable(t *testing.T) {
	p := wildPlace(t)
	for flags, want := range map[byte]byte{0: 0, 3: 0, 4: 0, 7: 0, 0x80 | 7: 0x80} {
		file := p.write("two.psbt", p.version2(flags))
		var r struct{ Digest string }
		if err := json.Unmarshal([]byte(p.run(0, "review", file, "--chain", "BTC")), &r); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		p.run(0, "sign", file, "--chain", "BTC", "--out", out, "--approve", r.Digest)
		found, err := filepath.Glob(filepath.Join(out, "*.psbt"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		if signed := readFile(t, found[0]); !strings.Contains(string(signed[:60]), string([]byte{1, 6, 1, want})) {
			t.Errorf("flags %#x: not %#x after signing: %s", flags, want, hex.EncodeToString([]byte(signed[:60])))
		}
	}
}

// What is wrong with a file of version 2 is said of that, and both versions are
// named as readable.
func version2Damaged(t *testing.T) {
	p := wildPlace(t)
	file := p.write("cut.psbt", bytes.Replace(p.version2(3), []byte{1, 6, 1, 3}, []byte{1, 6, 2, 3, 3}, 1))
	code, said := p.output("--path", p.path("w.kms"), "--password-file", p.path("pw"), "review", file, "--chain", "BTC")
	if code != 22 || !strings.Contains(string(said), "global map of version 2") ||
		!strings.Contains(string(said), "version 2 (BIP 370)") {
		t.Errorf("exit %d: %s", code, said)
	}
}

// withMWEB puts an empty MWEB part (LIP 3) into the first previous transaction of
// a PSBT. Its txid stays the same.
func withMWEB(t *testing.T, file []byte) []byte {
	t.Helper()
	parsed, err := library.NewFromRawBytes(bytes.NewReader(file), false)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := parsed.Inputs[0].NonWitnessUtxo.SerializeNoWitness(&b); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	end := len(raw) - 4
	long := bytes.Join([][]byte{raw[:4], {0, 8}, raw[4:end], {0}, raw[end:]}, nil)
	field := func(tx []byte) []byte { return append([]byte{1, 0, byte(len(tx))}, tx...) }
	if len(long) > 0xfc || !bytes.Contains(file, field(raw)) {
		t.Fatalf("no place for it: %d bytes", len(long))
	}
	return bytes.Replace(file, field(raw), field(long), 1)
}

// Only Litecoin has MWEB parts: a previous transaction with one is refused for
// any other coin, whatever its txid.
func mwebElsewhere(t *testing.T) {
	p := wildPlace(t)
	for _, c := range []struct {
		file, chain string
		code        int
	}{
		{"psbtforms/01-binary.psbt", "BTC", 20}, {"doge-fee/rate-1000-is-fine.psbt", "DOGE", 20},
		{"mweb/stripped-prev.psbt", "LTC", 0},
	} {
		file := p.write(c.chain+".psbt", withMWEB(t, p.read(c.file)))
		code, said := p.output("--path", p.path("w.kms"), "--password-file", p.path("pw"), "review", file, "--chain", c.chain)
		if code != c.code || strings.Contains(string(said), "MWEB part, which only Litecoin's have") != (c.code == 20) {
			t.Errorf("%s: exit %d: %s", c.chain, code, said)
		}
	}
}
