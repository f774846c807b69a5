// Package local puts a whole sandbox into one folder: records, a btcd, the
// chains of the other coins, and the server in front of it.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/kms-sandbox/sandbox/btcd"
	"coldkms/cmd/kms-sandbox/sandbox/records"
	"coldkms/cmd/kms-sandbox/sandbox/simchain"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Config says where and how. Of Server, Nodes, Store and Miner are filled in.
type Config struct {
	Dir    string // holds all state; made if missing
	Btcd   string // path of the btcd program
	Server sandbox.Config
}

// Sandbox is a running one: an http.Handler.
type Sandbox struct {
	*sandbox.Server
	Node    *btcd.Node
	Records *records.DB
}

// segwitHeight is from when a regression test chain of btcd takes witnesses.
const segwitHeight = 432

// Open starts everything, on a chain long enough for segwit. Another process
// on the same folder is records.ErrLocked.
func Open(ctx context.Context, config Config) (*Sandbox, error) {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	db, err := records.Open(ctx, filepath.Join(config.Dir, "records.sqlite"))
	if err != nil {
		return nil, err
	}
	s := &Sandbox{Records: db}
	if err := s.start(ctx, config); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sandbox) start(ctx context.Context, config Config) error {
	key, err := s.Records.Miner(ctx)
	if err != nil {
		return err
	}
	params, err := utxo.ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Testnet})
	if err != nil {
		return err
	}
	params.HRP = "bcrt" // btcd takes mining addresses of its own network only
	s.Node, err = btcd.Start(ctx, config.Btcd, filepath.Join(config.Dir, "btcd"), params.Address(sandbox.MinerScript(key)))
	if err != nil {
		return err
	}
	server := config.Server
	if server.Nodes, err = soloChains(config.Server.Now); err != nil {
		return err
	}
	server.Nodes[chain.BTC] = s.Node
	server.Store, server.Miner = s.Records, key
	if s.Server, err = sandbox.New(ctx, server); err != nil {
		return err
	}
	tip, err := s.Node.Tip(ctx)
	if err != nil || tip.Height >= segwitHeight {
		return err
	}
	return s.Mine(ctx, chain.BTC, int(segwitHeight-tip.Height))
}

// soloChains are the chains of the coins that have no node in Go.
func soloChains(now func() time.Time) (map[chain.ID]sandbox.Node, error) {
	if now == nil {
		now = time.Now
	}
	nodes := make(map[chain.ID]sandbox.Node)
	for _, id := range []chain.ID{chain.LTC, chain.DOGE, chain.BCH} {
		params, err := utxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet})
		if err != nil {
			return nil, err
		}
		nodes[id] = simchain.New(params, now)
	}
	return nodes, nil
}

// Close stops the node and closes the records.
func (s *Sandbox) Close() error {
	var err error
	if s.Node != nil {
		err = s.Node.Close()
	}
	return errors.Join(err, s.Records.Close())
}
