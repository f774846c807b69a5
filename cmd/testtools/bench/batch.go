//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/sign/utxo"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// decoded is a transaction with so many inputs, as a signer has it.
func (p *purse) decoded(inputs int) *chainutxo.Tx {
	item, raws := p.item(0, inputs)
	table, err := chainutxo.NewTable(raws)
	if err != nil {
		panic(err)
	}
	tx, err := chainutxo.Decode(item.Coin, item.Tx, item.Context, table)
	if err != nil {
		panic(err)
	}
	return tx
}

// batches: open, review, sign and write a batch of one-input items, and how
// that grows.
func (t *table) batches() error {
	var perItem time.Duration
	for _, n := range []int{1, 100, 1000, 10_000, 25_000} {
		if n = t.size(n); n == 0 {
			continue
		}
		took, size, peak, err := batch(n)
		if err != nil {
			return err
		}
		per := took / time.Duration(n)
		compared := fmt.Sprintf("%s an item", micro(per))
		if perItem > 0 {
			compared += fmt.Sprintf(", %.2f × that of %d", ratio(per, perItem), t.size(1000))
		}
		if n == t.size(1000) {
			perItem = per
		}
		goal := ""
		if n == 10_000 {
			goal = "≤ 3 s, ≤ 200 MB"
		}
		t.add(fmt.Sprintf("batch of %d: open, review, sign, write", n), seconds(took),
			fmt.Sprintf("%s; file %.1f MB; memory %d MB", compared, float64(size)/1e6, peak>>20), goal)
	}
	return nil
}

// batch returns the time of a whole session beyond the password, the size of
// the request file, and the memory that the system lent while it ran.
func batch(n int) (took time.Duration, size int, peak uint64, err error) {
	p := newPurse()
	defer p.close()
	relay, err := identity.New(rand.Reader)
	if err != nil {
		return 0, 0, 0, err
	}
	own, err := p.wallet.Identity()
	if err != nil {
		return 0, 0, 0, err
	}
	r := bundle.Request{Signer: own.Public(), Created: 1_790_000_000}
	for i := range n {
		item, raws := p.item(i, 1)
		item.Context = chainContext(len(r.Attached(chainutxo.Name)))
		r.Items = append(r.Items, item)
		r.Attach(chainutxo.Name, raws...)
	}
	sealed, err := bundle.SealRequest(r, relay)
	if err != nil {
		return 0, 0, 0, err
	}
	file := bytes.Clone(sealed.File)
	r, sealed = bundle.Request{}, bundle.SealedRequest{}
	runtime.GC()
	files := ledger.NewFiles(durable.OS{}, filepath.Join(p.dir, "ledger"))
	book, err := ledger.Create(files, ledger.OwnerOf(own), time.Now)
	if err != nil {
		return 0, 0, 0, err
	}
	s := &offline.Session{Keys: p.wallet, Identity: own, Paired: func(identity.Public) bool { return true },
		Ledger: book, Random: rand.Reader, Policy: policy.Default(sign.Families{utxo.Signer{Chains: []chain.ID{chain.BTC}}}),
		Signers: []sign.Signer{utxo.Signer{Chains: []chain.ID{chain.BTC}}}}
	stop := watchMemory(&peak)
	defer stop()
	start := time.Now()
	if err := session(s, file, p.dir); err != nil {
		return 0, 0, 0, err
	}
	took = time.Since(start)
	return took, len(file), peak, nil
}

// chainContext points the one input of an item to a previous transaction.
func chainContext(at int) []byte {
	var b []byte
	for n := uint64(at) + 1; ; n >>= 7 {
		if n < 0x80 {
			return append(b, byte(n))
		}
		b = append(b, byte(n)|0x80)
	}
}

func session(s *offline.Session, file []byte, dir string) error {
	judged, err := s.Judge(file)
	if err != nil {
		return err
	}
	if err := judged.Batch.Text(io.Discard); err != nil {
		return err
	}
	done, err := s.Sign(judged, policy.Agree(judged.Request.Digest), "typed")
	if err != nil {
		return err
	}
	if _, refused := done.Count(); refused > 0 {
		return fmt.Errorf("%d items were refused: %v", refused, done.Outcomes[0].Err)
	}
	return durable.Create(durable.OS{}, filepath.Join(dir, "result.kmsres"), done.Result.File, durable.PermFile, nil)
}

// watchMemory keeps the highest resident size that Linux reports, until stop.
func watchMemory(peak *uint64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			*peak = max(*peak, resident())
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-ended }
}

func resident() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages uint64
	if _, err := fmt.Fscan(strings.NewReader(string(b)), &size, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
