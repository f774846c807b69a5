package ledger

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"coldkms/shared/bundle"
)

// A round is a nonce and the first bytes of the hash of the line after which it
// was drawn, so that no other ledger can open it. Earlier versions had the nonce
// alone, and opened any that was named: those rounds count no longer.
const (
	nonceSize       = 16
	placeSize       = 8
	RoundSize       = nonceSize + placeSize
	roundSizeBefore = nonceSize
)

// round is one attempt to have a batch approved as it was judged. It ends with
// the first line that changes what an approval would be about. A review of the
// same batch with other items, or judged otherwise, has a round of its own.
type round struct {
	nonce    string   // hex, with its place
	approved []string // as the lines have them
}

// standing is what the lines say about batches, operators, relays and policy.
type standing struct {
	rounds    map[string]map[string]round // batch digest → judged as → its open round
	closed    map[string]bool             // nonces that count no longer; whether a copy that was put back ended them
	left      map[string][]string         // batch digest → pending ids that are taken out
	endings   map[string]Ending           // batch digest → how its last round ended
	lost      map[string]Ending           // the same of the last round that had approvals
	operators map[string]bool             // name and key → whether enrolled by the last line about it
	relays    map[string]bool             // fingerprint → whether paired by the last line about it
	policy    PolicySet
	policies  bool
	old       At // of the last accepted line since a policy was set; zero if there is none
	taken     []WalletTaken
	run       run
	holding
}

// WalletTaken is a line about something that was taken from the wallet: a
// password that is to open it no longer, or a key.
type WalletTaken struct {
	Act, ID string
	Line    uint64
}

// PolicySet is the last line about the policy.
type PolicySet struct {
	Hash string // hex
	Line uint64
	Time string // RFC 3339, the machine's clock
}

func newStanding() standing {
	return standing{
		rounds: map[string]map[string]round{}, closed: map[string]bool{}, left: map[string][]string{},
		endings: map[string]Ending{}, lost: map[string]Ending{},
		operators: map[string]bool{}, relays: map[string]bool{}, holding: holding{keys: map[string]keyLine{}},
	}
}

// NewRound draws a round. It is opened by a review that is recorded next.
func (l *Ledger) NewRound(random io.Reader) (string, error) {
	nonce := make([]byte, nonceSize, RoundSize)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("round: %w", err)
	}
	return hex.EncodeToString(append(nonce, l.head[:placeSize]...)), nil
}

// admitsRound checks the round that a line names. An approval may name one of
// another ledger, in which it was carried there; a review may not.
func (s *standing) admitsRound(line Line) error {
	nonce, err := hex.DecodeString(line.Round)
	switch _, ended := s.closed[line.Round]; {
	case err != nil || len(nonce) != RoundSize && len(nonce) != roundSizeBefore || hex.EncodeToString(nonce) != line.Round:
		return errors.New("it names no round")
	case ended && !(line.Kind == KindApproved && s.EndedByCopy(line.Round)):
		return errors.New("it names a round that has ended")
	case line.Kind == KindReviewed && !line.roundOfBefore() && !line.draws() && s.of(line).nonce != line.Round:
		return errors.New("it names a round that was not drawn here")
	}
	return nil
}

func (l Line) roundOfBefore() bool { return len(l.Round) == 2*roundSizeBefore }

// draws reports whether the round that a line names was drawn after the line
// before.
func (l Line) draws() bool {
	return len(l.Prev) > 2*placeSize && strings.HasSuffix(l.Round, l.Prev[:2*placeSize])
}

// of returns the open round of what a line is about; the zero round if there is
// none.
func (s *standing) of(line Line) round {
	return s.rounds[line.Request][judgedAs(line.Policy, line.Judged)]
}

// reviewed opens the round that a review names, unless one is open for this
// judgement: naming another ends none.
func (s *standing) reviewed(line Line) {
	if line.roundOfBefore() {
		s.outdated(line)
		return
	}
	if s.of(line).nonce != "" {
		return
	}
	if s.rounds[line.Request] == nil {
		s.rounds[line.Request] = map[string]round{}
	}
	s.rounds[line.Request][judgedAs(line.Policy, line.Judged)] = round{nonce: line.Round}
}

// approvedIn counts an approval in the open round.
func (s *standing) approvedIn(line Line) {
	if line.roundOfBefore() {
		s.outdated(line)
		return
	}
	now := s.of(line)
	if now.nonce != line.Round { // of another ledger: it is on record here, and counts there
		return
	}
	now.approved = append(slices.Clip(now.approved), line.Operators...)
	s.rounds[line.Request][judgedAs(line.Policy, line.Judged)] = now
}

// end ends the rounds of a batch: reviews and approvals of it count no longer.
// by is the line that ended it.
func (s *standing) end(batch string, by Line) {
	for _, as := range slices.Sorted(maps.Keys(s.rounds[batch])) {
		s.close(batch, s.rounds[batch][as], by)
	}
	delete(s.rounds, batch)
}

// endOthers ends the rounds of a batch that are of another judgement than the
// line by names, if it names one.
func (s *standing) endOthers(batch string, by Line) {
	as := judgedAs(by.Policy, by.Judged)
	kept, open := s.rounds[batch][as]
	if !open || by.Judged == "" {
		s.end(batch, by)
		return
	}
	delete(s.rounds[batch], as)
	s.end(batch, by)
	s.rounds[batch] = map[string]round{as: kept}
}

