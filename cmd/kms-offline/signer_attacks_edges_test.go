//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt/psbttest"
	"coldkms/shared/qr"
	"coldkms/shared/qr/show"
	"coldkms/shared/transport"
	"coldkms/shared/transport/rlnc"
	"coldkms/shared/transport/ur"
)

// edgeAttacks are files of about 64 MiB, which is as much as is measured: each is
// judged, or refused with words, within what any file may cost.
func edgeAttacks() []attack {
	return []attack{
		{"08-few-items-of-huge-previous", fewHuge},
		{"08-many-items-of-large-previous", manyLarge},
		{"08-psbt-of-64-mib", hugePSBT},
		{"08-result-of-64-mib", hugeResult},
		{"08-psbt-that-is-noise", noise},
		{"08-folder-of-requests", folderOfRequests},
		{"08-parts-of-huge-files", partsOfHuge},
	}
}

const edge = 64 << 20 // bytes

// noisy is a previous transaction of about so many bytes that no compression makes
// smaller: its first output is to a script, the others to nobody.
func noisy(salt uint64, size int, script []byte) *wire.MsgTx {
	const each = 8 + 1 + 22
	rng := rand.New(rand.NewPCG(salt, 1))
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: uint32(salt)}}}
	prev.TxOut = append(prev.TxOut, wire.NewTxOut(2_000, script))
	for range size / each {
		to := []byte{txscript.OP_0, 20}
		for len(to) < 22 {
			to = binary.LittleEndian.AppendUint32(to, rng.Uint32())
		}
		prev.TxOut = append(prev.TxOut, &wire.TxOut{Value: rng.Int64N(1 << 40), PkScript: to})
	}
	return prev
}

// spending is a request of n items, each of one input from a previous transaction
// of its own, which together make a file of 64 MiB.
func (p place) spending(name string, n int) string {
	p.t.Helper()
	r := bundle.Request{}
	for i := range n {
		var raw bytes.Buffer
		_ = noisy(uint64(i), edge/n, p.script).SerializeNoWitness(&raw) // a buffer does not fail
		r.Attach(utxo.Name, raw.Bytes())
		it := p.wide(i, 1, 1, i, 0)
		r.Items = append(r.Items, it)
	}
	path := p.sealed(name, r)
	if info, err := os.Stat(path); err != nil || info.Size() < edge*4/5 {
		p.t.Fatalf("a file of %d bytes: %v", info.Size(), err)
	}
	return path
}

func (p place) judgedWithin(what, path string) {
	p.t.Helper()
	u := p.measure("review", path)
	u.bounded(p.t, what)
	if u.code != 0 {
		p.t.Errorf("%s: exit %d: %.500s", what, u.code, u.stderr)
	}
}

func fewHuge(t *testing.T) {
	p := newPlace(t)
	p.judgedWithin("3 items of previous transactions of 21 MB", p.spending("few.kmsreq", 3))
}

func manyLarge(t *testing.T) {
	p := newPlace(t)
	n := itemsOf(t)
	p.judgedWithin(fmt.Sprintf("%d items of 64 MiB of previous transactions", n), p.spending("large.kmsreq", n))
}

// A PSBT that carries eight large previous transactions, or one of which each of many
// inputs carries a copy: judged up to what a PSBT may hold (32 MiB, 4 MB in a value,
// a million inputs and outputs in all), refused with words beyond.
func hugePSBT(t *testing.T) {
	p := newPlace(t)
	for _, size := range []int{edge, 28 << 20} {
		for _, inputs := range []int{8, 60} {
			if err := os.WriteFile(p.path("huge.psbt"), p.carrying(inputs, size/inputs), 0o600); err != nil {
				t.Fatal(err)
			}
			u := p.measure("--testnet", "review", p.path("huge.psbt"))
			u.bounded(t, fmt.Sprintf("a PSBT of %d MiB with %d previous transactions", size>>20, inputs))
			if size == edge {
				u.refused(t, "bytes, at most")
			} else if u.code != 0 {
				t.Errorf("exit %d: %.500s", u.code, u.stderr)
			}
		}
	}
}

// carrying is a PSBT of inputs that carry a previous transaction of so many bytes
// each: of eight another one, of more the same.
func (p place) carrying(inputs, size int) []byte {
	p.t.Helper()
	msg, all := wire.NewMsgTx(2), []*wire.MsgTx{}
	for i := range inputs {
		prev := noisy(uint64(i), size, p.script)
		if inputs > 8 && i > 0 {
			prev = all[0]
		}
		all = append(all, prev)
		for n := range inputs {
			prev.TxOut[n] = wire.NewTxOut(2_000, p.script)
		}
		id := prev.TxHash()
		msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, uint32(i)), nil, nil))
	}
	msg.AddTxOut(wire.NewTxOut(int64(1_000*inputs), append([]byte{txscript.OP_0, 20}, hashFor("a")...)))
	packet, err := library.NewFromUnsignedTx(msg)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range packet.Inputs {
		packet.Inputs[i].NonWitnessUtxo = all[i]
	}
	return psbttest.Write(packet)
}

