// Package offline is the signer: it judges a Request, shows it, asks, records,
// signs and writes a Result. It opens no socket, prints nothing and asks
// nothing; that is for cmd/kms-offline.
//
// The path of a signature: Judge → (a person reads the review) → Sign, which
// takes the approvals that policy made, signs and verifies in memory, writes
// the ledger, and only then lets the Result out.
package offline

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/offline/sign"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
	"coldkms/shared/parallel"
)

// Errors about a whole Request. They leave nothing behind.
var (
	ErrOtherRelay  = errors.New("request is by a relay that is not paired with this wallet")
	ErrOtherSigner = errors.New("request is for another signer")
	ErrDeclined    = errors.New("declined: nothing was signed")
	ErrRolledBack  = errors.New("the relay has seen a later state of this ledger: an old copy was put back here, " +
		"or a copy of this wallet has signed on another machine (ledger-rolled-back)")
)

// Session is an opened wallet with its memory, ready to judge and sign.
type Session struct {
	Keys      sign.Keys
	Identity  identity.Private
	Paired    func(identity.Public) bool
	Ledger    *ledger.Ledger
	Unsettled error     // why nothing is judged or signed: see Differences; nil if wallet and ledger agree
	Random    io.Reader // of rounds
	Policy    policy.Policy
	Operators []operator.Operator // enrolled
	Signers   sign.Families
	Offline   bool              // all network interfaces are known to be down
	Only      chain.Network     // UnknownNetwork: no restriction; else items of the other one are refused
	Online    []string          // network interfaces of this machine that are up
	Counted   func(bundle.Load) // called with the items, inputs and outputs of a Request before it is judged; may be nil
	Finished  func()            // called after each item that was signed or refused, on any core; may be nil
	Lean      bool              // Sign keeps no finished transactions of a Request, only their ids
	Brief     bool              // nobody reads of a batch what it does once it was signed: Sign drops that

	books   ownBooks
	sharing sharing
}

// Judged is one Request after everything but the person's answer.
type Judged struct {
	Request  bundle.SealedRequest
	Batch    review.Batch
	items    []judgedItem
	subjects []policy.Subject       // of items, in one piece: a batch is judged without a copy
	opened   map[string]sign.Opened // what Request carries for each family
	unasked  *Unasked               // from which Request was made; nil for one of a relay
	named    sign.Book              // keys that outputs of unasked name; may be nil
	whole    int                    // operators that had to approve before items were taken out
	taken    []int                  // places of items that TakeOut took out, and the ledger did not
}

// newJudged has room for what is judged of a Request.
func newJudged(request bundle.SealedRequest) *Judged {
	n := len(request.Items)
	j := &Judged{Request: request, items: make([]judgedItem, n), subjects: make([]policy.Subject, n)}
	for i := range j.items {
		j.items[i].subject = &j.subjects[i]
	}
	return j
}

// judgedItem is what is kept of an item. Sign decodes it again, from the same
// bytes: all of a large batch decoded at once would take much room.
type judgedItem struct {
	subject *policy.Subject         // in Judged.subjects; the zero Subject where the item did not decode
	vouched []attestation.Statement // of approvers, about exactly this
	verdict policy.Verdict
	err     error // why it did not decode, or what refuses it whatever policy says
	out     bool  // a person took it out of the batch
}

// Judge reads a Request from its bytes and judges every item. One bad item
// never hides the others; an error is about the Request as a whole.
func (s *Session) Judge(file []byte) (*Judged, error) {
	if s.Unsettled != nil {
		return nil, s.Unsettled
	}
	request, err := s.admit(file)
	if err != nil {
		return nil, err
	}
	if len(request.LedgerHead) > 0 && !s.Ledger.Knows(request.LedgerHead) {
		return nil, ErrRolledBack
	}
	if err := s.checkRoom(request.Request); err != nil {
		return nil, err
	}
	opened, err := s.open(request.Request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bundle.ErrInvalid, err)
	}
	request.File = nil // what was read from it is all that is needed
	j := newJudged(request)
	j.opened = opened
	s.judge(j)
	if err := j.checkHashed(); err != nil {
		return nil, err
	}
	return j, nil
}

