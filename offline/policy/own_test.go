package policy

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"coldkms/shared/chain"
)

// near knows the indices up to 20, and 300.
type near struct{}

func (near) Reaches(_ string, index int64) bool { return index <= 20 || index == 300 }

var entries = [...]string{"A", "B", "C", "D", "mnemonic"}

func key(r *rand.Rand) *chain.Key {
	id := entries[r.IntN(len(entries))]
	if id != "mnemonic" {
		return &chain.Key{SignatureID: id, Index: chain.NoIndex}
	}
	return &chain.Key{SignatureID: id, Index: []int64{0, 3, 20, 21, 300, 301, chain.MaxIndex}[r.IntN(7)]}
}

// ownFacts is a random transaction between own keys and strangers, whose sums
// are in order.
func ownFacts(r *rand.Rand) chain.Facts {
	f := chain.Facts{Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Size: 200}
	left := int64(0)
	for range 1 + r.IntN(4) {
		value := 1 + r.Int64N(1000)
		left += value
		f.Sources = append(f.Sources, chain.Source{ID: fmt.Sprint(r.Int64()), Kind: "P2WPKH", Amount: chain.NewAmount(uint64(value)), Proven: true, Own: true, Key: key(r)})
	}
	for range r.IntN(5) {
		out := chain.Movement{To: fmt.Sprint("to", r.IntN(3)), Address: fmt.Sprint("to", r.IntN(3)), Kind: "P2WPKH", Amount: chain.NewAmount(uint64(1 + r.Int64N(left+1)))}
		if r.IntN(4) > 0 {
			out.Own, out.Unspendable = key(r), r.IntN(20) == 0
			out.To, out.Address = describe(*out.Own), describe(*out.Own)
		}
		if value := small(out.Amount); value <= left {
			left -= value
			f.Movements = append(f.Movements, out)
		}
	}
	f.Fee = chain.NewAmount(uint64(left))
	return f
}

// Whatever a request asks for: no funds of one entry end in another without a
// finding, and what is counted is exactly what leaves the entries that supply
// it, the fee included.
//
//	KMS_CASES=100000 go test ./offline/policy -run OwnTransferProperties -v
func TestOwnTransferProperties(t *testing.T) {
	cases, seed := number(t, "KMS_CASES", 20_000), number(t, "KMS_SEED", 1)
	grouped := mustParse(t, one(`"newDestination": "allow", "ownTransfers": {"groups": [["A", "B"]]}`, ""))
	alone := mustParse(t, one(`"newDestination": "allow"`, ""))
	flagged := 0
	for n := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
		p, unit := alone, func(id string) string { return id }
		if r.IntN(2) == 0 {
			p, unit = grouped, func(id string) string {
				if id == "A" {
					return "B"
				}
				return id
			}
		}
		f := ownFacts(r)
		if r.IntN(2) == 0 {
			r.Shuffle(len(f.Movements), func(i, j int) { f.Movements[i], f.Movements[j] = f.Movements[j], f.Movements[i] })
		}
		p.Balance(&f, near{})
		s := Subject{ID: "id", Content: [32]byte{1}, Facts: f}
		codes := judge(p, s, knowing("to0", "to1", "to2")).Codes()
		said := slices.Contains(codes, chain.OwnTransfer) || slices.Contains(codes, chain.FarIndex)
		moved, leaves := balance(f, unit)
		if moved > 0 && !said {
			t.Fatalf("case %d of seed %d: %d of one entry ends in another, and nothing is said: %+v", n, seed, moved, f)
		}
		j := judgement{batch: &batch{policy: p}, subject: &s}
		counted, _ := j.pays()
		if want := chain.NewAmount(uint64(leaves)); counted.sum != want || f.Paid().Plus(f.Fee) != want {
			t.Fatalf("case %d of seed %d: %d is counted, %d leaves: %+v", n, seed, counted.sum, leaves, f)
		}
		for _, out := range f.Movements {
			if !out.Change.IsZero() && (out.Unspendable || out.Own == nil) || out.Change.Cmp(out.Amount) > 0 {
				t.Fatalf("case %d of seed %d: change of %+v", n, seed, out)
			}
		}
		if said {
			flagged++
		}
	}
	fmt.Printf("own transfers: %d cases, 0 counter-examples, %d flagged or refused (seed %d)\n", cases, flagged, seed)
	if flagged < int(cases)/10 || flagged > int(cases)*9/10 {
		t.Errorf("%d of %d are flagged: the cases are one-sided", flagged, cases)
	}
}

// small is an amount that fits.
func small(a chain.Amount) int64 {
	v, ok := a.Int64()
	if !ok {
		panic("a large amount")
	}
	return v
}

