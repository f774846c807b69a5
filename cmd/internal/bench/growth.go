package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/onlinetest"
	"coldkms/online/tatum"
	"coldkms/online/tatum/tatumtest"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// postgresEnv names an empty database, without password, for the same rows on
// PostgreSQL.
const postgresEnv = "KMS_BENCH_POSTGRES"

// growth: what a relay with nothing to do costs, with a million finished items
// in its journal.
func (t *table) growth() error {
	if err := t.grow("SQLite", "", t.size(1_000_000)); err != nil {
		return fmt.Errorf("growth on SQLite: %w", err)
	}
	database := os.Getenv(postgresEnv)
	if database == "" {
		return nil
	}
	if err := t.grow("PostgreSQL", database, t.size(1_000_000)); err != nil {
		return fmt.Errorf("growth on PostgreSQL: %w", err)
	}
	return nil
}

func (t *table) grow(name, database string, n int) error {
	dir, err := os.MkdirTemp("", "coldkms-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, stop := tatumtest.Start()
	defer stop()
	ctx := context.Background()
	o := online.Options{Dir: filepath.Join(dir, "relay"), Database: database, FS: durable.OS{}, Now: time.Now, Daemon: true}
	if _, err := online.InitShared(ctx, o.FS, o.Dir, database, rand.Reader, o.Now); err != nil {
		return err
	}
	open := func() (*online.Relay, error) {
		r, err := online.Open(ctx, o)
		if err == nil {
			r.Tatum, err = tatum.New(tatum.Config{URL: server.URL, Key: tatumtest.Key, Transport: http.DefaultTransport, Now: time.Now, Sleep: tatum.Sleep, Jitter: func() float64 { return 0 }})
		}
		return r, err
	}
	r, err := open()
	if err != nil {
		return err
	}
	if _, err := r.Pair(ctx, onlinetest.NewSigner(2).Watch(1)); err != nil {
		return err
	}
	if err := r.Close(); err != nil {
		return err
	}
	if err := finished(o.Dir, database, n); err != nil {
		return err
	}
	begin := time.Now()
	if r, err = open(); err != nil {
		return err
	}
	defer r.Close()
	what := fmt.Sprintf("%d finished, none open, %s: ", n, name)
	t.add(what+"start", seconds(time.Since(begin)), "", "≤ 1 s")
	var peak uint64
	defer watchMemory(&peak)()
	r.Memory = new(online.Memory)
	before := r.Statements()
	begin = time.Now()
	if err := idleRound(ctx, r); err != nil {
		return err
	}
	t.add(what+"idle round", fmt.Sprintf("%.1f ms", float64(time.Since(begin).Microseconds())/1000), fmt.Sprintf("%d statements", r.Statements()-before), "≤ 50 ms, ≤ 10")
	begin = time.Now()
	if _, _, err := r.StatusPage(ctx, online.StatusOptions{Limit: 1000}); err != nil {
		return err
	}
	_, err = r.Totals(ctx)
	t.add(what+"status", fmt.Sprintf("%.1f ms", float64(time.Since(begin).Microseconds())/1000), fmt.Sprintf("memory %d MB", max(peak, resident())>>20), "≤ 200 ms, ≤ 150 MB")
	return err
}

// idleRound is what a daemon does when there is nothing to do.
func idleRound(ctx context.Context, r *online.Relay) error {
	if _, err := r.Broadcast(ctx, online.BroadcastOptions{Due: true}); err != nil {
		return err
	}
	if _, err := r.Watch(ctx, online.WatchOptions{Due: true}); err != nil {
		return err
	}
	if _, err := r.Fetch(ctx, online.FetchOptions{Network: chain.Testnet}); err != nil {
		return err
	}
	_, err := r.Waiting(ctx)
	if err == nil {
		_, err = r.Prepared(ctx, chain.UnknownNetwork, nil)
	}
	return err
}

// finished fills a journal with completed items of the last year.
func finished(dir, database string, n int) error {
	driver, where, numbers, hex := "sqlite", filepath.Join(dir, "journal.db"), "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d)", "printf('%024x', i)"
	blob := "zeroblob(%d)"
	if journal.IsAddress(database) {
		driver, where, numbers, hex = "pgx", database, "WITH g(i) AS (SELECT generate_series(1, %d))", "lpad(to_hex(i), 24, '0')"
		blob = "decode(repeat('00', %d), 'hex')"
	}
	db, err := sql.Open(driver, where)
	if err != nil {
		return err
	}
	defer db.Close()
	raw := func(size int) string { return fmt.Sprintf(blob, size) }
	at := fmt.Sprintf("%d + i * 31", time.Now().Unix()-31*int64(n))
	query := fmt.Sprintf(numbers, n) + " INSERT INTO items (id, chain, network, pending, content, withdrawal, state, signed, txid, depth, settled, created, updated, since, told) SELECT " +
		strings.Join([]string{hex, "'BTC'", fmt.Sprint(int(chain.Testnet)), raw(900), raw(32), "''", "'completed'", raw(250), hex, "6", "1", at, at, at, "'completed'"}, ", ") + " FROM g"
	if _, err := db.Exec(query); err != nil || driver == "sqlite" {
		return err
	}
	_, err = db.Exec("VACUUM ANALYZE items")
	return err
}
