package sandbox

import (
	"context"

	"github.com/btcsuite/btcd/wire/v2"
)

// draft is an unsigned transaction with what it spends.
type draft struct {
	version int32
	inputs  []spend
	outputs []*wire.TxOut
	change  *change // nil: what is left over is the fee
}

// spend is one input and the key that is to sign it.
type spend struct {
	outpoint wire.OutPoint
	value    int64
	script   []byte
	key      keyRef
}

type keyRef struct {
	signatureID string
	index       *int64
}

type change struct {
	script     []byte
	fee, value int64
}

// settle checks that the inputs pay for the outputs and computes the change.
// Change that would be dust goes to the fee, as in bitcore-lib.
func (d *draft) settle(c coin) error {
	if len(d.inputs) == 0 {
		return forbidden("transaction.failed", "No spendable inputs.")
	}
	seen := make(map[wire.OutPoint]bool, len(d.inputs))
	var left int64
	for _, in := range d.inputs {
		if seen[in.outpoint] {
			return invalid("fromUTXO", "must not name the output %s twice", in.outpoint)
		}
		seen[in.outpoint] = true
		left += in.value
	}
	for _, out := range d.outputs {
		if left -= out.Value; left < 0 {
			break
		}
	}
	if d.change != nil {
		left -= d.change.fee
	}
	if left < 0 {
		return forbidden("insufficient.funds.on.sender.account", "The inputs do not pay for the outputs and the fee.")
	}
	if d.change != nil && left >= c.dust {
		d.change.value = left
	}
	return nil
}

// inputs finds what a transfer spends: everything unspent of its addresses,
// as Tatum's library does, or the outputs that it names.
func (b *backend) inputs(ctx context.Context, body transferRequest) ([]spend, error) {
	var inputs []spend
	for _, from := range body.FromAddress {
		script, err := b.script(from.Address)
		if err != nil {
			return nil, invalid("fromAddress.address", "%v", err)
		}
		found, err := b.unspent(ctx, script)
		if err != nil {
			return nil, err
		}
		for _, in := range found {
			in.key = keyRef{from.SignatureID, from.Index}
			inputs = append(inputs, in.spend)
		}
	}
	for _, from := range body.FromUTXO {
		in, err := b.output(ctx, from)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// output looks up one output of fromUTXO.
func (b *backend) output(ctx context.Context, from source) (spend, error) {
	if from.Index == nil || !isTxID(from.TxHash) {
		return spend{}, invalid("fromUTXO", "must name outputs by txHash and index")
	}
	out, err := b.unspentOutput(ctx, from.TxHash, *from.Index)
	if err != nil {
		return spend{}, err
	}
	out.key = keyRef{from.SignatureID, from.DerivationIndex}
	return out.spend, nil
}
