// Package signtest has the tests that every family of chains passes.
package signtest

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Sample is a signer with sound items, all of whose sources the keys sign for.
type Sample struct {
	Signer sign.Signer
	Keys   sign.Keys
	Items  []bundle.Item
	Parts  [][]byte // what a Request carries for the family
}

// Run checks that a family keeps what the rest of the program rests on.
func Run(t *testing.T, s Sample) {
	opened, err := s.Signer.Open(s.Parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range s.Items {
		t.Run(item.ID, func(t *testing.T) {
			of, known := s.Signer.Coin(item.Coin)
			if !known || !slices.Contains(s.Signer.Coins(), item.Coin) || item.Family != s.Signer.Family() {
				t.Fatalf("%s of %s is not its own", item.Coin, item.Family)
			}
			job, err := opened.Prepare(item, s.Keys)
			if err != nil {
				t.Fatal(err)
			}
			subject := job.Subject()
			if subject.ID != item.ID || subject.Content == [32]byte{} {
				t.Errorf("subject %s with content %x", subject.ID, subject.Content)
			}
			if sources, movements := s.Signer.Count(item); sources < 1 || movements > len(subject.Facts.Movements) {
				t.Errorf("counted %d and %d", sources, movements)
			}
			if of.Asset() != subject.Facts.Asset || subject.Facts.Asset.Coin != item.Coin || subject.Facts.Coin != item.Coin {
				t.Errorf("the coin is %v, its asset %v, by policy %v", subject.Facts.Coin, subject.Facts.Asset, of.Asset())
			}
			checkFacts(t, subject.Facts)
			again, err := opened.Prepare(item, s.Keys)
			if err != nil || again.Subject().Content != subject.Content {
				t.Errorf("the same item is another content: %v", err)
			}
			checkSigning(t, job, again)
			checkFlips(t, opened, item, s.Keys, subject.Content)
		})
	}
}

// checkFacts checks what policy, review and ledger believe of facts.
func checkFacts(t *testing.T, f chain.Facts) {
	seen := make(map[string]bool)
	for _, id := range f.Exclusive {
		if id == "" || seen[id] {
			t.Errorf("exclusive id %q", id)
		}
		seen[id] = true
	}
	for i, s := range f.Sources {
		if s.ID == "" || s.Asset.Coin != f.Coin || s.Own != (s.Key != nil) {
			t.Errorf("source %d: %+v", i, s)
		}
	}
	leaves := f.Fee
	for i, m := range f.Movements {
		if m.To == "" || m.Asset.Coin != f.Coin || m.Change.Cmp(m.Amount) > 0 {
			t.Errorf("movement %d: %+v", i, m)
		}
		if m.Asset.Token == "" {
			leaves = leaves.Plus(m.Amount)
		}
	}
	if leaves != f.Spent() {
		t.Errorf("%s is supplied, and %s moves, the fee included", f.Spent(), leaves)
	}
	for _, r := range f.Findings {
		of := map[chain.Part]int{chain.Whole: 1, chain.OfFee: 1, chain.OfSource: len(f.Sources), chain.OfMovement: len(f.Movements)}
		if r.Code == "" || r.Text() == "" || r.At.Index >= of[r.At.Part] {
			t.Errorf("finding %+v", r)
		}
	}
}

// checkSigning checks that nothing is signed without an approval, and that what
// is signed is the same again.
func checkSigning(t *testing.T, job, again sign.Job) {
	if _, err := job.Sign(none()); err == nil {
		t.Error("signed without an approval")
	}
	yes := approve(t, job)
	first, err := job.Sign(yes)
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.Sign(yes)
	if err != nil || !bytes.Equal(first.Raw, second.Raw) || first.TxID != second.TxID {
		t.Errorf("signed twice, and the bytes differ: %v", err)
	}
	if b, err := hex.DecodeString(first.TxID); err != nil || len(b) != 32 || len(first.Signatures) == 0 || len(first.Raw) == 0 {
		t.Errorf("signed as %q, %d signatures, %d bytes", first.TxID, len(first.Signatures), len(first.Raw))
	}
}

// checkFlips flips bits of the transaction: what is read is other content.
func checkFlips(t *testing.T, opened sign.Opened, item bundle.Item, keys sign.Keys, content [32]byte) {
	whole := item.Tx
	for at := range whole {
		for bit := range 8 {
			item.Tx = bytes.Clone(whole)
			item.Tx[at] ^= 1 << bit
			if job, err := opened.Prepare(item, keys); err == nil && job.Subject().Content == content {
				t.Fatalf("bit %d of byte %d means nothing", bit, at)
			}
		}
	}
}
