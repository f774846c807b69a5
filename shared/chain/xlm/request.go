package xlm

import (
	"encoding/base64"
	"time"

	"coldkms/shared/chain"
)

// Request is a pending transaction's envelope on a network.
type Request struct {
	Network    chain.Network
	Tx         Tx
	Signatures []Signature // the source's own one or none, or Resolve refuses them
}

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's:
// an envelope in base64 with padding, without line breaks.
func ReadRequest(n chain.Network, text string) (Request, error) {
	if len(text) > base64.StdEncoding.EncodedLen(MaxEnvelope) {
		return Request{}, chain.Refuse(chain.TooLarge, "%d characters of base64, at most %d bytes are read", len(text), MaxEnvelope)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != text {
		return Request{}, malformed("the envelope is not base64 in its one form: with padding, without line breaks")
	}
	t, signatures, err := DecodeEnvelope(raw)
	if err != nil {
		return Request{}, err
	}
	return Request{Network: n, Tx: t, Signatures: signatures}, nil
}

// Quote is what the network is said to have for an account. All of it is a
// claim: it refuses, and never allows.
type Quote struct {
	Sequence int64     // the account's, which the transaction's is above; 0 if not said
	Now      time.Time // zero if not said
	MaxTime  uint64    // in place of the request's; 0: the request's
}

// Resolve makes the transaction that a request asks an account for: the
// request's own, with another end of its time bounds if the quote has one. It
// refuses one that has expired, and an envelope with signatures of others.
func (r Request) Resolve(account Account, q Quote) (Tx, error) {
	t := r.Tx
	switch {
	case t.Source != account:
		return Tx{}, chain.Refuse(OtherAccount, "the source is %s, and the key's account is %s", t.Source, account)
	case t.Sequence <= q.Sequence:
		return Tx{}, chain.Refuse(SequenceUsed, "sequence %d is stated, and the network has the account at %d", t.Sequence, q.Sequence)
	case len(r.Signatures) > 1:
		return Tx{}, chain.Refuse(chain.ForeignScript, "the envelope has %d signatures already", len(r.Signatures))
	case len(r.Signatures) == 1 && !r.Signatures[0].Verify(t, r.Network):
		return Tx{}, chain.Refuse(chain.ForeignScript, "the envelope has a signature that is not the source's")
	}
	if q.MaxTime != 0 {
		t.Bounds = Bounds{Stated: true, Min: t.Bounds.Min, Max: q.MaxTime}
		if err := t.CheckRenewed(r.Tx); err != nil {
			return Tx{}, err
		}
	}
	if !q.Now.IsZero() {
		if err := t.CheckTime(q.Now, 0); err != nil {
			return Tx{}, err
		}
	}
	if err := t.Check(); err != nil {
		return Tx{}, err
	}
	return t, nil
}
