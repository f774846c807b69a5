package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Previous returns the bytes, without witness, of those previous transactions
// that are held. They are hashed by whoever rests on them.
func (j *Journal) Previous(ctx context.Context, txids []string) (map[string][]byte, error) {
	have := make(map[string][]byte, len(txids))
	err := j.read(ctx, func() error {
		for part := range slices.Chunk(txids, previousAtOnce) {
			if err := j.previous(ctx, part, have); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("journal: previous transactions: %w", err)
	}
	return have, nil
}

// previousAtOnce bounds how many previous transactions one query asks for.
const previousAtOnce = 500

func (j *Journal) previous(ctx context.Context, txids []string, have map[string][]byte) error {
	list, err := json.Marshal(txids)
	if err != nil {
		return err
	}
	rows, err := j.db.QueryContext(ctx, "SELECT txid, raw FROM previous WHERE txid IN ({list})", string(list))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var raw []byte
		if err := rows.Scan(&id, &raw); err != nil {
			return err
		}
		have[id] = raw
	}
	return rows.Err()
}

// PreviousTx is a previous transaction without witness and its id.
type PreviousTx struct {
	TxID string
	Raw  []byte
}

// AddPrevious keeps previous transactions, so that each is fetched once. One
// that is held already is replaced: it was fetched again because what was held
// did not hash to its id.
func (j *Journal) AddPrevious(ctx context.Context, list []PreviousTx) error {
	// In one order everywhere, so that two relays do not wait for each other.
	list = slices.SortedFunc(slices.Values(list), func(a, b PreviousTx) int { return strings.Compare(a.TxID, b.TxID) })
	return j.change(ctx, "add previous transactions", func(tx tx) error {
		stmt, err := tx.PrepareContext(ctx, "INSERT INTO previous (txid, raw) VALUES (?, ?) ON CONFLICT (txid) DO UPDATE SET raw = excluded.raw")
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, p := range list {
			if _, err := stmt.ExecContext(ctx, p.TxID, p.Raw); err != nil {
				return err
			}
		}
		return nil
	})
}
