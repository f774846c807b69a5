package utxo

import (
	"bytes"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// What the family finds decides what policy can rule about.
func TestFindings(t *testing.T) {
	p2tr, p2wpkh := append([]byte{0x51, 32}, make([]byte, 32)...), append([]byte{0, 20}, make([]byte, 20)...)
	p2tr[33] = 1 // a point
	paying := &wire.TxOut{Value: 60_000, PkScript: p2wpkh}
	claim := func(script []byte) Spent { return Spent{Value: 61_000, Script: script} }
	proven := func(script []byte) Spent { return Spent{Value: 61_000, Script: script, Proven: true} }
	for name, c := range map[string]struct {
		spent    []Spent
		out      *wire.TxOut
		sequence uint32
		lockTime uint32
		want     []chain.Code
	}{
		"nothing":        {[]Spent{proven(p2wpkh)}, paying, wire.MaxTxInSequenceNum, 0, nil},
		"unproven":       {[]Spent{claim(p2wpkh)}, paying, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.UnprovenAmount}},
		"taproot claim":  {[]Spent{claim(p2tr)}, paying, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.FlagCommitted}},
		"mixed unproven": {[]Spent{claim(p2tr), proven(p2wpkh)}, paying, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.UnprovenAmount}},
		"dust":           {[]Spent{proven(p2wpkh)}, &wire.TxOut{Value: 1, PkScript: p2wpkh}, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.Dust}},
		"data":           {[]Spent{proven(p2wpkh)}, &wire.TxOut{PkScript: []byte{0x6a, 4, 1, 1, 1, 1}}, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.FlagData}},
		"too small": {[]Spent{proven(p2wpkh)}, &wire.TxOut{PkScript: []byte{0x6a, 2, 1, 1}},
			wire.MaxTxInSequenceNum, 0, []chain.Code{chain.FlagData, chain.TxSize}},
		"burn":            {[]Spent{proven(p2wpkh)}, &wire.TxOut{Value: 5, PkScript: []byte{0x6a, 4, 1, 1, 1, 1}}, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.FlagData, chain.FlagBurn}},
		"strange script":  {[]Spent{proven(p2wpkh)}, &wire.TxOut{Value: 60_000, PkScript: bytes.Repeat([]byte{0x51}, 6)}, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.FlagUnnamed}},
		"low fee":         {[]Spent{proven(p2wpkh)}, &wire.TxOut{Value: 60_990, PkScript: p2wpkh}, wire.MaxTxInSequenceNum, 0, []chain.Code{chain.FlagLowFee}},
		"lock time":       {[]Spent{proven(p2wpkh)}, paying, wire.MaxTxInSequenceNum - 1, 800_000, []chain.Code{chain.FlagLockTime}},
		"final lock time": {[]Spent{proven(p2wpkh)}, paying, wire.MaxTxInSequenceNum, 800_000, nil},
		"relative blocks": {[]Spent{proven(p2wpkh)}, paying, 1, 0, []chain.Code{chain.FlagLockTime, chain.FlagReplaceable}},
		"relative time":   {[]Spent{proven(p2wpkh)}, paying, 1 | wire.SequenceLockTimeIsSeconds, 0, []chain.Code{chain.FlagLockTime, chain.FlagReplaceable}},
	} {
		params, _ := ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Testnet})
		msg := &wire.MsgTx{Version: 2, LockTime: c.lockTime, TxOut: []*wire.TxOut{c.out}}
		for i := range c.spent {
			c.spent[i].Outpoint.Index = uint32(i)
			msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: c.spent[i].Outpoint, Sequence: c.sequence})
		}
		tx := &Tx{params: params, msg: msg, spent: c.spent, unsigned: serialize(msg)}
		if err := tx.checkSums(); err != nil {
			t.Fatal(err)
		}
		var got []chain.Code
		for _, r := range tx.Explain(NoKeys{}).Findings {
			got = append(got, r.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, want %v", name, got, c.want)
		}
	}
}
