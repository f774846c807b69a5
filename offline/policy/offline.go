package policy

import "coldkms/shared/chain"

func offlineRule() rule {
	return rule{judge: (*judgement).surroundings, words: func(p Policy) []string {
		if !p.file.RequireOffline {
			return nil
		}
		return []string{"Nothing is signed while a network interface is up, or where that cannot be told."}
	}}
}

func (j *judgement) surroundings() {
	if j.policy.file.RequireOffline && !j.circumstances.Offline {
		j.refuse(chain.NotOffline,
			"policy signs only where no network interface is up, which is not so, or cannot be told")
	}
}

// ledgerCheckRule is asked by the command that signs a PSBT, not of an item.
func ledgerCheckRule() rule {
	return rule{words: func(p Policy) []string {
		if !p.file.LedgerCheck {
			return nil
		}
		return []string{
			"A PSBT, and a request that names no line of the ledger, is signed " +
				"only after a person has named the length and the head words of the ledger.",
		}
	}}
}
