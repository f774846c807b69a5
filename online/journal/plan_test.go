//go:build unix

package journal_test

import (
	"strings"
	"testing"
)

// What a round looks for is found by an index of what is open, whatever is
// finished.
func TestPlans(t *testing.T) {
	_, where := open(t)
	db := raw(t, where)
	for query, index := range map[string]string{
		"SELECT count(*) FROM items INDEXED BY items_unsettled WHERE settled = 0 AND state IN ('broadcast', 'completed')":                                                         "items_unsettled",
		"SELECT seq FROM items INDEXED BY items_unsettled WHERE settled = 0 AND state IN ('broadcast', 'completed') ORDER BY seq LIMIT 64":                                        "items_unsettled",
		"SELECT seq FROM items INDEXED BY items_outstanding WHERE outstanding > 0 AND signed IS NULL ORDER BY seq LIMIT 64":                                                       "items_outstanding",
		"SELECT seq FROM items WHERE state = ? AND held_until <= 5 ORDER BY seq LIMIT 64":                                                                                         "items_by_state",
		"SELECT seq FROM items WHERE since >= ? AND state || '' IN (?, ?) ORDER BY seq + 0 LIMIT 5":                                                                               "items_by_since_state",
		"SELECT DISTINCT request FROM items WHERE state = 'exported'":                                                                                                             "USING",
		"SELECT DISTINCT request FROM items WHERE held_until > 0 AND holder > '' AND held_until > 5":                                                                              "items_held",
		"UPDATE items SET holder = '', held_until = 0 WHERE holder = ? AND held_until > 0":                                                                                        "items_held",
		"SELECT 1 FROM items INDEXED BY items_untold WHERE told <> state AND state IN ('completed', 'refused', 'rejected', 'failed') ORDER BY seq LIMIT 5":                        "items_untold",
		"SELECT state, count(*) AS n, min(seq) AS first FROM items WHERE state IN ('fetched', 'prepared', 'exported', 'signed', 'broadcast', 'refused', 'failed') GROUP BY state": "COVERING INDEX items_by_state (state=?",
		"SELECT seq FROM items INDEXED BY items_unhashed WHERE request IS NOT NULL AND unsigned = '' ORDER BY seq LIMIT ?":                                                        "items_unhashed",
		"SELECT id FROM items WHERE unsigned = ? AND unsigned <> '' ORDER BY seq":                                                                                                 "items_by_unsigned",
	} {
		args := make([]any, strings.Count(query, "?"))
		for i := range args {
			args[i] = "x"
		}
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
		must(t, err)
		var plan strings.Builder
		for rows.Next() {
			var a, b, c int
			var detail string
			must(t, rows.Scan(&a, &b, &c, &detail))
			plan.WriteString(detail + "; ")
		}
		must(t, rows.Close())
		if !strings.Contains(plan.String(), index) {
			t.Errorf("%s: %s", query, plan.String())
		}
	}
}