// close remembers how a round ended.
func (s *standing) close(batch string, now round, by Line) {
	if now.nonce != "" { // reviews of version 1 named no round
		s.closed[now.nonce] = by.putsBack()
	}
	how := Ending{
		At:       At{by.N, by.Time},
		Why:      whyEnded(by),
		Approved: now.approved,
		Round:    now.nonce,
		ByCopy:   by.putsBack(),
	}
	s.endings[batch] = how
	if len(how.Approved) == 0 {
		return
	}
	if before, was := s.lost[batch]; was && before.Line == by.N { // rounds that ended together
		how.Approved = append(slices.Clip(before.Approved), how.Approved...)
	}
	s.lost[batch] = how
}

// endAll ends every round.
func (s *standing) endAll(by Line) {
	for batch := range maps.Clone(s.rounds) {
		s.end(batch, by)
	}
}

// enrol follows a line about operators.
func (s *standing) enrol(line Line) {
	for _, who := range line.Operators {
		s.operators[who] = line.Act == ActAdd
	}
	s.endAll(line)
}

// act follows a line about the wallet.
func (s *standing) act(line Line) {
	s.hold(line)
	switch line.Act {
	case ActPair:
		s.relays[line.Relay] = true
	case ActUnpair:
		s.relays[line.Relay] = false
	case ActPassword, ActRemove:
		s.taken = append(s.taken, WalletTaken{Act: line.Act, ID: line.ID, Line: line.N})
	case ActRestore, ActSettle, ActLost: // what was brought back may be older than the approvals
		s.endAll(line)
	}
}

// Round returns the nonce of the open round of a batch that was reviewed under
// this policy with exactly this judgement, or "" if there is none.
func (s *standing) Round(batch bundle.Digest, policy, judged string) string {
	return s.rounds[batch.String()][judgedAs(policy, judged)].nonce
}

// Ended reports whether a round was open once and is not any more.
func (s *standing) Ended(nonce string) bool {
	_, ended := s.closed[nonce]
	return ended
}

// EndedByCopy reports whether a round ended because a copy was put back: it may
// still be open in the ledger that drew it, which knows of no such line.
func (s *standing) EndedByCopy(nonce string) bool { return s.closed[nonce] }

// RoundOf returns the batch of which a round is open, and whether it is.
func (s *standing) RoundOf(nonce string) (batch string, open bool) {
	for batch, rounds := range s.rounds {
		for _, r := range rounds {
			if r.nonce == nonce {
				return batch, true
			}
		}
	}
	return "", false
}

// putsBack reports whether a line is about a copy that was put back.
func (l Line) putsBack() bool {
	return l.Kind == KindAccepted ||
		l.Kind == KindWallet && (l.Act == ActRestore || l.Act == ActSettle || l.Act == ActLost)
}

// Reviewed reports whether the open round of a batch is of this policy and
// exactly this judgement.
func (s *standing) Reviewed(batch bundle.Digest, policy, judged string) bool {
	return s.Round(batch, policy, judged) != ""
}

// ApprovedBy lists the approvals in the open round of a batch under this policy
// with exactly this judgement, as the lines have them, sorted.
func (s *standing) ApprovedBy(batch bundle.Digest, policy, judged string) []string {
	if !s.Reviewed(batch, policy, judged) {
		return nil
	}
	list := slices.Sorted(slices.Values(s.rounds[batch.String()][judgedAs(policy, judged)].approved))
	return slices.Compact(list)
}

// AnyApproved reports whether somebody approved a batch in an open round,
// whatever it was judged as.
func (s *standing) AnyApproved(batch bundle.Digest) bool {
	for _, r := range s.rounds[batch.String()] {
		if len(r.approved) > 0 {
			return true
		}
	}
	return false
}

// LeftOut lists the pending ids that a person took out of a batch.
func (s *standing) LeftOut(batch bundle.Digest) []string { return s.left[batch.String()] }

// Operators lists name and key of each operator by the last line about them,
// sorted.
func (s *standing) Operators() []string { return present(s.operators) }

// Relays lists the fingerprints of the relays that are paired by the last line
// about each, sorted.
func (s *standing) Relays() []string { return present(s.relays) }

func present(all map[string]bool) []string {
	var list []string
	for name, there := range all {
		if there {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// TakenSince returns the lines after line n about what was taken from the
// wallet, the last one about each. A wallet that was written at line n is an old
// one if there are any.
func (s *standing) TakenSince(n uint64) []WalletTaken {
	var list []WalletTaken
	for _, t := range slices.Backward(s.taken) {
		if t.Line <= n {
			break
		}
		same := func(o WalletTaken) bool { return o.Act == t.Act && o.ID == t.ID }
		if !slices.ContainsFunc(list, same) {
			list = append(list, t)
		}
	}
	slices.Reverse(list)
	return list
}

// AcceptedOld returns where an old copy of this ledger was accepted, if no policy
// was set since.
func (s *standing) AcceptedOld() (at At, is bool) { return s.old, s.old.Line > 0 }

// PolicySet returns the last line about the policy, and whether there is one.
func (s *standing) PolicySet() (set PolicySet, ever bool) { return s.policy, s.policies }
