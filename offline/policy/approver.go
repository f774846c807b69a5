package policy

import (
	"fmt"
	"slices"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

func approverRule() rule {
	return rule{
		parse: func(f *file, _ Coins) error { return f.Approvers.normalise() },
		judge: (*judgement).approvals,
		fresh: true,
		words: func(p Policy) []string { return p.file.Approvers.explain() },
	}
}

// ApproverName returns the name that policy has for an approver's key, which may
// be none. ok is false for a key that is no approver's.
func (p Policy) ApproverName(key identity.Public) (name string, ok bool) {
	if p.file.Approvers == nil {
		return "", false
	}
	for _, a := range p.file.Approvers.Keys {
		if identity.Public(a.Key) == key {
			return a.Name, true
		}
	}
	return "", false
}

// approvals counts the approvers who vouch for the content.
func (j *judgement) approvals() {
	a := j.policy.file.Approvers
	if a == nil {
		return
	}
	vouched := make(map[publicKey]bool)
	for _, key := range j.subject.Vouched {
		vouched[publicKey(key)] = true
	}
	n := 0
	for _, k := range a.Keys {
		if vouched[k.Key] {
			n++
		}
	}
	if n < a.Needed {
		j.refuse(chain.ApprovalMissing, "%d of the approvers vouch for it, policy needs %d of %d", n, a.Needed, len(a.Keys))
	}
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
	named := map[string]bool{}
	for _, k := range a.Keys {
		name := strings.ToLower(k.Name)
		if name != "" && named[name] {
			return fmt.Errorf("approvers: two have the name %q: "+
				"give each a name of its own, for a person to tell them apart", k.Name)
		}
		named[name] = true
	}
	slices.SortFunc(a.Keys, func(a, b approver) int { return slices.Compare(a.Key[:], b.Key[:]) })
	for i := range a.Keys {
		if i > 0 && a.Keys[i].Key == a.Keys[i-1].Key {
			return fmt.Errorf("approvers: key %x is there twice", a.Keys[i].Key)
		}
	}
	return nil
}

func (a *approvers) explain() []string {
	if a == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("Each item needs the word of %d of %d approvers.", a.Needed, len(a.Keys))}
	for _, k := range a.Keys {
		lines = append(lines, fmt.Sprintf("An approver is %x%s.", k.Key, quoted(k.Name)))
	}
	return lines
}
