package journal

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"
)

// Settings shows what SQLite says of its own settings.
func (j *Journal) Settings(ctx context.Context) (string, error) {
	var mode string
	var sync, keys int
	for query, into := range map[string]any{"journal_mode": &mode, "synchronous": &sync, "foreign_keys": &keys} {
		if err := j.db.QueryRowContext(ctx, "PRAGMA "+query).Scan(into); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s %d %d", mode, sync, keys), nil
}

// CountPauses has j not wait before it tries again, and counts how often it does.
func (j *Journal) CountPauses(n *atomic.Int64) {
	j.pause = func(ctx context.Context, _ time.Duration) error { n.Add(1); return ctx.Err() }
}

// ResolvedTLS returns the TLS that an address comes to.
func ResolvedTLS(address string) (*tls.Config, error) {
	config, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	return config.TLSConfig, nil
}

// Transitions lists the table, as pairs of from and to.
func Transitions() [][2]State {
	list := make([][2]State, len(transitions))
	for i, t := range transitions {
		list[i] = [2]State{t.from, t.to}
	}
	return list
}
