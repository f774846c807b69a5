package prepare

import (
	"bytes"
	"slices"

	"coldkms/shared/chain/utxo"
)

// Pay is an output as a person reads it.
type Pay struct {
	Address string // "" where the script has none
	Value   int64
	Back    bool // it pays to what the transaction says it spends from
}

// Pays lists what a transaction pays, as Tatum asks for it: nothing of it is
// proven.
func (d Draft) Pays() ([]Pay, error) {
	params, err := utxo.ParamsOf(d.chain, d.network)
	if err != nil {
		return nil, err
	}
	list := make([]Pay, len(d.msg.TxOut))
	for i, out := range d.msg.TxOut {
		back := slices.ContainsFunc(d.claims, func(c utxo.Claim) bool { return len(c.Script) > 0 && bytes.Equal(c.Script, out.PkScript) })
		list[i] = Pay{Address: params.Address(out.PkScript), Value: out.Value, Back: back}
	}
	return list, nil
}
