package transport_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/shared/transport"
)

// parts is where TestPartsForPeers writes; testdata/peers has the programs
// that read it, and that made the vectors.
var partsOut = flag.String("parts", "", "write parts for the peers to this file")

// vector is a payload that anyone can make again, and its parts.
type vector struct {
	Peer    string         `json:"peer,omitempty"`
	Lane    transport.Lane `json:"lane,omitempty"`
	Form    string         `json:"form,omitempty"`
	Type    transport.Kind `json:"type"`
	Payload [2]any         `json:"payload"`
	Parts   []string       `json:"parts"`
}

// bytes makes the payload, as testdata/peers/payload.mjs does.
func (v vector) bytes() []byte {
	n := int(v.Payload[1].(float64))
	if v.Payload[0] == "text" {
		return []byte(strings.Repeat("one output is much like another; ", n/33+1))[:n]
	}
	var b []byte
	for i := 0; len(b) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "coldkms %d", i))
		b = append(b, sum[:]...)
	}
	return b[:n]
}

func TestPartsOfPeers(t *testing.T) {
	f, err := os.Open("testdata/peers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		d := transport.NewSeveral() // each part is there once
		for _, p := range v.Parts {
			if err := d.Add(p); err != nil {
				t.Fatalf("%s, %s: %v", v.Peer, v.Form, err)
			}
		}
		got, done := d.Result()
		if !done || got.Kind != v.Type || !bytes.Equal(got.Bytes, v.bytes()) {
			t.Errorf("%s, %s of %v: done %v, kind %s", v.Peer, v.Form, v.Payload, done, got.Kind)
		}
	}
	if n != 18 {
		t.Errorf("%d vectors, want 18", n)
	}
}

// What we write, for the peers to read: each round whole, and of UR a later
// round too, in which all parts are mixtures.
func TestPartsForPeers(t *testing.T) {
	var out bytes.Buffer
	for _, c := range []struct {
		lane  transport.Lane
		kind  transport.Kind
		fill  string
		n     float64
		chars int
		late  bool
	}{
		{transport.UR, transport.Bytes, "payload", 9, 500, false}, {transport.UR, transport.Bytes, "payload", 3000, 400,
			false},
		{transport.UR, transport.Bytes, "payload", 3000, 400, true}, {transport.UR, transport.Bytes, "payload", 20000, 1000,
			true},
		{transport.UR, transport.PSBT, "payload", 150, 700, false}, {transport.UR, transport.PSBT, "payload", 3000, 500,
			true},
		{transport.BBQr, transport.PSBT, "payload", 3000, 700, false}, {transport.BBQr, transport.PSBT, "text", 3000, 200,
			false},
		{transport.BBQr, transport.Bytes, "text", 20000, 300, false}, {transport.BBQr, transport.Bytes, "payload", 9, 500,
			false},
		{transport.BBQr, transport.Bytes, "payload", 50000, 1853, false}, {transport.BBQr, transport.Transaction, "text",
			5000, 100, false},
	} {
		v := vector{Lane: c.lane, Type: c.kind, Payload: [2]any{c.fill, c.n}}
		e, err := transport.NewEncoder(c.lane, c.kind, v.bytes(), c.chars)
		if err != nil {
			t.Fatal(err)
		}
		rounds := 1
		if c.late {
			rounds = 3
			for range e.Parts() {
				e.Next()
			}
		}
		for range rounds * e.Parts() {
			v.Parts = append(v.Parts, e.Next())
		}
		d := transport.NewSeveral() // each part is there once
		for _, p := range v.Parts {
			if err := d.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		if got, done := d.Result(); !done || got.Kind != c.kind || !bytes.Equal(got.Bytes, v.bytes()) {
			t.Errorf("%+v: we do not read it ourselves", c)
		}
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	if *partsOut != "" {
		if err := os.WriteFile(*partsOut, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// More of BBQr's published files, and whatever else: each goes there and back.
// KMS_BBQR names their folder.
func TestFolderOfFiles(t *testing.T) {
	dir := os.Getenv("KMS_BBQR")
	if dir == "" {
		t.Skip("KMS_BBQR names no folder")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*n"))
	more, err2 := filepath.Glob(filepath.Join(dir, "*.psbt"))
	if files = append(files, more...); err != nil || err2 != nil || len(files) == 0 {
		t.Fatalf("no files in %s", dir)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e, err := transport.NewEncoder(transport.BBQr, transport.PSBT, b, 1062)
		if err != nil {
			t.Fatal(err)
		}
		d := transport.NewDecoder()
		encoding := ""
		for range e.Parts() {
			p := e.Next()
			encoding = p[2:3]
			if err := d.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		if got, done := d.Result(); !done || !bytes.Equal(got.Bytes, b) {
			t.Errorf("%s does not come back", path)
		}
		t.Logf("%s: %d bytes, %s, %d parts", filepath.Base(path), len(b), encoding, e.Parts())
	}
}
