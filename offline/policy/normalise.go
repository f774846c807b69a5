package policy

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode"

	"coldkms/shared/chain"
)

// Bounds of what a file says.
const (
	maxName      = 100 // characters of a name or label
	maxPercent   = 10_000
	maxCount     = math.MaxInt64 - 1
	maxAgeHours  = 10 * 366 * 24
	maxOperators = 16
	maxApprovers = 16
	maxScript    = 10_000 // bytes (Bitcoin Core's MAX_SCRIPT_SIZE)
)

// normalise checks a file and gives it its one form: lists sorted, addresses
// as the coin writes them.
func (f *file) normalise(coins Coins) error {
	if f.Version != version {
		return fmt.Errorf("version %d is not known to this program: it reads version %d", f.Version, version)
	}
	if f.Chains == nil {
		return errors.New(`"chains" is missing: it lists what is signed for`)
	}
	if age := f.MaxRequestAge; age != nil && (*age < 1 || *age > maxAgeHours) {
		return fmt.Errorf("maxRequestAgeHours of %d: 1 to %d, or leave it out", *age, maxAgeHours)
	}
	if err := checkName(f.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	for _, m := range f.modes() {
		if m.strict && *m.mode == modeAllow {
			return fmt.Errorf(`%s can be "flag" or "refuse"`, m.name)
		}
	}
	if err := f.normaliseChains(coins); err != nil {
		return err
	}
	if err := normaliseList(coins, "allow", f.Allow); err != nil {
		return err
	}
	if err := normaliseList(coins, "deny", f.Deny); err != nil {
		return err
	}
	if err := f.OwnTransfers.normalise(); err != nil {
		return err
	}
	return f.Approvers.normalise()
}

// checkName lets through what looks the same everywhere.
func checkName(s string) error {
	n := 0
	for _, r := range s {
		if n++; !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return fmt.Errorf("the character %U cannot be seen", r)
		}
	}
	if n > maxName {
		return fmt.Errorf("%d characters, at most %d", n, maxName)
	}
	return nil
}

func (f *file) normaliseChains(coins Coins) error {
	seen := make(map[chain.Coin]bool)
	for i := range f.Chains {
		c := &f.Chains[i]
		at := c.coin()
		coin, ok := coins.Coin(c.coin())
		if !ok {
			return fmt.Errorf("chains: %.20q %.20q is not a coin and network that this program signs for", string(c.Chain), c.Network)
		}
		if seen[at] {
			return fmt.Errorf("chains: %s is there twice", at)
		}
		seen[at] = true
		if err := c.normalise(coin.Largest()); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	slices.SortFunc(f.Chains, func(a, b coinRules) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Network, b.Network))
	})
	return nil
}

func (c *coinRules) normalise(most chain.Amount) error {
	switch {
	case !upTo(c.MaxFeeRate, most) || c.MaxFeeRate.IsZero():
		return fmt.Errorf("maxFeeRate of %s: at least 1", *c.MaxFeeRate)
	case !upTo(c.MaxFee, most):
		return errors.New("maxFee is out of range")
	case !within(c.MaxFeePercent, maxPercent):
		return fmt.Errorf("maxFeePercent: 0 to %d", maxPercent)
	}
	if err := normaliseLimits("limits", c.Limits, most); err != nil {
		return err
	}
	if err := normaliseLimits("destinationLimits", c.DestinationLimits, most); err != nil {
		return err
	}
	if err := normaliseQuorum(c.Quorum, most); err != nil {
		return err
	}
	return c.normaliseTokens()
}

func upTo(v *chain.Amount, most chain.Amount) bool { return v == nil || v.Cmp(most) <= 0 }

func within(v *int64, limit int64) bool { return v == nil || (*v >= 0 && *v <= limit) }

func normaliseLimits(name string, list []limit, most chain.Amount) error {
	for _, l := range list {
		switch {
		case l.Per.order() < 0:
			return fmt.Errorf(`%s: per is %.20q: it can be "transaction", "batch", "day" or "week"`, name, string(l.Per))
		case l.Sum == nil && l.Count == nil:
			return fmt.Errorf(`%s per %s: neither "sum" nor "count"`, name, l.Per)
		case !upTo(l.Sum, most) || !within(l.Count, maxCount):
			return fmt.Errorf("%s per %s: out of range", name, l.Per)
		}
	}
	slices.SortFunc(list, func(a, b limit) int { return cmp.Compare(a.Per.order(), b.Per.order()) })
	for i := range list {
		if i > 0 && list[i].Per == list[i-1].Per {
			return fmt.Errorf("%s: per %s is there twice", name, list[i].Per)
		}
	}
	return nil
}