// balance adds up by itself how much units of entries gain together, and how
// much those that lose lose. An unspendable output is nobody's; one at an index
// that is not known is its entry's as far as the very same address supplied it.
func balance(f chain.Facts, unit func(string) string) (moved, leaves int64) {
	supplied, received := map[string]int64{}, map[string]int64{}
	byAddress := map[string]int64{}
	for _, in := range f.Sources {
		supplied[unit(in.Key.SignatureID)] += small(in.Amount)
		byAddress[fmt.Sprint(*in.Key, in.Kind, in.Address)] += small(in.Amount)
	}
	// The greatest amount that may stay is found output by output, as they come.
	stays := int64(0)
	left := map[string]int64{}
	for id, v := range supplied {
		left[id] = v
	}
	for _, out := range f.Movements {
		if out.Own == nil || out.Unspendable {
			continue
		}
		id, at := unit(out.Own.SignatureID), fmt.Sprint(*out.Own, out.Kind, out.Address)
		received[id] += small(out.Amount)
		most := min(small(out.Amount), left[id])
		if out.Own.Index >= 0 && !(near{}).Reaches("", out.Own.Index) {
			most = min(most, byAddress[at])
		}
		left[id] -= most
		byAddress[at] = max(0, byAddress[at]-most)
		stays += most
	}
	for id, v := range received {
		moved += max(0, v-supplied[id])
	}
	return moved, small(f.Spent()) - stays
}

// A policy file that has no rule about own transfers, and says nothing of a
// fee in coins, is the same file as before, with the same hash.
func TestOldPolicyKeepsItsHash(t *testing.T) {
	p := mustParse(t, `{"version": 1, "chains": [{"chain": "BTC", "network": "testnet"}]}`)
	canonical, err := p.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "version": 1,
  "chains": [
    {
      "chain": "BTC",
      "network": "testnet",
      "maxFeeRate": 1000
    }
  ],
  "unlisted": "allow",
  "newDestination": "flag",
  "lookAlike": "flag",
  "samePayment": "flag",
  "unproven": "refuse",
  "replacement": "refuse",
  "data": "flag",
  "nonstandard": "flag",
  "lockTime": "flag",
  "replaceable": "flag",
  "requireOffline": false
}
`
	sum := sha256.Sum256([]byte(want))
	if string(canonical) != want || !bytes.Equal(p.Hash(), sum[:]) {
		t.Errorf("hash %x of\n%s", p.Hash(), canonical)
	}
}

// A file that names neither ownTransfers nor requireLedgerCheck has the hash that
// it had before there were such rules: wallets, ledgers and approvals name it.
func TestHashWithoutTheLaterRules(t *testing.T) {
	p, err := Parse(utxoCoins{}, []byte(`{"version": 1, "name": "payroll", "chains": [{"chain": "BTC", "network": "testnet", "maxFeeRate": 500,
		"limits": [{"per": "day", "sum": 1000000}], "quorum": [{"per": "batch", "above": 50000, "operators": 2}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "562d0f6983b67986cf1a2ec3c1c9b400f8ae9ac6f254dcbe68aaa116479d758c"
	if got := fmt.Sprintf("%x", p.Hash()); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

// The rule in its one form, and what is no rule.
func TestOwnTransfersFile(t *testing.T) {
	p := mustParse(t, one(`"ownTransfers": {"groups": [["d", "c"], ["b", "a"]]}`, ""))
	same := mustParse(t, one(`"ownTransfers": {"mode": "look", "farIndex": "refuse", "groups": [["a", "b"], ["c", "d"]]}`, ""))
	if !bytes.Equal(p.Hash(), same.Hash()) {
		t.Error("the order of groups, or a default, changes the hash")
	}
	if canonical, err := p.Canonical(); err != nil {
		t.Fatal(err)
	} else if _, err := Load(utxoCoins{}, canonical); err != nil {
		t.Error(err)
	}
	for _, rule := range []string{`{"mode": "flag"}`, `{"farIndex": ""}`, `{"groups": [["a"]]}`, `{"groups": [["a", "a"]]}`, `{"groups": [["a", "b"], ["b", "c"]]}`, `{"groups": [["a", ""]]}`, `{"groups": [["a", "\u202e"]]}`, `{"group": []}`} {
		if _, err := Parse(utxoCoins{}, []byte(one(`"ownTransfers": `+rule, ""))); err == nil {
			t.Errorf("%s is taken", rule)
		}
	}
}

// A claim supplies nothing, unless every input is taproot and so commits to it.
func TestClaimSuppliesNothing(t *testing.T) {
	own := &chain.Key{SignatureID: "A", Index: chain.NoIndex}
	for _, c := range []struct {
		kind   string
		proven bool
		change int64
	}{{"P2WPKH", true, 10}, {"P2WPKH", false, 0}, {"P2TR", false, 10}} {
		f := chain.Facts{Sources: []chain.Source{{Kind: c.kind, Commits: c.kind == "P2TR", Proven: c.proven, Amount: chain.NewAmount(20), Own: true, Key: own}}, Movements: []chain.Movement{{Amount: chain.NewAmount(10), Own: own}}}
		Default(utxoCoins{}).Balance(&f, near{})
		if f.Movements[0].Change != chain.NewAmount(uint64(c.change)) {
			t.Errorf("%+v: change %d", c, f.Movements[0].Change)
		}
	}
}
