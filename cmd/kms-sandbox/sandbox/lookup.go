package sandbox

import (
	"net/http"
	"strconv"

	"coldkms/shared/chain"
)

// transaction is GET /v3/bitcoin/transaction/{hash}.
func (s *Server) transaction(b *backend, r *http.Request) (reply, error) {
	tx, err := b.tx(r.Context(), r.PathValue("hash"))
	if err != nil {
		return reply{}, err
	}
	view, err := b.view(r.Context(), tx)
	if err != nil {
		return reply{}, err
	}
	return ok(view)
}

// Limits of GET /v3/bitcoin/transaction/address/{address}, as Tatum's.
const (
	maxPageSize     = 50
	defaultPageSize = 10
)

func (s *Server) transactions(b *backend, r *http.Request) (reply, error) {
	script, err := b.script(r.PathValue("address"))
	if err != nil {
		return reply{}, invalid("address", "%v", err)
	}
	size, err := queryInt(r, "pageSize", defaultPageSize, 1, maxPageSize)
	if err != nil {
		return reply{}, err
	}
	name := "offset"
	if b.id == chain.BCH { // whose pages are of a fixed size
		name, size = "skip", maxPageSize
	}
	offset, err := queryInt(r, name, 0, 0, 1<<31-1)
	if err != nil {
		return reply{}, err
	}
	page, err := b.node.History(r.Context(), script, offset, size)
	if err != nil {
		return reply{}, err
	}
	list := []any{}
	for _, tx := range page {
		view, err := b.view(r.Context(), tx)
		if err != nil {
			return reply{}, err
		}
		list = append(list, view)
	}
	return ok(list)
}

func queryInt(r *http.Request, name string, fallback, low, high int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, invalid(name, "must be a number between %d and %d", low, high)
	}
	return n, nil
}

// utxo is GET /v3/bitcoin/utxo/{hash}/{index}.
func (s *Server) utxo(b *backend, r *http.Request) (reply, error) {
	index, err := strconv.ParseUint(r.PathValue("index"), 10, 31)
	if err != nil {
		return reply{}, invalid("index", "must be the number of an output")
	}
	u, err := b.unspentOutput(r.Context(), r.PathValue("hash"), int64(index))
	if err != nil {
		return reply{}, err
	}
	tx, err := b.tx(r.Context(), r.PathValue("hash"))
	if err != nil {
		return reply{}, err
	}
	if b.form == nodeForm {
		return b.nodeOutput(r.Context(), tx, u)
	}
	view := b.coinView(tx, u)
	view.Hash, view.Index = u.outpoint.Hash.String(), &u.outpoint.Index
	return ok(view)
}

// info is GET /v3/bitcoin/info.
func (s *Server) info(b *backend, r *http.Request) (reply, error) {
	tip, err := b.node.Tip(r.Context())
	if err != nil {
		return reply{}, err
	}
	return ok(map[string]any{
		"chain": "regtest", "blocks": tip.Height, "headers": tip.Height,
		"bestblockhash": tip.Hash, "difficulty": tip.Difficulty,
	})
}

// fee is GET /v3/blockchain/fee/{chain}, in smallest units a byte. Blocks
// here are never full: the answers are constants.
func (s *Server) fee(r *http.Request) (reply, error) {
	b, err := s.backend(r.PathValue("chain"), "chain")
	if err != nil {
		return reply{}, err
	}
	if !b.fees {
		return reply{}, invalid("chain", "must be BTC, LTC or DOGE")
	}
	rate := max(b.DustFlat/100, 1) // medium for DOGE is 1 coin a kilobyte
	tip, err := b.node.Tip(r.Context())
	if err != nil {
		return reply{}, err
	}
	return ok(map[string]any{
		"fast": 20 * rate, "medium": 10 * rate, "slow": 5 * rate, "block": tip.Height,
		"time": s.config.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
	})
}

func (s *Server) version(*http.Request) (reply, error) {
	return ok(map[string]string{"version": Version})
}
