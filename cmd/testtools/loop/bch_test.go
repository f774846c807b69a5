//go:build unix

package loop

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
	"coldkms/shared/pending"
)

// Every changed bit of a Bitcoin Cash input that Tatum signed is refused: of
// the signature, of its hash type, of the public key, of the pushes.
func TestBCHScriptIsExact(t *testing.T) {
	var v vector
	readJSON(t, "testdata/tatum/pending/bch-mainnet-01-1in-1out.json", &v)
	tx, err := pending.Parse(v.Pending)
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := relaytest.Prepare(tx, chain.Mainnet, v.PrevTxs)
	if err != nil {
		t.Fatal(err)
	}
	items, attached := prepare.Bundle([]prepare.Prepared{prepared})
	table, err := chainutxo.NewTable(bundle.Request{Attachments: attached}.Attached(chainutxo.Name))
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := chainutxo.Decode(chain.Coin{Chain: chain.BCH, Network: chain.Mainnet}, items[0].Tx, items[0].Context, table)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(*v.SignedTx)
	if err != nil {
		t.Fatal(err)
	}
	var signed wire.MsgTx
	if err := signed.DeserializeNoWitness(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	if err := chainutxo.Verify(decoded.Params(), &signed, decoded.Spent()); err != nil {
		t.Fatalf("what Tatum signed: %v", err)
	}
	script := signed.TxIn[0].SignatureScript
	for bit := range len(script) * 8 {
		bad := bytes.Clone(script)
		bad[bit/8] ^= 1 << (bit % 8)
		signed.TxIn[0].SignatureScript = bad
		if err := chainutxo.Verify(decoded.Params(), &signed, decoded.Spent()); err == nil {
			t.Errorf("bit %d of byte %d flipped and accepted", bit%8, bit/8)
		}
	}
}
