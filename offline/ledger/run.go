package ledger

import (
	"slices"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Grant is what operators had approved in a round when their batch was agreed to.
type Grant struct {
	Round, Judged string   // hex
	Approved      []string // as the lines have them
}

// run is the signing of a batch that takes several writes, from the yes on. It
// ends with the line of its last item, or with the first line that is about
// anything else: only where nothing else has happened is the rest of the batch
// still what was approved.
type run struct {
	batch, policy, scope string
	left                 int // items without a line
	grants               []Grant
}

// follow ends the run, or counts its items.
func (s *standing) follow(line Line) {
	switch {
	case line.Kind == KindAgreed:
		s.begin(line)
	case line.Request != s.run.batch || line.Code == chain.RefusedByPerson:
		s.run = run{}
	case line.Kind == KindSigned || line.Kind == KindRefused:
		if s.run.left--; s.run.left <= 0 {
			s.run = run{}
		}
	case line.Kind != KindReviewed && line.Kind != KindApproved:
		s.run = run{}
	}
}

// begin begins a run, or goes on with one that was cut short.
func (s *standing) begin(line Line) {
	before, now := s.run, run{batch: line.Request, policy: line.Policy, scope: line.Scope, left: line.Items}
	s.run = run{}
	if line.Scope == "" {
		return
	}
	if before.of(line.Request, line.Policy, line.Scope) {
		now.grants = slices.Clip(before.grants)
	}
	if r, open := s.rounds[line.Request][judgedAs(line.Policy, line.Judged)]; open {
		now.grants = append(now.grants, Grant{Round: r.nonce, Judged: line.Judged, Approved: r.approved})
	}
	s.run = now
}

func (r run) of(batch, policy, scope string) bool {
	return r.batch == batch && r.policy == policy && r.scope == scope
}

// CutShort reports whether the last thing that the lines tell is that this
// batch was being signed.
func (s *standing) CutShort(batch bundle.Digest) bool { return s.run.batch == batch.String() }

// Granted returns the approvals under which the signing of a batch was cut
// short, and whether it was, under this policy and with this scope.
func (s *standing) Granted(batch bundle.Digest, policy, scope string) ([]Grant, bool) {
	if !s.run.of(batch.String(), policy, scope) {
		return nil, false
	}
	return s.run.grants, true
}
