package ledger

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"coldkms/shared/bundle"
)

// RoundSize is the length of a round's nonce in bytes.
const RoundSize = 16

// round is one attempt to have a batch approved as it was judged. It ends with
// the first line that changes what an approval would be about. A review of the
// same batch with other items, or judged otherwise, has a round of its own.
type round struct {
	nonce    string   // hex
	approved []string // as the lines have them
}

// standing is what the lines say about batches, operators, relays and policy.
type standing struct {
	rounds    map[string]map[string]round // batch digest → judged as → its open round
	closed    map[string]struct{}         // nonces that count no longer
	left      map[string][]string         // batch digest → pending ids that are taken out
	endings   map[string]Ending           // batch digest → how its last round ended
	lost      map[string]Ending           // the same of the last round that had approvals
	operators map[string]bool             // name and key → whether enrolled by the last line about it
	relays    map[string]bool             // fingerprint → whether paired by the last line about it
	policy    PolicySet
	policies  bool
	taken     WalletTaken
	run       run
}

// WalletTaken is the last line about something that was taken from the wallet:
// a password that is to open it no longer, or a key.
type WalletTaken struct {
	Act, ID string
	Line    uint64 // 0: there is none
}

// PolicySet is the last line about the policy.
type PolicySet struct {
	Hash string // hex
	Line uint64
	Time string // RFC 3339, the machine's clock
}

func newStanding() standing {
	return standing{
		rounds: map[string]map[string]round{}, closed: map[string]struct{}{}, left: map[string][]string{},
		endings: map[string]Ending{}, lost: map[string]Ending{},
		operators: map[string]bool{}, relays: map[string]bool{},
	}
}

// admitsRound checks the round that a line names.
func (s *standing) admitsRound(line Line) error {
	nonce, err := hex.DecodeString(line.Round)
	switch _, ended := s.closed[line.Round]; {
	case err != nil || len(nonce) != RoundSize || hex.EncodeToString(nonce) != line.Round:
		return errors.New("it names no round")
	case ended:
		return errors.New("it names a round that has ended")
	}
	return nil
}

// reviewed opens the round that a review names, unless it is open already for
// the same judgement.
func (s *standing) reviewed(line Line) {
	as := judgedAs(line.Policy, line.Judged)
	now, open := s.rounds[line.Request][as]
	if open && now.nonce == line.Round {
		return
	}
	if open {
		s.close(line.Request, now, line)
	}
	if s.rounds[line.Request] == nil {
		s.rounds[line.Request] = map[string]round{}
	}
	s.rounds[line.Request][as] = round{nonce: line.Round}
}

// approvedIn counts an approval in the open round.
func (s *standing) approvedIn(line Line) {
	as := judgedAs(line.Policy, line.Judged)
	now, open := s.rounds[line.Request][as]
	if !open || now.nonce != line.Round {
		return
	}
	now.approved = append(slices.Clip(now.approved), line.Operators...)
	s.rounds[line.Request][as] = now
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
	s.closed[now.nonce] = struct{}{}
	how := Ending{At: At{by.N, by.Time}, Why: whyEnded(by), Approved: now.approved}
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
	switch line.Act {
	case ActPair:
		s.relays[line.Relay] = true
	case ActUnpair:
		s.relays[line.Relay] = false
	case ActPassword, ActRemove:
		s.taken = WalletTaken{Act: line.Act, ID: line.ID, Line: line.N}
	case ActRestore: // what it brings back may be older than the approvals
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

// WalletTaken returns the last line about something that was taken from the
// wallet. A wallet that was written before that line is an old one.
func (s *standing) WalletTaken() WalletTaken { return s.taken }

// PolicySet returns the last line about the policy, and whether there is one.
func (s *standing) PolicySet() (set PolicySet, ever bool) { return s.policy, s.policies }
