package sandbox

import (
	"maps"
	"net/http"
	"slices"

	"coldkms/shared/chain"
)

// chainStatus is one chain in GET /sandbox/status.
type chainStatus struct {
	Chain   chain.ID `json:"chain"`
	Height  int64    `json:"height"`
	Hash    string   `json:"hash"`
	Pending int      `json:"pending"` // not completed
	Faucet  any      `json:"faucet"`
}

func (s *Server) status(r *http.Request) (reply, error) {
	list := []chainStatus{}
	for _, id := range slices.Sorted(maps.Keys(s.chains)) {
		b := s.chains[id]
		tip, err := b.node.Tip(r.Context())
		if err != nil {
			return reply{}, err
		}
		waiting, err := s.config.Store.ListPending(r.Context(), id)
		if err != nil {
			return reply{}, err
		}
		one := chainStatus{Chain: id, Height: tip.Height, Hash: tip.Hash, Pending: len(waiting)}
		switch {
		case b.issuer != nil:
			one.Faucet = map[string]any{"amount": "unlimited"}
		case b.faucet != nil:
			coins, value := b.faucet.spendable(tip.Height)
			one.Faucet = map[string]any{"address": b.Address(b.faucet.script), "coins": coins, "amount": formatAmount(value, b.Decimals)}
		}
		list = append(list, one)
	}
	return ok(map[string]any{"chains": list})
}
