package fraud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Outcome is what a review says of a batch.
type Outcome struct {
	FirstPage bool // a planted item is on the first page, or refused
	Flagged   bool // a planted item is to be looked at, or refused
	Looks     int  // items that are to be looked at and are not planted
	Refused   int  // items that are refused, and are neither planted nor junk
	Clean     int  // items that are neither planted nor junk

	ByCode map[chain.Code]int // of Looks
}

// Review judges the batch of a company, with its past in a ledger or without.
func Review(c *Company, coins policy.Coins, p policy.Policy, past bool) (Outcome, error) {
	book, err := c.ledger(coins, past)
	if err != nil {
		return Outcome{}, err
	}
	digest := bundle.Digest(sha256.Sum256([]byte("now")))
	subjects := make([]policy.Subject, len(c.Now.Txs))
	batch := review.Batch{Label: p.Label, Items: make([]review.Item, len(subjects))}
	for i, t := range c.Now.Txs {
		subjects[i] = subject(coins, t)
	}
	of := policy.Circumstances{Batch: digest, Created: c.Now.Unix, Offline: true}
	for i, v := range p.Judge(subjects, of, offline.History{Ledger: book}) {
		batch.Items[i] = review.Item{ID: subjects[i].ID, Coin: subjects[i].Facts.Coin, Facts: &subjects[i].Facts,
			Refusals: v.Refusals, Findings: v.Findings}
	}
	return c.outcome(batch), nil
}

func (c *Company) outcome(b review.Batch) Outcome {
	o := Outcome{ByCode: map[chain.Code]int{}}
	for _, u := range b.Unusual(review.FirstPage) {
		o.FirstPage = o.FirstPage || c.Now.Txs[u.Item].Fraud
	}
	for i, it := range b.Items {
		t, standing := c.Now.Txs[i], it.Standing()
		switch {
		case t.Fraud:
			o.FirstPage = o.FirstPage || standing == review.Refused
			o.Flagged = o.Flagged || standing <= review.Look
		case t.Junk:
		default:
			o.Clean++
			if standing == review.Refused {
				o.Refused++
			} else if standing == review.Look {
				o.Looks++
				look, _ := it.Sorted()
				for _, r := range look {
					o.ByCode[r.Code]++
				}
			}
		}
	}
	return o
}

const wallet = "00000000-0000-4000-8000-000000000001"

func coinOf(t Tx) chain.Coin { return chain.Coin{Chain: coins[t.Coin], Network: chain.Mainnet} }

// subject is a transaction as the signer computes it.
func subject(of policy.Coins, t Tx) policy.Subject {
	coin, _ := of.Coin(coinOf(t))
	asset, key := coin.Asset(), &chain.Key{SignatureID: wallet, Index: chain.NoIndex}
	f := chain.Facts{Coin: coinOf(t), Asset: asset, Fee: chain.NewAmount(t.Fee), Size: t.Size, Unit: "vB",
		Exclusive: []string{t.ID + ":0"}}
	sum := t.Fee + t.Change + t.Own
	for _, o := range t.Outs {
		sum += o.Amount
		f.Movements = append(f.Movements, chain.Movement{To: o.At, Address: o.At, Lock: []byte(o.At), Kind: "P2WPKH",
			Asset: asset, Amount: chain.NewAmount(o.Amount)})
	}
	if t.Change > 0 {
		f.Movements = append(f.Movements, chain.Movement{To: "own", Address: "own", Kind: "P2WPKH", Asset: asset,
			Amount: chain.NewAmount(t.Change), Change: chain.NewAmount(t.Change), Own: key})
	}
	if t.Own > 0 {
		f.Movements = append(f.Movements, chain.Movement{To: "other", Address: "other", Kind: "P2WPKH", Asset: asset,
			Amount: chain.NewAmount(t.Own), Own: &chain.Key{SignatureID: wallet, Index: 9}})
	}
	f.Sources = []chain.Source{{ID: t.ID + ":0", Address: "own", Kind: "P2WPKH", Asset: asset,
		Amount: chain.NewAmount(sum), Proven: true, Own: !t.Junk, Key: key}}
	content := sha256.Sum256([]byte(t.ID))
	return policy.Subject{ID: t.ID, Content: content, Bare: content, Facts: f}
}

// ledger has the past of a company as a signer writes it down.
func (c *Company) ledger(of policy.Coins, past bool) (*ledger.Ledger, error) {
	now := time.Unix(c.Past[0].Unix-3600, 0)
	id, err := identity.FromSeed(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	book, err := ledger.Create(&memory{}, ledger.OwnerOf(id), func() time.Time { return now })
	if err != nil {
		return nil, err
	}
	for n, b := range c.Past {
		if !past {
			break
		}
		now = time.Unix(b.Unix, 0)
		digest := sha256.Sum256(fmt.Append(nil, n))
		lines := make([]ledger.Line, len(b.Txs))
		for i, t := range b.Txs {
			lines[i] = signed(subject(of, t), digest)
		}
		if err := book.Append(lines...); err != nil {
			return nil, err
		}
	}
	now = time.Unix(c.Now.Unix, 0)
	return book, nil
}

func signed(s policy.Subject, batch [sha256.Size]byte) ledger.Line {
	line := ledger.Line{Kind: ledger.KindSigned, ID: s.ID, Request: hex.EncodeToString(batch[:]), Chain: s.Facts.Chain,
		Network: s.Facts.Network.String(),
		Content: hex.EncodeToString(s.Content[:]), TxID: hex.EncodeToString(s.Content[:]),
		Final: hex.EncodeToString(s.Content[:]),
		Spent: s.Facts.Exclusive, Fee: &s.Facts.Fee, Size: s.Facts.Size}
	line.From = []ledger.Supply{{Key: wallet, Value: s.Facts.Spent()}}
	for _, m := range s.Facts.Movements {
		if !m.IsChange() {
			line.Paid = append(line.Paid, ledger.Payment{To: m.To, Value: m.Paid()})
		}
		if m.Own != nil {
			line.Own = append(line.Own, ledger.Own{Key: m.Own.SignatureID, To: m.To, Value: m.Amount, Change: m.Change})
		}
	}
	return line
}

// memory is a ledger.Storage.
type memory struct{ lines, mark []byte }

func (m *memory) Load() ([]byte, error)       { return m.lines, nil }
func (m *memory) Append(lines []byte) error   { m.lines = append(m.lines, lines...); return nil }
func (m *memory) Truncate(size int64) error   { m.lines = m.lines[:size]; return nil }
func (m *memory) LoadMark() ([]byte, error)   { return m.mark, nil }
func (m *memory) StoreMark(mark []byte) error { m.mark = mark; return nil }
