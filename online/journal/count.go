package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"coldkms/shared/chain"
)

// Count returns how many items f chooses, without its Max.
func (j *Journal) Count(ctx context.Context, f Filter) (n int, err error) {
	where, args := f.where("", len(f.IDs) > 0)
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT count(*) FROM "+f.from()+where, args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("journal: count: %w", err)
	}
	return n, nil
}

// Any reports whether at least one of the filters chooses an item.
func (j *Journal) Any(ctx context.Context, filters ...Filter) (found bool, err error) {
	var parts []string
	var args []any
	for _, f := range filters {
		where, more := f.where("", len(f.IDs) > 0)
		parts, args = append(parts, "EXISTS (SELECT 1 FROM "+f.from()+where+")"), append(args, more...)
	}
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT "+strings.Join(parts, " OR "), args...).Scan(&found)
	})
	if err != nil {
		return false, fmt.Errorf("journal: any: %w", err)
	}
	return found, nil
}

// unfinished is the condition of an item that is neither completed nor
// rejected, in words for which there is an index.
const unfinished = "state IN ('fetched', 'prepared', 'exported', 'signed', 'broadcast', 'refused', 'failed')"

// Unfinished is what is in one state.
type Unfinished struct {
	State  State
	Items  int
	Oldest time.Time // when the first of them was journaled
}

// Unfinished counts the items in each state but completed and rejected.
func (j *Journal) Unfinished(ctx context.Context) (list []Unfinished, err error) {
	err = j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, "SELECT s.state, s.n, i.created FROM (SELECT state, count(*) AS n, min(seq) AS first FROM items WHERE "+unfinished+" GROUP BY state) AS s JOIN items i ON i.seq = s.first")
		if err != nil {
			return err
		}
		defer rows.Close()
		list = nil
		for rows.Next() {
			var o Unfinished
			var created int64
			if err := rows.Scan(&o.State, &o.Items, &created); err != nil {
				return err
			}
			o.Oldest = moment(created)
			list = append(list, o)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("journal: unfinished: %w", err)
	}
	return list, nil
}

// Totals counts the items of a network (UnknownNetwork: of both) and of chains
// (none: all) in each state. The finished ones are not read, nor, where it
// counts all items, is more than an index of the others.
func (j *Journal) Totals(ctx context.Context, network chain.Network, chains ...chain.ID) (map[State]int, error) {
	coins, args := Filter{Network: network, Chains: chains}.where("", false)
	by := "state"
	if coins != "" {
		by = "state, chain, network"
	}
	totals := make(map[State]int)
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, "SELECT state, CAST(sum(n) AS BIGINT) FROM (SELECT "+by+", count(*) AS n FROM items WHERE "+unfinished+" GROUP BY "+by+
			" UNION ALL SELECT "+by+", items FROM tally) AS counted"+coins+" GROUP BY state HAVING sum(n) <> 0", args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		clear(totals)
		for rows.Next() {
			var s State
			var n int
			if err := rows.Scan(&s, &n); err != nil {
				return err
			}
			totals[s] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("journal: totals: %w", err)
	}
	return totals, nil
}
