package evm

import (
	"coldkms/shared/chain"
)

// Gas that a transaction costs before any of it runs.
const (
	gasBase       = 21_000
	gasCreate     = 32_000 // a contract
	gasZeroByte   = 4
	gasByte       = 16 // EIP-2028
	gasInitWord   = 2  // EIP-3860: each 32 bytes of a contract's code
	gasFloorToken = 10 // EIP-7623: a zero byte is one token, another byte four
)

// Bounds on what is ever signed, whatever a policy allows.
const (
	MaxGas = 1 << 24 // EIP-7825: no transaction may have more
	// maxPrice is a million gwei for one gas: 21 coins for a plain payment.
	maxPrice = 1_000_000_000_000_000
)

// MinGas returns the least gas limit with which the transaction can be mined:
// the greater of the intrinsic gas and the floor of EIP-7623. Not all chains of
// the family have the floor; for those without it a call that is mostly data
// needs a higher limit here than there.
func (t Tx) MinGas() uint64 {
	var zeros uint64
	for _, b := range t.Data {
		if b == 0 {
			zeros++
		}
	}
	others := uint64(len(t.Data)) - zeros
	intrinsic := gasBase + zeros*gasZeroByte + others*gasByte
	if t.Creates {
		intrinsic += gasCreate + gasInitWord*uint64(padded(len(t.Data))/wordSize)
	}
	return max(intrinsic, gasBase+gasFloorToken*(zeros+4*others))
}

// MaxFee returns the most that the transaction can cost beside its value, in
// wei: gas limit times price; ok is false if that exceeds 256 bits.
func (t Tx) MaxFee() (fee chain.Amount, ok bool) { return t.Price.Times(t.Gas) }

// MaxSpent returns the most of the coin that the transaction can take from the
// account: value and MaxFee.
func (t Tx) MaxSpent() (sum chain.Amount, ok bool) {
	fee, ok := t.MaxFee()
	if !ok {
		return chain.Amount{}, false
	}
	return fee.Add(t.Value)
}

// Check refuses a transaction that is not of the coin's chain, that can never
// be mined, or that no caller means.
func (t Tx) Check(c chain.Coin) error {
	id, ok := ChainID(c)
	switch {
	case !ok:
		return chain.Refuse(chain.UnsupportedChain, "%.20q is not a chain of Ethereum's family", string(c.Chain))
	case t.Type != Legacy && t.Type != DynamicFee:
		return chain.Refuse(chain.Malformed, "type %d is not signed for", t.Type)
	case t.ChainID != id:
		return chain.Refuse(WrongChainID, "chain id %d, and %s has %d", t.ChainID, c, id)
	case t.Nonce == ^uint64(0):
		return chain.Refuse(chain.ValueOutOfRange, "nonce 2^64-1 is never mined (EIP-2681)")
	case len(t.Data) > MaxData:
		return chain.Refuse(chain.TooLarge, "data of %d bytes, at most %d are mined", len(t.Data), MaxData)
	case t.Creates && len(t.Data) == 0:
		return chain.Refuse(chain.Malformed, "no destination and no code: it would lose its value in an empty contract")
	case !t.Creates && t.To.IsZero():
		return chain.Refuse(ZeroAddress, "it pays the zero address")
	case t.Gas < t.MinGas():
		return chain.Refuse(GasRange, "gas limit %d, at least %d is needed", t.Gas, t.MinGas())
	case t.Gas > MaxGas:
		return chain.Refuse(GasRange, "gas limit %d, at most %d is ever mined (EIP-7825)", t.Gas, MaxGas)
	}
	return t.checkPrice()
}

func (t Tx) checkPrice() error {
	_, ok := t.MaxSpent()
	switch {
	case t.Price.IsZero():
		return chain.Refuse(PriceRange, "a gas price of 0 is never mined")
	case t.Price.Cmp(chain.NewAmount(maxPrice)) > 0:
		return chain.Refuse(PriceRange, "a gas price of %s wei, at most %d is ever signed", t.Price, maxPrice)
	case t.Tip.Cmp(t.Price) > 0:
		return chain.Refuse(PriceRange, "a tip of %s wei above the most for a gas, %s", t.Tip, t.Price)
	case t.Type == Legacy && !t.Tip.IsZero():
		return chain.Refuse(chain.Malformed, "a tip in a legacy transaction")
	case !ok:
		return chain.Refuse(chain.ValueOutOfRange, "value and fee together have more than 256 bits")
	}
	return nil
}

// Call returns what the transaction does. It refuses what nobody can say of it
// (BlindCall: contract creation, unknown methods, data that is no call), and
// what loses money for certain; see DecodeCall.
func (t Tx) Call() (Call, error) {
	switch {
	case t.Creates:
		return Call{}, chain.Refuse(BlindCall, "it creates a contract from %d bytes of code", len(t.Data))
	case t.To.IsZero():
		return Call{}, chain.Refuse(ZeroAddress, "it pays the zero address")
	case len(t.Data) == 0:
		return Call{Kind: Pay, To: t.To, Amount: t.Value}, nil
	}
	call, err := DecodeCall(t.To, t.Data)
	if err == nil && !t.Value.IsZero() {
		err = chain.Refuse(ValueOnCall, "%s also sends %s wei of the coin to the contract", call.Method, t.Value)
	}
	if err != nil {
		return Call{}, err
	}
	return call, nil
}
