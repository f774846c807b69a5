package policy

import "coldkms/shared/chain"

// SharedKey is a key that signs an item, and that an entry of another coin or
// network holds too, where the same signature may be valid: nothing in it says
// for which of the two it was made, so who asks for it chooses whose rules
// apply.
type SharedKey struct {
	Key, Other chain.Key
	Coin       chain.Coin // of Other
}

func sharedRule() rule {
	return rule{
		judge: (*judgement).shared,
		words: func(p Policy) []string { return []string{explainShared(p.file.SharedKeys)} },
	}
}

// shared judges keys that another coin or network has too. An item for testnet
// would spend coins of mainnet under the rules for what has no value.
func (j *judgement) shared() {
	of := j.subject.Facts
	for _, k := range j.subject.Shared {
		other := k.Coin
		mode := j.policy.file.SharedKeys.mode()
		switch {
		case of.Network == chain.Testnet && k.Coin.Network == chain.Testnet: // nothing of value
			continue
		case mode == "" && of.Network == chain.Testnet:
			mode = modeRefuse
		case mode == "":
			mode = modeFlag
		}
		j.do(mode, chain.SharedKey, "signed with key %s, which is also key %s of %s: the signature is valid there too, so this may spend coins of %s under the rules for %s", describe(k.Key), describe(k.Other), other, other, j.subject.coin())
	}
}

func explainShared(m ownMode) string {
	const (
		about  = "An item that is signed with a key which another coin or network has too "
		except = " Where both are for testnet nothing is said: there is nothing of value."
	)
	switch m {
	case "allow":
		return about + "is let through."
	case "look":
		return about + "is to be looked at." + except
	case "refuse":
		return about + "is refused." + except
	}
	return about + "is refused where it is for testnet and the other is mainnet, and otherwise to be looked at." + except
}