// checkHashed bounds what signing all of a Request hashes.
func (j *Judged) checkHashed() error {
	var sum bundle.Load
	for i := range j.items {
		sum.Hashed += j.items[i].subject.Hashed
	}
	return noRoom(sum.Check())
}

// checkRoom bounds the inputs and outputs of a whole Request before any of
// them is decoded.
func (s *Session) checkRoom(r bundle.Request) error {
	var sum bundle.Load
	for _, it := range r.Items {
		inputs, outputs := s.count(it)
		sum = sum.Add(bundle.Load{Items: 1, Inputs: inputs, Outputs: outputs})
	}
	if s.Counted != nil {
		s.Counted(sum)
	}
	return noRoom(sum.Check())
}

func noRoom(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w: export fewer at once (--max)", bundle.ErrInvalid, err)
}

func (s *Session) count(it bundle.Item) (sources, movements int) {
	signer := s.Signers.Of(it.Family)
	if signer == nil {
		return 0, 0 // refused without being decoded
	}
	return signer.Count(it)
}

// open checks what a Request carries for each family.
func (s *Session) open(r bundle.Request) (map[string]sign.Opened, error) {
	opened := make(map[string]sign.Opened, len(s.Signers))
	for _, signer := range s.Signers {
		of, err := signer.Open(r.Attached(signer.Family()))
		if err != nil {
			return nil, err
		}
		opened[signer.Family()] = of
	}
	return opened, nil
}

// admit reads a Request of a relay that is paired, for this signer.
func (s *Session) admit(file []byte) (bundle.SealedRequest, error) {
	request, err := bundle.OpenRequestOf(file, func(relay identity.Public) error {
		if s.Paired(relay) {
			return nil
		}
		return fmt.Errorf("%w: %s", ErrOtherRelay, relay.Fingerprint())
	})
	if err == nil && request.Signer != s.Identity.Public() {
		err = fmt.Errorf("%w: %s, this is %s", ErrOtherSigner, request.Signer.Fingerprint(), s.Identity.Public().Fingerprint())
	}
	return request, err
}

// LostHead returns a Request of a paired relay and the head of a ledger that it
// has seen and that this one does not contain; nil if there is no such.
func (s *Session) LostHead(file []byte) (bundle.SealedRequest, []byte, error) {
	request, err := s.admit(file)
	if err != nil || len(request.LedgerHead) == 0 || s.Ledger.Knows(request.LedgerHead) {
		return request, nil, err
	}
	return request, request.LedgerHead, nil
}

// noticeRelay points at a relay that has forgotten what it knew of this ledger.
// An older request is no harm by itself: the same content gives the same bytes.
func (s *Session) noticeRelay(j *Judged) []string {
	if j.unasked != nil {
		return nil
	}
	at, had := s.Ledger.Line(j.Request.LedgerHead)
	before := s.Ledger.Seen(j.Request.Relay.Fingerprint())
	if at >= before || !had && len(j.Request.LedgerHead) > 0 { // one that is lost, as a person knows, has no place
		return nil
	}
	return []string{fmt.Sprintf(
		"the relay speaks of line %d of this ledger, and has spoken of line %d before: this request is an old one, or an old copy of the relay's state was put back", at, before)}
}

// judge fills in what j is made for.
func (s *Session) judge(j *Judged) {
	parallel.Each(len(j.items), func(i int) { j.items[i] = s.judgeItem(j.Request.Items[i], j, &j.subjects[i]) })
	j.refuseReserved()
	s.refuseLeftOut(j)
	j.refuseConflicts()
	s.settle(j)
}

// settle judges what was decoded, and describes it.
func (s *Session) settle(j *Judged) {
	for i, verdict := range s.verdicts(j, policy.Consent{}) {
		j.items[i].verdict = verdict
	}
	j.Batch = s.describe(j)
	for i, it := range j.items {
		j.Batch.Items[i].Vouched = s.showVouched(it)
	}
	j.Batch.Basis.Round = s.Round(j)
	s.Notice(j)
}

