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
	"coldkms/shared/chain/utxo"
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
func (f *file) normalise() error {
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
	if err := f.normaliseChains(); err != nil {
		return err
	}
	if err := normaliseList("allow", f.Allow); err != nil {
		return err
	}
	if err := normaliseList("deny", f.Deny); err != nil {
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

func (f *file) normaliseChains() error {
	seen := make(map[chain.Coin]bool)
	for i := range f.Chains {
		c := &f.Chains[i]
		at := c.coin()
		if _, ok := paramsOf(c.coin()); !ok {
			return fmt.Errorf("chains: %.20q %.20q is not a coin and network that this program signs for", string(c.Chain), c.Network)
		}
		if seen[at] {
			return fmt.Errorf("chains: %s is there twice", at)
		}
		seen[at] = true
		if err := c.normalise(); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	slices.SortFunc(f.Chains, func(a, b coinRules) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Network, b.Network))
	})
	return nil
}

func (c *coinRules) normalise() error {
	switch {
	case !sensible(c.MaxFeeRate) || c.MaxFeeRate.IsZero():
		return fmt.Errorf("maxFeeRate of %s: at least 1", *c.MaxFeeRate)
	case !sensible(c.MaxFee):
		return errors.New("maxFee is out of range")
	case !within(c.MaxFeePercent, maxPercent):
		return fmt.Errorf("maxFeePercent: 0 to %d", maxPercent)
	}
	if err := normaliseLimits("limits", c.Limits); err != nil {
		return err
	}
	if err := normaliseLimits("destinationLimits", c.DestinationLimits); err != nil {
		return err
	}
	return normaliseQuorum(c.Quorum)
}

// sensible reports whether a sum can be reached by others: a sum that does not
// fit counts as the highest amount.
func sensible(v *chain.Amount) bool { return v == nil || *v != chain.MaxAmount() }

func within(v *int64, limit int64) bool { return v == nil || (*v >= 0 && *v <= limit) }

func normaliseLimits(name string, list []limit) error {
	for _, l := range list {
		switch {
		case l.Per.order() < 0:
			return fmt.Errorf(`%s: per is %.20q: it can be "transaction", "batch", "day" or "week"`, name, string(l.Per))
		case l.Sum == nil && l.Count == nil:
			return fmt.Errorf(`%s per %s: neither "sum" nor "count"`, name, l.Per)
		case !sensible(l.Sum) || !within(l.Count, maxCount):
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

func normaliseQuorum(list []quorum) error {
	for _, q := range list {
		switch {
		case q.Per.order() < 0:
			return fmt.Errorf(`quorum: per is %.20q: it can be "transaction", "batch", "day" or "week"`, string(q.Per))
		case !sensible(&q.Above):
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

// order sorts windows, the shortest first; -1 for one that is none.
func (w window) order() int {
	return slices.Index([]window{perTransaction, perBatch, perDay, perWeek}, w)
}

// normaliseList returns each entry the form that its destination has in facts
// and in the ledger, so that all ways to write an address are equal.
func normaliseList(name string, list []entry) error {
	for i := range list {
		if err := list[i].normalise(); err != nil {
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

func (e *entry) normalise() error {
	if err := checkName(e.Label); err != nil {
		return fmt.Errorf("label: %w", err)
	}
	p, ok := paramsOf(e.coin())
	if !ok {
		return fmt.Errorf("%.20q %.20q is not a coin and network that this program signs for", string(e.Chain), e.Network)
	}
	script, err := e.script(p)
	if err != nil {
		return err
	}
	if e.Address, e.Script = p.Address(script), ""; e.Address == "" {
		e.Script = hex.EncodeToString(script)
	}
	return nil
}

func (e *entry) script(p utxo.Params) ([]byte, error) {
	if (e.Address == "") == (e.Script == "") {
		return nil, errors.New(`either "address" or "script"`)
	}
	if e.Address != "" {
		return p.ScriptOf(e.Address)
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