func normaliseQuorum(list []quorum, most chain.Amount) error {
	for _, q := range list {
		switch {
		case q.Per.order() < 0:
			return fmt.Errorf(`quorum: per is %.20q: it can be "transaction", "batch", "day" or "week"`, string(q.Per))
		case !upTo(&q.Above, most):
			return fmt.Errorf("quorum per %s: above is out of range", q.Per)
		case q.Operators < 1 || q.Operators > maxOperators:
			return fmt.Errorf("quorum per %s: %d operators, 1 to %d", q.Per, q.Operators, maxOperators)
		}
	}
	slices.SortFunc(list, func(a, b quorum) int {
		return cmp.Or(cmp.Compare(a.Per.order(), b.Per.order()), a.Above.Cmp(b.Above))
	})
	for i := range list {
		if i > 0 && list[i].Per == list[i-1].Per && list[i].Above == list[i-1].Above {
			return fmt.Errorf("quorum: per %s above %s is there twice", list[i].Per, list[i].Above)
		}
	}
	return nil
}

// normaliseTokens checks the rules for tokens. Nobody knows how much there is of
// one.
func (c *coinRules) normaliseTokens() error {
	for i := range c.Tokens {
		t := &c.Tokens[i]
		if t.Token == "" || checkName(t.Token) != nil {
			return fmt.Errorf("tokens: %.40q is no token", t.Token)
		}
		if err := normaliseLimits("limits of a token", t.Limits, chain.MaxAmount().Minus(chain.NewAmount(1))); err != nil {
			return err
		}
	}
	slices.SortFunc(c.Tokens, func(a, b tokenRules) int { return cmp.Compare(a.Token, b.Token) })
	for i := range c.Tokens {
		if i > 0 && c.Tokens[i].Token == c.Tokens[i-1].Token {
			return fmt.Errorf("tokens: %.40q is there twice", c.Tokens[i].Token)
		}
	}
	return nil
}

// order sorts windows, the shortest first; -1 for one that is none.
func (w window) order() int {
	return slices.Index([]window{perTransaction, perBatch, perDay, perWeek}, w)
}

// normaliseList brings each entry into the form that its destination has in
// facts and in the ledger, so that all ways to write an address are equal.
func normaliseList(coins Coins, name string, list []entry) error {
	for i := range list {
		if err := list[i].normalise(coins); err != nil {
			return fmt.Errorf("%s, entry %d: %w", name, i+1, err)
		}
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Network, b.Network), cmp.Compare(a.destination().to, b.destination().to))
	})
	for i := range list {
		if i > 0 && list[i].destination() == list[i-1].destination() {
			return fmt.Errorf("%s: %s is there twice", name, list[i].destination().to)
		}
	}
	return nil
}

func (e *entry) normalise(coins Coins) error {
	if err := checkName(e.Label); err != nil {
		return fmt.Errorf("label: %w", err)
	}
	coin, ok := coins.Coin(e.coin())
	if !ok {
		return fmt.Errorf("%.20q %.20q is not a coin and network that this program signs for", string(e.Chain), e.Network)
	}
	lock, err := e.read(coin)
	if err != nil {
		return err
	}
	e.lock, e.name = lock, coin.NameOf(lock)
	if e.Address, e.Script = coin.Address(lock), ""; e.Address == "" {
		e.Script = hex.EncodeToString(lock)
	}
	return nil
}

// read returns the lock that an entry names.
func (e *entry) read(coin Coin) ([]byte, error) {
	if (e.Address == "") == (e.Script == "") {
		return nil, errors.New(`either "address" or "script"`)
	}
	if e.Address != "" {
		return coin.LockOf(e.Address)
	}
	script, err := hex.DecodeString(e.Script)
	if err != nil || len(script) > maxScript {
		return nil, errors.New("script is a scriptPubKey in hexadecimal digits")
	}
	return script, nil
}

func (a *approvers) normalise() error {
	if a == nil {
		return nil
	}
	if a.Needed < 1 || a.Needed > len(a.Keys) || len(a.Keys) > maxApprovers {
		return fmt.Errorf("approvers: %d needed of %d keys: 1 or more, of at most %d", a.Needed, len(a.Keys), maxApprovers)
	}
	for _, k := range a.Keys {
		if err := checkName(k.Name); err != nil {
			return fmt.Errorf("approvers: name: %w", err)
		}
	}
	slices.SortFunc(a.Keys, func(a, b approver) int { return slices.Compare(a.Key[:], b.Key[:]) })
	for i := range a.Keys {
		if i > 0 && a.Keys[i].Key == a.Keys[i-1].Key {
			return fmt.Errorf("approvers: key %x is there twice", a.Keys[i].Key)
		}
	}
	return nil
}
