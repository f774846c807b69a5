// Package policy judges what transactions do. It sees facts that were
// computed from the transactions, never what someone said about them, and what
// the ledger remembers. Nothing can be signed without an Approval, and only
// this package makes one.
//
// A policy is a file (docs/POLICY.md); what it does not name is refused. The
// items of a batch are judged together, so that a limit counts what the whole
// batch pays and neither order nor splitting changes a verdict. Every error is
// a refusal, and the zero values of Policy, Verdict, Consent and Approval
// allow nothing.
package policy

import (
	"bytes"
	"crypto/sha256"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Policy is a set of rules. The zero Policy allows nothing.
type Policy struct {
	of    Coins
	file  file
	coins map[chain.Coin]coinRules
	allow map[destination]string // → label
	terms map[destination]entry  // of allow, those with a limit or a rhythm
	deny  denied
	group map[string]string // signature id → what its group of entries is called here
	hash  []byte            // of the canonical file; none: the built-in default
}

// destination is where a movement goes, by its canonical name and as in
// the lines of the ledger.
type destination struct {
	chain.Coin
	to string
}

// Default are the rules in force before anyone sets others: every item needs
// a person's consent, amounts must be proven, the fee rate is capped for each
// coin, dust is refused, an outpoint is signed once; what is unusual is
// flagged.
func Default(coins Coins) Policy {
	f := file{Version: version, Chains: everyCoin(coins)}
	f.fill(coins)
	p, err := compile(coins, f)
	if err != nil {
		return Policy{} // allows nothing; a test sees to it that this is dead
	}
	p.hash = nil
	return p
}

// Hash identifies a policy: SHA-256 of its canonical file. The built-in
// default has none.
func (p Policy) Hash() []byte { return bytes.Clone(p.hash) }

// Canonical is the file in its one encoding, with every default spelled out.
func (p Policy) Canonical() ([]byte, error) { return p.file.encode() }

// Approvers are the keys of those who may vouch for the content of an item.
func (p Policy) Approvers() []identity.Public {
	var keys []identity.Public
	if p.file.Approvers != nil {
		for _, a := range p.file.Approvers.Keys {
			keys = append(keys, identity.Public(a.Key))
		}
	}
	return keys
}

// MostOperators returns how many operators the largest quorum wants; 0 if
// there is none.
func (p Policy) MostOperators() (most int) {
	for _, coin := range p.file.Chains {
		for _, q := range coin.Quorum {
			most = max(most, q.Operators)
		}
	}
	return most
}

// Name is the name that the file has for itself; it may be empty.
func (p Policy) Name() string { return p.file.Name }

// RequiresLedgerCheck reports whether a PSBT is signed only after a person has
// named the length of the ledger.
func (p Policy) RequiresLedgerCheck() bool { return p.file.LedgerCheck }

// RequiresOffline reports whether all network interfaces have to be down to sign.
func (p Policy) RequiresOffline() bool { return p.file.RequireOffline }

// Label returns what the policy calls a destination that it lists; "" if it has
// no name for it.
func (p Policy) Label(coin chain.Coin, to string) string { return p.allow[destination{coin, to}] }

// coin returns what is asked about a coin.
func (p Policy) coin(c chain.Coin) (Coin, bool) {
	if p.of == nil {
		return nil, false // the zero Policy
	}
	return p.of.Coin(c)
}

// compile makes a file's lists ready to be asked. The file is normal.
func compile(coins Coins, f file) (Policy, error) {
	canonical, err := f.encode()
	if err != nil {
		return Policy{}, err
	}
	sum := sha256.Sum256(canonical)
	p := Policy{of: coins, file: f, coins: make(map[chain.Coin]coinRules), allow: index(f.Allow),
		terms: terms(f.Allow), deny: deny(coins, f.Deny), group: f.OwnTransfers.index(), hash: sum[:]}
	for _, c := range f.Chains {
		if c.MaxFee == nil { // not spelled out in the file, whose hash it would change
			coin, _ := coins.Coin(c.coin())
			fee := coin.FeeCap()
			c.MaxFee = &fee
		}
		p.coins[c.coin()] = c
	}
	return p, nil
}

func index(list []entry) map[destination]string {
	m := make(map[destination]string, len(list))
	for _, e := range list {
		m[e.destination()] = e.Label
	}
	return m
}

// terms are the entries of a list that say more than that they are known.
func terms(list []entry) map[destination]entry {
	m := make(map[destination]entry)
	for _, e := range list {
		if e.Limit != nil || e.EveryDays != nil {
			m[e.destination()] = e
		}
	}
	return m
}
