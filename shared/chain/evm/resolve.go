package evm

import "coldkms/shared/chain"

// Quote is what the network is said to have for an account. All of it is a
// claim. It fills what a request does not state, and refuses; it never allows.
type Quote struct {
	ChainID uint64        // of the node that was asked; 0 if not said
	Nonce   uint64        // next
	Gas     uint64        // limit for this transaction
	Price   chain.Amount  // of one gas, in wei; most for a gas if Tip is set
	Tip     *chain.Amount // nil: a legacy transaction
	Balance *chain.Amount // of the account in wei; nil if not said
}

// Gas that KMS adds to an estimate on CELO, and the prices that it signs with
// where the request states none, in wei.
const (
	celoExtraGas = 100_000
	bscPrice     = 10_000_000_000
	kcsPrice     = 1_000_000_000
	maticLeast   = 30 // gwei
)

// TatumGas returns the gas limit that Tatum KMS makes of an estimate.
func TatumGas(id chain.ID, estimate uint64) uint64 {
	if id == "CELO" && estimate < MaxGas {
		return estimate + celoExtraGas
	}
	return estimate
}

// TatumPrice returns the gas price, in wei, that Tatum KMS signs with where a
// request states none: a constant on BSC and KCS; on MATIC the gas station's
// (https://gasstation.polygon.technology/v2, fast.maxFee, in gwei), rounded up
// and at least 30 gwei; else what the node says.
func TatumPrice(id chain.ID, node chain.Amount, stationGwei string) (chain.Amount, error) {
	switch id {
	case "BSC":
		return chain.NewAmount(bscPrice), nil
	case "KCS":
		return chain.NewAmount(kcsPrice), nil
	case "MATIC":
		const gwei = 1_000_000_000
		wei, err := ToWei(stationGwei, GweiDecimals)
		whole, ok := wei.Per(gwei).Int64()
		if err != nil || !ok || whole > maxPrice/gwei {
			return chain.Amount{}, chain.Refuse(PriceRange, "gas station's price %.40q is none", stationGwei)
		}
		return chain.NewAmount(uint64(max(whole, maticLeast)) * gwei), nil
	}
	return node, nil
}

// Resolve makes the transaction that a request asks an account for: what it
// states as stated, the rest from the quote. The nonce of the result is the
// stated one or the network's next; who gives out nonces sets it anew where the
// request states none. The transaction has passed Tx.Check.
func (r Request) Resolve(account Address, q Quote) (Tx, error) {
	id, _ := ChainID(r.coin)
	switch {
	case r.ChainID != nil && *r.ChainID != id:
		return Tx{}, chain.Refuse(WrongChainID, "chain id %d is stated, and %s has %d", *r.ChainID, r.coin, id)
	case q.ChainID != 0 && q.ChainID != id:
		return Tx{}, chain.Refuse(WrongChainID, "the node says chain id %d, and %s has %d", q.ChainID, r.coin, id)
	case r.From != nil && *r.From != account:
		return Tx{}, chain.Refuse(OtherAccount, "from is %s, and the key's account is %s", *r.From, account)
	case r.Nonce != nil && *r.Nonce < q.Nonce:
		return Tx{}, chain.Refuse(NonceUsed, "nonce %d is stated, and the network has the account at %d", *r.Nonce, q.Nonce)
	}
	t := Tx{ChainID: id, Nonce: q.Nonce, Gas: q.Gas, Price: q.Price, To: r.To, Creates: r.Creates, Value: r.Value, Data: r.Data}
	if r.Nonce != nil {
		t.Nonce = *r.Nonce
	}
	if r.Gas != nil {
		t.Gas = *r.Gas
	}
	tip := q.Tip
	if r.Price != nil {
		t.Price, tip = *r.Price, r.Tip
	}
	if tip != nil {
		t.Type, t.Tip = DynamicFee, *tip
	}
	if err := t.Check(r.coin); err != nil {
		return Tx{}, err
	}
	if err := t.checkBalance(q.Balance); err != nil {
		return Tx{}, err
	}
	return t, nil
}

func (t Tx) checkBalance(balance *chain.Amount) error {
	if balance == nil {
		return nil
	}
	if spent, _ := t.MaxSpent(); spent.Cmp(*balance) > 0 {
		return chain.Refuse(AboveBalance, "value and fee are %s wei, and the account is said to have %s", spent, *balance)
	}
	return nil
}
