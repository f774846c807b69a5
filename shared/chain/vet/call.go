package vet

import (
	"unicode"
	"unicode/utf8"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// Gas that a transaction of one clause costs before any of it runs.
const (
	gasBase     = 21_000 // 5000 for the transaction, 16000 for the clause
	gasZeroByte = 4
	gasByte     = 68
)

// maxGas bounds what is ever signed, whatever a policy allows: 21 VTHO, at the
// base price of old, are 21,000 of it.
const maxGas = 1_000_000

// supplyBits bounds a value: there are fewer than 2^97 smallest units.
const supplyBits = 104

// MinGas returns the least gas limit with which the network takes the
// transaction.
func (t Tx) MinGas() uint64 {
	gas := uint64(gasBase)
	for _, b := range t.Data {
		if b == 0 {
			gas += gasZeroByte
		} else {
			gas += gasByte
		}
	}
	return gas
}

// MaxFee returns the most that the transaction costs, in 10^-18 VTHO, if one
// gas costs price; ok is false if that exceeds 256 bits. The price is the
// network's, so it is a claim of whoever looked.
func (t Tx) MaxFee(price chain.Amount) (fee chain.Amount, ok bool) { return price.Times(t.Gas) }

// Call returns what the transaction does: evm.Pay, with a note in Text if it
// has one, or evm.Transfer of tokens. All else is refused: allowances, calls
// that nobody can read, VET sent along with one.
func (t Tx) Call() (evm.Call, error) {
	switch {
	case t.To.IsZero():
		return evm.Call{}, chain.Refuse(ZeroAddress, "it pays the zero address")
	case len(t.Data) == 0:
		return evm.Call{Kind: evm.Pay, To: t.To, Amount: t.Value}, nil
	case t.isNote():
		return evm.Call{Kind: evm.Pay, To: t.To, Amount: t.Value, Text: t.Data}, nil
	}
	call, err := evm.DecodeCall(t.To, t.Data)
	switch {
	case err != nil:
		return evm.Call{}, err
	case call.Allows():
		return evm.Call{}, chain.Refuse(Allowance, "%s lets another account take tokens", call.Method)
	case call.Kind != evm.Transfer:
		return evm.Call{}, chain.Refuse(BlindCall, "%s is not signed for on VeChain", call.Method)
	case !t.Value.IsZero():
		return evm.Call{}, chain.Refuse(evm.ValueOnCall, "%s also sends %s of the coin to the contract", call.Method, t.Value)
	}
	return call, nil
}

// isNote reports whether data is a text for the payee. A contract could take it
// for a call. So it must be text that a person can read, which no arguments of
// a call that moves tokens are, and come with VET, which tokens refuse.
func (t Tx) isNote() bool {
	if t.Value.IsZero() || !utf8.Valid(t.Data) {
		return false
	}
	for _, c := range string(t.Data) {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// Check refuses a transaction that is not of the network, that it can never
// take, that costs more than anybody means, or of which nobody can say what it
// does (Tx.Call). Which block it is now is not looked at.
func (t Tx) Check(network chain.Network) error {
	tag, ok := ChainTag(network)
	switch {
	case !ok, t.ChainTag != tag:
		return chain.Refuse(WrongChainTag, "chain tag 0x%02x is not that of %s", t.ChainTag, network)
	case len(t.Data) > MaxData:
		return chain.Refuse(chain.TooLarge, "data of %d bytes, at most %d are signed for", len(t.Data), MaxData)
	case t.Value.Big().BitLen() > supplyBits:
		return chain.Refuse(chain.ValueOutOfRange, "a value of %s is more than there is", t.Value)
	case t.Gas < t.MinGas():
		return chain.Refuse(GasRange, "gas limit %d, at least %d is needed", t.Gas, t.MinGas())
	case t.Gas > maxGas:
		return chain.Refuse(GasRange, "gas limit %d, at most %d is ever signed", t.Gas, maxGas)
	}
	if _, err := t.Call(); err != nil {
		return err
	}
	return t.checkWindow()
}
