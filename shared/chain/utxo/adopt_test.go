package utxo

import (
	"bytes"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// another signs msg as another program would, input by input, with this hash
// type. The outputs of the fixture are, by number: P2PKH, P2WPKH, P2SH-P2WPKH,
// P2PK; and number 4 is added: P2TR.
func (f fixture) another(t *testing.T, tx *Tx, kind txscript.SigHashType) *wire.MsgTx {
	t.Helper()
	msg := tx.Unsigned()
	fetcher := tx.prevOuts()
	hashes := txscript.NewTxSigHashes(msg, fetcher)
	for i, s := range tx.Spent() {
		in := msg.TxIn[i]
		var sig []byte
		var err error
		switch f.params.KindOf(s.Script) {
		case P2TR:
			in.Witness, err = txscript.TaprootWitnessSignature(msg, hashes, i, s.Value, s.Script, txscript.SigHashDefault, f.key)
		case P2WPKH:
			in.Witness, err = txscript.WitnessSignature(msg, hashes, i, s.Value, s.Script, kind, f.key, true)
		case P2SH:
			program := f.prev.TxOut[1].PkScript
			in.SignatureScript = push(program)
			in.Witness, err = txscript.WitnessSignature(msg, hashes, i, s.Value, program, kind, f.key, true)
		case P2PK:
			sig, err = txscript.RawTxInSignature(msg, i, s.Script, kind, f.key)
			in.SignatureScript = push(sig)
		default:
			in.SignatureScript, err = txscript.SignatureScript(msg, i, s.Script, kind, f.key, true)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return msg
}

// withTaproot is the fixture with a P2TR output behind the others.
func withTaproot(t *testing.T) fixture {
	t.Helper()
	f := newFixture(t)
	script, err := txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(f.key.PubKey()))
	if err != nil {
		t.Fatal(err)
	}
	f.prev.TxOut = append(f.prev.TxOut, wire.NewTxOut(100_000, script))
	if f.table, err = NewTable([][]byte{serialize(f.prev)}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f fixture) tx(t *testing.T, from ...uint32) *Tx {
	t.Helper()
	tx, err := f.decode(f.spend(from, 5_000, 90_000))
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestAdopt(t *testing.T) {
	f := withTaproot(t)
	for _, from := range [][]uint32{{0}, {1}, {2}, {3}, {4}, {0, 1, 2, 3, 4}} {
		tx := f.tx(t, from...)
		msg := f.another(t, tx, txscript.SigHashAll)
		got, err := tx.Adopt(msg)
		if err != nil {
			t.Fatalf("%v: %v", from, err)
		}
		var raw bytes.Buffer
		if err := msg.Serialize(&raw); err != nil || !bytes.Equal(raw.Bytes(), got.Raw) || got.TxID != msg.TxHash().String() {
			t.Errorf("%v: other bytes than were signed", from)
		}
	}
}

// A taproot signature may say SIGHASH_ALL; it covers the same.
func TestAdoptTaprootAll(t *testing.T) {
	f := withTaproot(t)
	tx := f.tx(t, 4)
	msg := tx.Unsigned()
	hashes := txscript.NewTxSigHashes(msg, tx.prevOuts())
	for kind, want := range map[txscript.SigHashType]chain.Code{txscript.SigHashAll: "", txscript.SigHashSingle: chain.SighashNotAll, txscript.SigHashNone: chain.SighashNotAll, 0x81: chain.SighashNotAll} {
		var err error
		if msg.TxIn[0].Witness, err = txscript.TaprootWitnessSignature(msg, hashes, 0, 100_000, tx.Spent()[0].Script, kind, f.key); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Adopt(msg); (err != nil || want != "") && chain.CodeOf(err) != want {
			t.Errorf("%#x: %v", kind, err)
		}
	}
}

// Valid scripts of another hash type, and forms that a node might take or not,
// are refused before they are run.
func TestAdoptRefuses(t *testing.T) {
	f := withTaproot(t)
	for _, kind := range []txscript.SigHashType{txscript.SigHashNone, txscript.SigHashSingle, txscript.SigHashAll | txscript.SigHashAnyOneCanPay} {
		for from := range uint32(4) {
			tx := f.tx(t, from)
			msg := f.another(t, tx, kind)
			if _, err := tx.Adopt(msg); chain.CodeOf(err) != chain.SighashNotAll {
				t.Errorf("input %d with hash type %#x: %v", from, kind, err)
			}
			if err := tx.run(msg); err != nil {
				t.Errorf("the test proves nothing: %v", err)
			}
		}
	}
	for name, x := range map[string]struct {
		from   uint32
		change func(*wire.MsgTx)
		want   chain.Code
	}{
		"other value":                   {1, func(m *wire.MsgTx) { m.TxOut[0].Value++ }, chain.ContentChanged},
		"other payee":                   {1, func(m *wire.MsgTx) { m.TxOut[0].PkScript = []byte{txscript.OP_1} }, chain.ContentChanged},
		"other version":                 {1, func(m *wire.MsgTx) { m.Version = 1 }, chain.ContentChanged},
		"other lock time":               {1, func(m *wire.MsgTx) { m.LockTime++ }, chain.ContentChanged},
		"other sequence":                {1, func(m *wire.MsgTx) { m.TxIn[0].Sequence-- }, chain.ContentChanged},
		"other outpoint":                {1, func(m *wire.MsgTx) { m.TxIn[0].PreviousOutPoint.Index++ }, chain.ContentChanged},
		"one input more":                {1, func(m *wire.MsgTx) { m.AddTxIn(m.TxIn[0]) }, chain.ContentChanged},
		"unsigned":                      {1, func(m *wire.MsgTx) { m.TxIn[0].Witness = nil }, chain.Incomplete},
		"a bit":                         {1, func(m *wire.MsgTx) { m.TxIn[0].Witness[0][20] ^= 1 }, chain.Incomplete},
		"empty signature":               {1, func(m *wire.MsgTx) { m.TxIn[0].Witness[0] = nil }, chain.Incomplete},
		"witness beside a legacy input": {0, func(m *wire.MsgTx) { m.TxIn[0].Witness = wire.TxWitness{{1}} }, chain.Incomplete},
		"a third push":                  {0, func(m *wire.MsgTx) { m.TxIn[0].SignatureScript = append([]byte{1, 1}, m.TxIn[0].SignatureScript...) }, chain.Incomplete},
		"an operator":                   {0, func(m *wire.MsgTx) { m.TxIn[0].SignatureScript = append(m.TxIn[0].SignatureScript, txscript.OP_NOP) }, chain.Incomplete},
		"a push too long":               {0, func(m *wire.MsgTx) { m.TxIn[0].SignatureScript = []byte{75, 1} }, chain.Incomplete},
		"a push cut by a byte":          {0, func(m *wire.MsgTx) { m.TxIn[0].SignatureScript = []byte{2, 1} }, chain.Incomplete},
		"script beside a segwit input":  {1, func(m *wire.MsgTx) { m.TxIn[0].SignatureScript = []byte{1, 1} }, chain.Incomplete},
		"a third witness element":       {1, func(m *wire.MsgTx) { m.TxIn[0].Witness = append(m.TxIn[0].Witness, []byte{1}) }, chain.Incomplete},
		"an annex":                      {4, func(m *wire.MsgTx) { m.TxIn[0].Witness = append(m.TxIn[0].Witness, []byte{0x50}) }, chain.Incomplete},
		"a short taproot signature":     {4, func(m *wire.MsgTx) { m.TxIn[0].Witness[0] = m.TxIn[0].Witness[0][:63] }, chain.Incomplete},
		"a nested program less":         {2, func(m *wire.MsgTx) { m.TxIn[0].SignatureScript = nil }, chain.Incomplete},
	} {
		tx := f.tx(t, x.from)
		msg := f.another(t, tx, txscript.SigHashAll)
		x.change(msg)
		if _, err := tx.Adopt(msg); chain.CodeOf(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := f
	other.key, _ = btcec.PrivKeyFromBytes(bytes.Repeat([]byte{6}, 32))
	tx := f.tx(t, 1)
	if _, err := tx.Adopt(other.another(t, f.tx(t, 3), txscript.SigHashAll)); chain.CodeOf(err) != chain.ContentChanged {
		t.Errorf("another transaction: %v", err)
	}
	bch, err := f.decode(f.spend([]uint32{0}, 5_000))
	if err != nil {
		t.Fatal(err)
	}
	bch.params.ForkID = true
	if _, err := bch.Adopt(f.another(t, f.tx(t, 0), txscript.SigHashAll)); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("Bitcoin Cash: %v", err)
	}
}
