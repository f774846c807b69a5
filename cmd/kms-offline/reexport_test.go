//go:build linux

package main

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"encoding/binary"
	"io"
	"os"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"coldkms/shared/chain/utxo"
)

// reexported writes a request of version 1 anew, as the relay of this version
// exports the same items: the previous transactions, which stood alone, are
// the attachment of their family.
func (p place) reexported(path string) {
	p.t.Helper()
	const head, packed = 4 + 1 + 1 + ed25519.PublicKeySize, 4 + 1 + 1 + ed25519.PublicKeySize + ed25519.SignatureSize + 4
	file := []byte(readFile(p.t, path))
	body, err := io.ReadAll(flate.NewReader(bytes.NewReader(file[packed:])))
	var v []any
	if err == nil {
		err = cbor.Unmarshal(body, &v)
	}
	if err != nil || len(v) != 5 || file[5] != 1 {
		p.t.Fatalf("%s is no request of version 1: %v", path, err)
	}
	v[4] = []any{[]any{utxo.Name, v[4]}}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err == nil {
		body, err = mode.Marshal(v)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(body)
	_ = w.Close()
	start := bytes.Clone(file[:head])
	start[5] = 2
	rest := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), b.Bytes()...)
	sig := relayKey(1).Sign(bytes.Join([][]byte{[]byte("coldkms bundle v1\n"), start, rest}, nil))
	if err := os.WriteFile(path, bytes.Join([][]byte{start, sig[:], rest}, nil), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// A request of version 1 is refused with what to do, and the same items of a
// new export are judged.
func TestReexported(t *testing.T) {
	o := office{newPlace(t)}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark", "salary.kmsreq"} {
		o.put(files{name: []byte(readFile(t, "testdata/rounds-before/"+name))})
	}
	file := o.path("salary.kmsreq")
	o.says(22, "export it again on the relay", "review", file)
	o.reexported(file)
	o.reviewed(file)
}
