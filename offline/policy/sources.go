package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

// sourceRule wants a named key for all that is spent, and points at keys that
// sign nothing.
func sourceRule() rule { return rule{judge: (*judgement).sources} }

func (j *judgement) sources() {
	for i, s := range j.subject.Facts.Sources {
		if !s.Own {
			j.act(modeRefuse, chain.Because(chain.NoKeyForInput, "input %d (%s): no key named by the request can sign it",
				i, s.ID).Of(chain.At{Part: chain.OfSource, Index: i}))
		}
	}
	for _, k := range j.subject.Facts.UnusedKeys {
		j.find(chain.FlagUnusedKey, "key %s is named but signs nothing", describe(k))
	}
}

func describe(k chain.Key) string {
	if k.Index == chain.NoIndex {
		return k.SignatureID
	}
	return fmt.Sprintf("%s / %d", k.SignatureID, k.Index)
}
