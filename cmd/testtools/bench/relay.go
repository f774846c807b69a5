//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// ask adds n pending payments to a Tatum, and returns who signs them.
func ask(server *tatumtest.Server, n int) *relaytest.Signer {
	signer := relaytest.NewSigner(2)
	for i := range n {
		prev := signer.Funding(i + 1)
		server.Chain(relaytest.Hex(prev))
		server.Add(signer.Payment(i+1, prev, nil))
	}
	return signer
}

// relay: pending transactions, each with a previous transaction of its own,
// from an API on loopback into a request on the disk.
func (t *table) relay() error {
	n := t.size(10_000)
	dir, err := os.MkdirTemp("", "coldkms-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, stop := tatumtest.Start()
	defer stop()
	signer := ask(server, n)
	r, err := openRelay(filepath.Join(dir, "relay"), server, signer)
	if err != nil {
		return err
	}
	defer r.Close()
	ctx := context.Background()
	start := time.Now()
	fetched, err := r.Fetch(ctx, online.FetchOptions{Network: chain.Testnet})
	if err != nil {
		return err
	}
	usb := filepath.Join(dir, "usb")
	if err := os.MkdirAll(usb, 0o700); err != nil {
		return err
	}
	exported, err := r.Export(ctx, online.ExportOptions{Dir: usb})
	if err != nil {
		return err
	}
	took := time.Since(start)
	if fetched.Prepared != n || exported.Items != n {
		return fmt.Errorf("%d prepared, %d exported, want %d", fetched.Prepared, exported.Items, n)
	}
	calls := server.Calls("")
	t.add(fmt.Sprintf("relay: %d pending fetched, prepared, journaled, exported", n), seconds(took),
		fmt.Sprintf("%d requests for %d previous transactions", calls, n), "≤ 10 s; 1 request each + 1")
	return nil
}

func openRelay(dir string, server *tatumtest.Server, signer *relaytest.Signer) (*online.Relay, error) {
	ctx := context.Background()
	o := online.Options{Families: relaytest.Families(), Dir: dir, FS: durable.OS{}, Now: time.Now}
	if _, err := online.Init(ctx, o.FS, dir, rand.Reader, o.Now); err != nil {
		return nil, err
	}
	r, err := online.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if r.Tatum, err = tatum.New(tatum.Config{URL: server.URL, Key: tatumtest.Key, Transport: http.DefaultTransport,
		Now: time.Now, Sleep: tatum.Sleep, Jitter: func() float64 { return 0 }}); err != nil {
		return nil, err
	}
	_, err = r.Pair(ctx, signer.Watch(time.Now().Unix()))
	return r, err
}
