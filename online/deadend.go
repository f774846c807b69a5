package online

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/wire"

	"coldkms/online/tatum"
)

// refusedByNode looks why the network does not take a transaction. One whose
// input is spent by something else can never confirm, however often it is
// sent, and is left to a person; nothing is ever signed in its place here.
func (s *step) refusedByNode(ctx context.Context, said error) (there bool, err error) {
	spent, err := s.spentInput(ctx)
	if err != nil || spent == nil {
		return false, s.stays(ctx, CodeNodeRefused, said)
	}
	known, err := s.lookAgain(ctx)
	switch {
	case err != nil:
		return false, s.trouble(ctx, CodeNetwork, err)
	case known:
		return true, s.broadcast(ctx)
	}
	return false, s.fails(ctx, CodeInputsSpent, spent.String(), deadEnd(spent, said))
}

// deadEnd says what a person is to know and do.
func deadEnd(spent *wire.OutPoint, said error) string {
	words := fmt.Sprintf("%s is spent by another transaction than ours, which can never confirm now: find what spent it (another wallet with the same key, an old KMS?), then have the payment made anew under a new id; this one stays signed and is never signed again; retry looks and sends the same bytes once more", spent)
	if said != nil {
		words += fmt.Sprintf(" (the node said: %v)", said)
	}
	return words
}

// lookAgain asks for our own txid after a pause: what just came to the chain
// is not everywhere at once.
func (s *step) lookAgain(ctx context.Context) (known bool, err error) {
	if err := s.Sleep(ctx, 2*lookPause); err != nil {
		return false, err
	}
	return s.Tatum.Known(ctx, s.item.Chain, s.item.TxID)
}

// spentInput gives an input of the signed transaction that Tatum says is
// spent, nil if it says so of none.
func (s *step) spentInput(ctx context.Context) (*wire.OutPoint, error) {
	msg := parseFinal(s.item.Signed)
	if msg == nil {
		return nil, errors.New("the signed bytes in the journal are damaged")
	}
	for _, in := range msg.TxIn {
		op := in.PreviousOutPoint
		spent, err := s.Tatum.Spent(ctx, s.item.Chain, op.Hash.String(), op.Index)
		if err != nil && (tatum.IsAuth(err) || tatum.IsUnreachable(err)) {
			return nil, err
		}
		if err == nil && spent {
			return &op, nil
		}
	}
	return nil, nil
}