// Notice has the batch say what is to be noticed about it as the ledger is
// now: to be called again where approvals were recorded after Judge.
func (s *Session) Notice(j *Judged) {
	j.Batch.Notices = slices.Concat(s.surroundings(), s.noticeClock(), s.noticeOld(), s.noticeRelay(j), s.noticeDeclined(j), s.noticeQuorum(j))
}

// surroundings points at what is wrong with the machine.
func (s *Session) surroundings() []string {
	var list []string
	for _, name := range s.Online {
		list = append(list, fmt.Sprintf("this machine is not offline: network interface %.40q is up", name))
	}
	return list
}

// judgeItem decodes an item. It writes the subject into its place once it is
// whole.
func (s *Session) judgeItem(item bundle.Item, j *Judged, at *policy.Subject) (judged judgedItem) {
	judged.subject = at
	defer contain(&judged.err)
	job, err := s.prepare(item, j.opened)
	if err != nil {
		return judgedItem{subject: at, err: err}
	}
	subject := job.Subject()
	s.recognise(item.Family, &subject.Facts, j.named)
	subject.Shared = s.shared(subject.Facts)
	vouched := s.vouched(item, subject)
	*at = subject
	return judgedItem{subject: at, vouched: vouched}
}

// prepare decodes and proves an item. The same item gives the same job.
func (s *Session) prepare(item bundle.Item, opened map[string]sign.Opened) (sign.Job, error) {
	if s.Only != chain.UnknownNetwork && item.Network != s.Only {
		return nil, chain.Refuse(chain.WrongNetwork, "item is for %s, this session is for %s", item.Network, s.Only)
	}
	inputs, outputs := s.count(item)
	if err := (bundle.Load{Inputs: inputs, Outputs: outputs}).CheckItem(); err != nil {
		return nil, chain.Refuse(chain.TooLarge, "%v", err)
	}
	if of := opened[item.Family]; of != nil {
		return of.Prepare(item, s.Keys)
	}
	return nil, chain.Refuse(chain.UnsupportedChain, "%.20q is not a chain that this signer signs for", string(item.Chain))
}

// refuseReserved refuses items of a relay under the ids that PSBTs have here: one
// that was signed would keep the PSBT of that id from being signed.
func (j *Judged) refuseReserved() {
	for i, it := range j.Request.Items {
		if j.unasked == nil && strings.HasPrefix(it.ID, UnaskedPrefix) {
			j.items[i].err = chain.Refuse(chain.Malformed, "pending id %.80q begins as those do that this signer makes for PSBTs", it.ID)
		}
	}
}

// refuseConflicts refuses every item that spends an outpoint which another
// item of the batch spends too: at most one of them could be mined, and
// the signer cannot know which one is meant. Items that a person took out do not
// count.
func (j *Judged) refuseConflicts() {
	spenders := make(map[string]int)
	for i := range j.items {
		if chain.CodeOf(j.items[i].err) == chain.BatchConflict {
			j.items[i].err = nil // judged again below, without what was taken out
		}
	}
	for i := range j.items {
		if j.items[i].out {
			continue
		}
		for _, op := range j.items[i].subject.Facts.Exclusive {
			other, taken := spenders[op]
			if !taken {
				spenders[op] = i
				continue
			}
			j.conflict(op, other, i)
			j.conflict(op, i, other)
		}
	}
}

// conflict refuses an item that spends what another one spends, unless it is
// refused already: taking the other out would not free it.
func (j *Judged) conflict(op string, i, other int) {
	if j.items[i].err == nil {
		j.items[i].err = chain.Refuse(chain.BatchConflict, "outpoint %s is spent by %s too: find out which is meant, and leave the other out (--without ID, or reject it in a session), or reject it on the relay (kms-online reject ID --why TEXT) and export again",
			op, j.Request.Items[other].ID)
	}
}

