//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// growth: what a relay with nothing to do costs, with a million finished items
// in its journal.
func (t *table) growth() error {
	return t.onBoth(func(name string, fresh func() (string, error)) error {
		database, err := fresh()
		if err != nil {
			return err
		}
		return t.grow(name, database, t.size(1_000_000))
	})
}

// onBoth measures with a journal in each database; fresh returns the address of
// a new one, "" for SQLite. PostgreSQL is left out where no server is installed.
func (t *table) onBoth(measure func(name string, fresh func() (string, error)) error) error {
	if err := measure("SQLite", func() (string, error) { return "", nil }); err != nil {
		return fmt.Errorf("on SQLite: %w", err)
	}
	if t.profile != "" {
		return nil
	}
	server, err := pgtest.New()
	if errors.Is(err, pgtest.ErrNone) {
		fmt.Fprintln(os.Stderr, "  without PostgreSQL:", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer server.Remove()
	if err := measure("PostgreSQL", server.Create); err != nil {
		return fmt.Errorf("on PostgreSQL: %w", err)
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
	o := online.Options{Families: relaytest.Families(), Dir: filepath.Join(dir, "relay"), Database: database,
		FS: durable.OS{}, Now: time.Now, Daemon: true}
	if _, err := online.InitShared(ctx, o.FS, o.Dir, database, rand.Reader, o.Now); err != nil {
		return err
	}
	open := func() (*online.Relay, error) {
		r, err := online.Open(ctx, o)
		if err == nil {
			r.Tatum, err = tatum.New(tatum.Config{URL: server.URL, Key: tatumtest.Key, Transport: http.DefaultTransport,
				Now: time.Now, Sleep: tatum.Sleep, Jitter: func() float64 { return 0 }})
		}
		return r, err
	}
	r, err := open()
	if err != nil {
		return err
	}
	if _, err := r.Pair(ctx, relaytest.NewSigner(2).Watch(1)); err != nil {
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
	if err := t.idle(ctx, what, dir, r); err != nil {
		return err
	}
	begin = time.Now()
	if _, _, err := r.StatusPage(ctx, online.StatusOptions{Limit: 1000}); err != nil {
		return err
	}
	_, err = r.Totals(ctx)
	t.add(what+"status", fmt.Sprintf("%.1f ms", float64(time.Since(begin).Microseconds())/1000),
		fmt.Sprintf("memory %d MB", max(peak, resident())>>20), "≤ 200 ms, ≤ 150 MB")
	return err
}

// idle measures rounds of a daemon that has nothing to do: the first, in which
// everything is looked at, and one of those that follow.
func (t *table) idle(ctx context.Context, what, dir string, r *online.Relay) error {
	stick := filepath.Join(dir, "stick")
	if err := os.Mkdir(stick, 0o700); err != nil {
		return err
	}
	drop := file.On(stick)
	pace := tatum.NewPace(tatum.Limits{}, time.Now, func() float64 { return 0 })
	d := &daemon.Daemon{
		Options: daemon.Options{Period: 10 * time.Second, WatchEvery: 2 * time.Minute, LateAfter: time.Hour},
		Open:    func(context.Context) (*online.Relay, func() error, error) { return r, func() error { return nil }, nil },
		Keys: []daemon.Key{{Network: chain.Testnet, Client: r.Tatum,
			Pace: pace}}, Drop: &drop, Tell: []daemon.Teller{nobody{}},
		Log: slog.New(slog.DiscardHandler), Now: time.Now, Sleep: tatum.Sleep,
	}
	if _, err := d.Once(ctx); err != nil { // what a start costs once
		return err
	}
	d.Options.WatchEvery = 0
	for _, round := range []string{"idle round with a look at the chain", "idle round"} {
		before, begin := r.Statements(), time.Now()
		got, err := d.Once(ctx)
		if err = errors.Join(err, got.Err); err != nil {
			return err
		}
		t.add(what+round, fmt.Sprintf("%.1f ms", float64(time.Since(begin).Microseconds())/1000),
			fmt.Sprintf("%d statements", r.Statements()-before), "≤ 50 ms, ≤ 10")
		d.Options.WatchEvery = time.Hour
	}
	return nil
}

// nobody hears events.
type nobody struct{}

func (nobody) Tell(context.Context, daemon.Event) error { return nil }

// finished fills a journal with completed items of the last year.
func finished(dir, database string, n int) error {
	driver, where, numbers, hex := "sqlite", filepath.Join(dir,
		"journal.db"), "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d)", "printf('%024x', i)"
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
		strings.Join([]string{hex, "'BTC'", fmt.Sprint(int(chain.Testnet)), raw(900), raw(32), "''", "'completed'",
			raw(250), hex, "6", "1", at, at, at, "'completed'"}, ", ") + " FROM g"
	if _, err := db.Exec(query); err != nil {
		return err
	}
	if _, err := db.Exec(fmt.Sprintf("INSERT INTO tally (state, chain, network, slot, items) VALUES ('completed', 'BTC', %d, 0, %d)", chain.Testnet, n)); err != nil || driver == "sqlite" {
		return err
	}
	_, err = db.Exec("VACUUM ANALYZE items")
	return err
}