// 64 MiB that begin as a PSBT does, and that nothing can be made of.
func noise(t *testing.T) {
	p := newPlace(t)
	for what, fill := range map[string][]byte{
		"zeros": {0}, "ones": {1}, "keys without an end": {1, 0xfe, 0xff, 0xff, 0xff}, "maps": {1, 7, 1, 9},
	} {
		file := append([]byte("psbt\xff"), bytes.Repeat(fill, edge/len(fill))...)
		if err := os.WriteFile(p.path("noise.psbt"), file, 0o600); err != nil {
			t.Fatal(err)
		}
		u := p.measure("--testnet", "review", p.path("noise.psbt"))
		u.bounded(t, "64 MiB of "+what)
		u.refused(t, "")
	}
}

// A result is for the relay: it is refused with words by what judges, and is no
// symbols that anybody would scan.
func hugeResult(t *testing.T) {
	p := newPlace(t)
	rng := rand.New(rand.NewPCG(3, 1))
	r := bundle.Result{LedgerHead: make([]byte, 32), LedgerLen: 7}
	for i := range bundle.MaxItems {
		o := bundle.Outcome{ID: fmt.Sprintf("%024x", i+1)}
		for range 25 {
			sig := make([]byte, 0, 72)
			for len(sig) < 65 {
				sig = binary.LittleEndian.AppendUint64(sig, rng.Uint64())
			}
			o.Signatures = append(o.Signatures, sig[:65])
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	sealed, err := bundle.SealResult(r, relayKey(1))
	if err == nil {
		err = os.WriteFile(p.path("huge.kmsres"), sealed.File, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	u := p.measure("review", p.path("huge.kmsres"))
	u.bounded(t, fmt.Sprintf("a result of %d bytes, reviewed", len(sealed.File)))
	u.refused(t, "")
	u = p.measure("show", p.path("huge.kmsres"), "--qr-out", p.path("huge.gif"))
	u.bounded(t, "the same, shown")
	if u.code == 0 || u.stderr == "" {
		t.Errorf("shown: exit %d: %.500s", u.code, u.stderr)
	}
}

// A folder of requests takes what the largest of them does: what was judged is
// printed and dropped before the next is read.
func folderOfRequests(t *testing.T) {
	p := newPlace(t)
	const files, items = 6, 7
	if err := os.Mkdir(p.path("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for f := range files {
		r := bundle.Request{}
		for i := range items {
			r.Attach(utxo.Name, fund(uint32(100*f+i), bundle.MaxInputs, 2000, p.script))
			r.Items = append(r.Items, p.wide(100*f+i, bundle.MaxInputs, bundle.MaxOutputs, i, 0))
		}
		p.sealed(fmt.Sprintf("folder/%d.kmsreq", f), r)
	}
	u := p.measure("review", p.path("folder"))
	const most = 250_000_000 // one takes half of that
	t.Logf("a folder of %d requests: %s", files, u)
	if u.code != 20 || u.memory == 0 || u.memory > most || strings.Count(u.stdout, `"digest"`) != files {
		t.Errorf("%s, want exit 20 and at most %d bytes: %.500s", u, int64(most), u.stderr)
	}
}

// Symbols that are parts of files as large as symbols can carry, some of each of
// many, are read without room for what does not come.
func partsOfHuge(t *testing.T) {
	p := newPlace(t)
	for lane, most := range map[transport.Lane]int{
		transport.Fast: rlnc.MaxPayload, transport.UR: ur.MaxMessage - 16, transport.BBQr: 3 << 20,
	} {
		dir := p.path("pictures-" + string(lane))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for file := range 12 {
			p.partsOf(filepath.Join(dir, fmt.Sprint(file)), lane, most, uint64(file))
		}
		u := p.measure("--testnet", "review", "--qr", dir)
		u.bounded(t, fmt.Sprintf("parts of 12 files of %d MB by %s", most/1_000_000, lane))
		u.refused(t, "")
	}
}

// partsOf writes pictures of the first two parts of a file of so many bytes.
func (p place) partsOf(name string, lane transport.Lane, size int, salt uint64) {
	p.t.Helper()
	rng := rand.New(rand.NewPCG(salt, 5))
	payload := make([]byte, size)
	for i := 0; i < len(payload); i += 8 {
		copy(payload[i:], binary.LittleEndian.AppendUint64(nil, rng.Uint64()))
	}
	parts, err := transport.NewEncoder(lane, transport.Bytes, payload, qr.Capacity(40))
	if err != nil {
		p.t.Fatal(err)
	}
	for n := range 2 {
		var picture bytes.Buffer
		m, err := qr.Encode(parts.Next(), 0)
		if err == nil {
			err = show.PNG(&picture, m, 3)
		}
		if err == nil {
			err = os.WriteFile(fmt.Sprintf("%s-%d.png", name, n), picture.Bytes(), 0o600)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}
