package policy

import "coldkms/shared/chain"

func offlineRule() rule {
	return rule{judge: (*judgement).surroundings, words: func(p Policy) []string {
		if !p.file.RequireOffline {
			return nil
		}
		return []string{"Nothing is signed unless all network interfaces are known to be down."}
	}}
}

func (j *judgement) surroundings() {
	if j.policy.file.RequireOffline && !j.circumstances.Offline {
		j.refuse(chain.NotOffline,
			"policy requires all network interfaces to be down: one is up, or their state is unknown")
	}
}

// ledgerCheckRule judges no item: the command that signs asks for the ledger check.
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
