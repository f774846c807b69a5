package offline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
)

// scopeTag begins the text that a scope is the digest of.
const scopeTag = "coldkms scope v1\n"

// scope is a digest of which items of a batch are signed and which are refused
// (docs/FORMAT.md). Those that were signed as part of the batch are signed, so
// that the scope is the same after signing was cut short.
func (s *Session) scope(j *Judged) string {
	h := sha256.New()
	io.WriteString(h, scopeTag)
	for i, it := range j.Batch.Items {
		verdict, content := "sign", j.items[i].subject.Content
		if it.Refused() && !s.Ledger.SignedIn(j.Request.Digest, it.ID, s.signedAs(*j.items[i].subject)) {
			verdict = "refuse"
		}
		fmt.Fprintf(h, "item %s %x %s\n", it.ID, content, verdict)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// scopeOf returns the scope of a batch that takes several writes, from which
// no item was taken out, and "" of any other: there is nothing to go on with.
func (s *Session) scopeOf(j *Judged, consent policy.Consent) string {
	if len(j.items) <= chunk || consent.Partial() {
		return ""
	}
	return s.scope(j)
}

// granted returns the approvals under which signing exactly this was cut short,
// and whether it was. Operators approved the batch as it was judged before any
// of it was signed. What is judged otherwise since is so because of its own
// signatures: the ledger has no other line since, policy and content are the
// same, and so are the items that are signed.
func (s *Session) granted(j *Judged) ([]ledger.Grant, bool) {
	if len(j.items) <= chunk || !s.Ledger.CutShort(j.Request.Digest) {
		return nil, false
	}
	return s.Ledger.Granted(j.Request.Digest, s.policyHash(), s.scope(j))
}
