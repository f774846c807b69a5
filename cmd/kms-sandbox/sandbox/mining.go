package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// MaxMine bounds the blocks of one request.
const MaxMine = 1_000

// open brings a node up to what the store remembers, and the store up to
// what the node has.
func (s *Server) open(ctx context.Context, id chain.ID, node Node) (*backend, error) {
	c, err := newCoin(id)
	if err != nil {
		return nil, err
	}
	b := &backend{coin: c, node: node}
	miner, mines := node.(Miner)
	if !mines {
		return b, nil
	}
	if err := s.restoreBlocks(ctx, b, miner); err != nil {
		return nil, err
	}
	if b.issuer, _ = node.(Issuer); b.issuer != nil {
		return b, errors.Join(s.copyBlocks(ctx, b, miner), s.restoreSent(ctx, b, b.issuer.Restore))
	}
	if s.config.Miner == nil {
		return nil, fmt.Errorf("sandbox: %s mines and needs a miner's key", id)
	}
	b.faucet = &faucet{key: s.config.Miner, script: MinerScript(s.config.Miner)}
	if err := s.copyBlocks(ctx, b, miner); err != nil {
		return nil, err
	}
	if err := s.restoreSent(ctx, b, node.Send); err != nil {
		return nil, err
	}
	b.faucet.coins, err = b.unspent(ctx, b.faucet.script)
	return b, err
}

// restoreBlocks sends a node the blocks that it had before.
func (s *Server) restoreBlocks(ctx context.Context, b *backend, miner Miner) error {
	tip, err := b.node.Tip(ctx)
	if err != nil {
		return err
	}
	have, err := s.config.Store.Height(ctx, b.id)
	if err != nil {
		return err
	}
	for height := tip.Height + 1; height <= have; height++ {
		block, err := s.config.Store.Block(ctx, b.id, height)
		if err != nil {
			return err
		}
		if err := miner.Submit(ctx, height, block); err != nil {
			return fmt.Errorf("sandbox: node and records disagree at block %d: %w", height, err)
		}
	}
	return nil
}

// restoreSent sends a node the transactions of its mempool again, once more
// those that it refused as long as others get in: of two that were sent at
// once, the spender may be the first on record. What is refused in the end has
// been mined.
func (s *Server) restoreSent(ctx context.Context, b *backend, send func(context.Context, *wire.MsgTx) error) error {
	sent, err := s.config.Store.Sent(ctx, b.id)
	if err != nil {
		return err
	}
	for {
		var refused []*wire.MsgTx
		for _, tx := range sent {
			switch err := send(ctx, tx); {
			case isNodeError(err):
				refused = append(refused, tx)
			case err != nil:
				return err
			}
		}
		if len(refused) == 0 || len(refused) == len(sent) {
			return nil
		}
		sent = refused
	}
}

// copyBlocks copies the node's new blocks into the store, in steps that bound
// memory, and tells the faucet.
func (s *Server) copyBlocks(ctx context.Context, b *backend, miner Miner) error {
	const step = 200
	tip, err := b.node.Tip(ctx)
	if err != nil {
		return err
	}
	have, err := s.config.Store.Height(ctx, b.id)
	if err != nil {
		return err
	}
	for first := have + 1; first <= tip.Height; first += step {
		var blocks []*wire.MsgBlock
		for height := first; height <= min(first+step-1, tip.Height); height++ {
			block, err := miner.Block(ctx, height)
			if err != nil {
				return err
			}
			blocks = append(blocks, block)
		}
		if err := s.config.Store.AddBlocks(ctx, b.id, first, blocks); err != nil {
			return err
		}
		for i, block := range blocks {
			if b.faucet == nil {
				break
			}
			b.faucet.mined(block, first+int64(i))
		}
	}
	return nil
}

// Mine makes blocks on a chain.
func (s *Server) Mine(ctx context.Context, id chain.ID, blocks int) error {
	b, err := s.minedBackend(string(id))
	if err != nil {
		return err
	}
	b.mining.Lock()
	defer b.mining.Unlock()
	miner := b.node.(Miner) // minedBackend looked
	if err := miner.Mine(ctx, blocks); err != nil {
		return err
	}
	return s.copyBlocks(ctx, b, miner)
}

// minedBackend finds a coin whose blocks are made here; "" is Bitcoin.
func (s *Server) minedBackend(name string) (*backend, error) {
	if name == "" {
		name = string(chain.BTC)
	}
	b, err := s.backend(name, "chain")
	if err != nil {
		return nil, err
	}
	if _, mines := b.node.(Miner); !mines {
		return nil, invalid("chain", "%s is not mined by this sandbox", b.id)
	}
	return b, nil
}

// mine is POST /sandbox/mine.
func (s *Server) mine(r *http.Request) (reply, error) {
	body := struct {
		Blocks int    `json:"blocks"`
		Chain  string `json:"chain"`
	}{Blocks: 1}
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if body.Blocks < 1 || body.Blocks > MaxMine {
		return reply{}, invalid("blocks", "must be between 1 and %d", MaxMine)
	}
	b, err := s.minedBackend(body.Chain)
	if err != nil {
		return reply{}, err
	}
	if err := s.Mine(r.Context(), b.id, body.Blocks); err != nil {
		return reply{}, err
	}
	tip, err := b.node.Tip(r.Context())
	if err != nil {
		return reply{}, err
	}
	return ok(map[string]any{"height": tip.Height, "hash": tip.Hash})
}