func (s *Session) describe(j *Judged) review.Batch {
	b := review.Batch{Basis: s.basis(), Label: s.Policy.Label, Digest: j.Request.Digest, Relay: j.Request.Relay, Created: j.Request.Created, PSBT: j.unasked != nil, Items: make([]review.Item, len(j.items))}
	for i, it := range j.items {
		from := j.Request.Items[i]
		shown := review.Item{ID: from.ID, Coin: from.Coin, Refusals: it.verdict.Refusals, Findings: it.verdict.Findings}
		if j.decoded(i) {
			shown.Facts = &j.items[i].subject.Facts
		}
		if it.err != nil {
			shown.Refusals = []policy.Reason{chain.ReasonOf(it.err)}
		}
		_, shown.SignedBefore = s.earlier(j, i)
		b.Items[i] = shown
	}
	return b
}

// decoded reports whether an item could be decoded, refused for other reasons
// or not.
func (j *Judged) decoded(i int) bool { return j.items[i].subject.Content != [32]byte{} }

// RecordReview writes down that this batch was judged and shown, so that
// --approve can refer to it. It opens a round unless one is open for this
// judgement.
func (s *Session) RecordReview(j *Judged) error {
	if err := s.RecordAsked(j); err != nil {
		return err
	}
	round, err := s.newRound(j)
	if err != nil {
		return err
	}
	line := s.about(j, ledger.KindReviewed)
	line.Round = round
	if err := s.Ledger.Append(line); err != nil {
		return err
	}
	j.Batch.Basis.Round = round
	j.Batch.Basis.Ledger = s.Book() // what is shown can be noted: it has the review's own line
	return nil
}

// about is a line that says under what a whole batch stands.
func (s *Session) about(j *Judged, kind string) ledger.Line {
	line := ledger.Line{Kind: kind, Request: j.Request.Digest.String(), Policy: s.policyHash(), Judged: j.judgement(), Items: len(j.items)}
	if j.unasked == nil {
		line.Relay = j.Request.Relay.Fingerprint()
		line.Seen, _ = s.Ledger.Line(j.Request.LedgerHead)
	}
	return line
}

// AgreeByDigest returns a consent for a batch that was reviewed before.
func (s *Session) AgreeByDigest(j *Judged, digest bundle.Digest) (policy.Consent, error) {
	if digest != j.Request.Digest {
		return policy.Consent{}, j.OtherDigest("--approve")
	}
	if !s.Ledger.Reviewed(digest, s.policyHash(), j.judgement()) && !s.signedBefore(j) {
		if _, goesOn := s.granted(j); !goesOn {
			return policy.Consent{}, s.unreviewed(j)
		}
	}
	return s.Agree(j), nil
}

// signedBefore reports whether all of this batch that can be signed was signed as
// part of it. Signing again gives the same bytes; what was found when it was
// reviewed, such as a destination that was new then, is no longer so.
func (s *Session) signedBefore(j *Judged) bool {
	some := false
	for i, it := range j.items {
		if j.Batch.Items[i].Refused() {
			continue
		}
		if !s.Ledger.SignedIn(j.Request.Digest, j.Request.Items[i].ID, s.signedAs(*it.subject)) {
			return false
		}
		some = true
	}
	return some
}

// judgementTag begins the text that a judgement is the digest of.
const judgementTag = "coldkms judgement v2\n"

// judgement is a digest of what the review shows: content, verdict, change and
// codes of every item, as lines of text (docs/FORMAT.md), so that another approver
// can compute it. A batch that is judged otherwise than when it was reviewed,
// even if the verdict is better now, is to be reviewed again.
func (j *Judged) judgement() string { return j.judgementWithout("") }

// judgementWithout is the judgement as if one code had not been found.
func (j *Judged) judgementWithout(code chain.Code) string {
	h := sha256.New()
	io.WriteString(h, judgementTag)
	for i, it := range j.Batch.Items {
		verdict := "sign"
		if it.Refused() {
			verdict = "refuse"
		}
		fmt.Fprintf(h, "item %s %x %s\n", it.ID, j.items[i].subject.Content, verdict)
		for _, out := range j.items[i].subject.Facts.Movements {
			fmt.Fprintf(h, "change %d\n", out.Change)
		}
		for _, list := range [][]policy.Reason{it.Refusals, it.Findings} {
			for _, r := range list {
				if r.Code == code {
					continue
				}
				fmt.Fprintf(h, "code %s\n", r.Code)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Session) policyHash() string { return fmt.Sprintf("%x", s.Policy.Hash()) }
