package psbt_test

import (
	"bytes"
	"testing"

	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
	"coldkms/shared/psbt/psbttest"
)

// What is made comes apart as the same transaction, every amount proven.
func TestContentIsTheSame(t *testing.T) {
	c := newCoins(t)
	tx := c.tx(t, chain.BTC, 0, 1, 2, 3, 4)
	p := decode(t, c.packet(t, tx))
	got, err := p.Content()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Previous) != 1 || !bytes.Equal(got.Previous[0], c.raw[0]) || len(p.Origins()) != 5 {
		t.Errorf("%d previous transactions, %d origins", len(got.Previous), len(p.Origins()))
	}
	again, err := utxo.Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, got.Tx, got.Context, c.table)
	if err != nil || again.Content() != tx.Content() {
		t.Fatalf("another transaction: %v", err)
	}
	for i, s := range again.Spent() {
		if !s.Proven || !bytes.Equal(s.Script, got.Scripts[i]) {
			t.Errorf("input %d: %+v", i, s)
		}
	}
	for _, o := range p.Origins() {
		if !o.Is(c.public) || o.Is(c.raw[0][:33]) {
			t.Errorf("origin of %x", o.Public)
		}
	}
}

// Without its previous transaction an output is a claim.
func TestContentClaims(t *testing.T) {
	c := newCoins(t)
	file := psbttest.Change(c.packet(t, c.tx(t, chain.BTC, 1)), func(p *library.Packet) { p.Inputs[0].NonWitnessUtxo = nil })
	got, err := decode(t, file).Content()
	if err != nil {
		t.Fatal(err)
	}
	none, err := utxo.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := utxo.Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, got.Tx, got.Context, none)
	if err != nil {
		t.Fatal(err)
	}
	if s := tx.Spent()[0]; s.Proven || s.Value != 100_000 || s.Outpoint.Hash != c.prev.TxHash() {
		t.Errorf("%+v", s)
	}
}

func TestContentRefuses(t *testing.T) {
	c := newCoins(t)
	for name, x := range map[string]struct {
		from   uint32
		change func(*library.Packet)
		want   chain.Code
	}{
		"hash type SINGLE":        {1, func(p *library.Packet) { p.Inputs[0].SighashType = txscript.SigHashSingle }, chain.SighashNotAll},
		"ALL, but anyone can pay": {0, func(p *library.Packet) { p.Inputs[0].SighashType = 0x81 }, chain.SighashNotAll},
		"taproot, hash type NONE": {4, func(p *library.Packet) { p.Inputs[0].SighashType = 2 }, chain.SighashNotAll},
		"other amount":            {1, func(p *library.Packet) { p.Inputs[0].WitnessUtxo.Value++ }, chain.AmountMismatch},
		"other script":            {1, func(p *library.Packet) { p.Inputs[0].WitnessUtxo.PkScript = c.prev.TxOut[2].PkScript }, chain.AmountMismatch},
		"other previous": {1, func(p *library.Packet) {
			prev := p.Inputs[0].NonWitnessUtxo.Copy()
			prev.TxOut[1].Value *= 2
			p.Inputs[0].NonWitnessUtxo = prev
		}, chain.HashMismatch},
		"no proof":          {0, func(p *library.Packet) { p.Inputs[0].NonWitnessUtxo = nil }, chain.UnprovenAmount},
		"no such output":    {1, func(p *library.Packet) { p.UnsignedTx.TxIn[0].PreviousOutPoint.Index = 9 }, chain.UnprovenAmount},
		"redeem script":     {2, func(p *library.Packet) { p.Inputs[0].RedeemScript[5] ^= 1 }, chain.Malformed},
		"a redeem script":   {1, func(p *library.Packet) { p.Inputs[0].RedeemScript = []byte{txscript.OP_1} }, chain.Malformed},
		"partial signature": {1, func(p *library.Packet) { p.Inputs[0].PartialSigs = strangerSigs(p, c.key) }, chain.ForeignScript},
		"final script":      {0, func(p *library.Packet) { p.Inputs[0].FinalScriptSig = []byte{0} }, chain.ForeignScript},
		"final witness":     {1, func(p *library.Packet) { p.Inputs[0].FinalScriptWitness = []byte{0} }, chain.ForeignScript},
		"taproot signature": {4, func(p *library.Packet) {
			*p = *psbttest.Read(psbttest.Signer{Key: c.key, Partial: true}.Sign(psbttest.Write(p)))
		}, chain.ForeignScript},
	} {
		file := psbttest.Change(c.packet(t, c.tx(t, chain.BTC, x.from)), x.change)
		if _, err := decode(t, file).Content(); chain.CodeOf(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOriginIs(t *testing.T) {
	c := newCoins(t)
	other := append([]byte{c.public[0] ^ 1}, c.public[1:]...)
	if (psbt.Origin{Public: c.public}).Is(other) || !(psbt.Origin{Public: c.public[1:]}).Is(other) || (psbt.Origin{}).Is(c.public) {
		t.Error("keys are taken for another")
	}
}
