package utxo

import (
	"bytes"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// spends is a transaction of so many inputs that spend a script.
func spends(t *testing.T, inputs int, script []byte) (draft, prepare.Proofs) {
	t.Helper()
	prev := &wire.MsgTx{Version: 1, TxIn: []*wire.TxIn{{}}}
	d := draft{id: "000000000000000000000001", coin: chain.Coin{Chain: chain.DOGE, Network: chain.Testnet}, msg: &wire.MsgTx{Version: 1}}
	for range inputs {
		prev.TxOut = append(prev.TxOut, wire.NewTxOut(1000, script))
		d.claims = append(d.claims, utxo.Claim{Value: 1000})
	}
	var raw bytes.Buffer
	if err := prev.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	id := chainhash.DoubleHashH(raw.Bytes())
	for i := range inputs {
		d.msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, uint32(i)), nil, nil))
	}
	d.msg.AddTxOut(wire.NewTxOut(1000, script))
	proofs, err := New().Proofs([][]byte{raw.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	return d, proofs
}

// Each legacy signature hashes the whole transaction: the relay makes no
// request that the signer refuses for that.
func TestLegacySignaturesAreBounded(t *testing.T) {
	script := append(append([]byte{0x76, 0xa9, 20}, make([]byte, 20)...), 0x88, 0xac) // P2PKH
	d, proofs := spends(t, 4_000, script)
	if _, err := d.Prove(proofs); chain.CodeOf(err) != chain.TooLarge {
		t.Errorf("4,000 legacy inputs: %v", err)
	}
	d, proofs = spends(t, 2_000, script)
	p, err := d.Prove(proofs)
	if err != nil {
		t.Fatal(err)
	}
	var room prepare.Room
	got := 0
	for got < 20 && room.Take(p) {
		got++
	}
	if want := bundle.MaxAllHashed / p.Load().Hashed; got != want || got >= 20 {
		t.Errorf("%d of 2,000 legacy inputs in one request, want %d", got, want)
	}
}
