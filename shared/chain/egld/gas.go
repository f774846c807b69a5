package egld

import (
	"coldkms/shared/chain"
)

// Gas that a transaction costs before anything runs.
const (
	gasBase = 50_000
	gasByte = 1_500 // of data
)

// Bounds on what is ever signed, whatever a policy allows: a fee of 0.1 EGLD at
// most. The network's least price is 10^9; gas that a payment does not need is
// taken from it all the same.
const (
	maxPayTimes    = 10         // times the least gas, for a payment
	maxTransferGas = 10_000_000 // above the least gas, for tokens
	maxPrice       = 10_000_000_000
)

// MinGas returns the least gas limit with which the network takes the
// transaction.
func (t Tx) MinGas() uint64 { return gasBase + gasByte*uint64(len(t.Data)) }

// MaxFee returns the most that the transaction can cost beside its value: gas
// limit times price; ok is false if that exceeds 256 bits.
func (t Tx) MaxFee() (fee chain.Amount, ok bool) { return t.Price.Times(t.Gas) }

// MaxSpent returns the most EGLD that the transaction can take from the
// account: value and MaxFee.
func (t Tx) MaxSpent() (sum chain.Amount, ok bool) {
	fee, ok := t.MaxFee()
	if !ok {
		return chain.Amount{}, false
	}
	return fee.Add(t.Value)
}

// supplyBits bounds a value: there are fewer than 2^85 smallest units.
const supplyBits = 96

// Check refuses a transaction that is not of the network, that it can never
// take, that costs more than anybody means, or of which nobody can say what it
// does (Tx.Call).
func (t Tx) Check(network chain.Network) error {
	call, err := t.Call()
	if err != nil {
		return err
	}
	most := maxPayTimes * t.MinGas()
	if call.Kind != Pay {
		most = t.MinGas() + maxTransferGas
	}
	switch {
	case !IsChainID(network, t.ChainID):
		return chain.Refuse(WrongChainID, "chain id %.20q is not of %s", t.ChainID, network)
	case t.Version != 1 && t.Version != 2:
		return chain.Refuse(Version, "version %d is not signed for", t.Version)
	case t.Nonce == ^uint64(0):
		return chain.Refuse(chain.ValueOutOfRange, "nonce 2^64-1 has no next")
	case t.Value.Big().BitLen() > supplyBits:
		return chain.Refuse(chain.ValueOutOfRange, "a value of %s is more than there is", t.Value)
	case t.Gas < t.MinGas():
		return chain.Refuse(GasRange, "gas limit %d, at least %d is needed", t.Gas, t.MinGas())
	case t.Gas > most:
		return chain.Refuse(GasRange, "gas limit %d, at most %d is signed for this", t.Gas, most)
	case t.Price.IsZero(), t.Price.Cmp(chain.NewAmount(maxPrice)) > 0:
		return chain.Refuse(PriceRange, "a gas price of %s, between 1 and %d is signed for", t.Price, uint64(maxPrice))
	}
	return nil
}
