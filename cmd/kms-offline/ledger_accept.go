package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
)

func (a *app) ledgerAccept() *cobra.Command {
	return &cobra.Command{
		Use:   "accept REQUEST.kmsreq",
		Short: "record that a person knows this ledger was rolled back",
		Long: `accept is for the day after an old copy of the wallet was put back. The relay has
seen lines of this signer's ledger that are not in it: signatures were made that
this signer has forgotten. Until a person has recorded that, requests of the relay
are refused.

Forgotten is that some outpoints are signed already, what limits have been used up,
who said no to what, and which keys were made since. Back, as they were when the copy
was made, are the policy and its approvers, the operators and the relays, also those
that were removed since. accept lists them and asks: type the names of the operators
who still count, and say of each other relay whether it is still paired. An operator
who is not named is removed. If the policy is not the last one, set that first (policy set
FILE). Every review says that an old copy was accepted, until a person has compared all
that and recorded it (policy confirm), or a policy is set.

The relay has the signed transactions: broadcast everything that it has imported
before you sign anything new (kms-online broadcast, status).`,
		Example: "  kms-offline --path wallet.kms ledger accept request.kmsreq",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.withLedger(func(s *openSession) error { return a.accept(s, args[0]) })
		},
	}
}

type acceptReply struct {
	Policy    string   `json:"policy"`    // hash of the one in force; "" for the built-in one
	Since     string   `json:"since"`     // when it was set
	Operators []string `json:"operators"` // who count from here on
	Relays    []string `json:"relays"`    // fingerprints of those that are paired from here on
	Removed   []string `json:"removed"`   // operators and relays that count no longer
	ledgerReply
}

func (a *app) accept(s *openSession, path string) error {
	file, err := a.read(path, bundle.MaxFile)
	if err != nil {
		return err
	}
	request, head, err := s.LostHead(file)
	if err != nil {
		return bundleError(err)
	}
	if line := s.Ledger.AcceptedIn(request.LedgerHead); head == nil && line != 0 {
		return cli.Fail(cli.Failed,
			fmt.Errorf("this was accepted already, in line %d of the ledger: there is nothing more to record", line),
			"review the request: kms-offline review "+word(path))
	}
	if head == nil {
		return cli.Fail(cli.Failed, errors.New("this ledger has the line that the relay speaks of: nothing was rolled back"), "")
	}
	if s.Unsettled != nil { // else writing the wallet would wipe out what shows it
		return ledgerError(s.Unsettled)
	}
	if err := a.timely(s.Ledger); err != nil {
		return err
	}
	gone, err := a.askWhoIsBack(s, head, request)
	if err != nil {
		return err
	}
	// Who goes is recorded first: cut short, the ledger is not accepted yet.
	lines := append(gone.lines, ledger.Line{Kind: ledger.KindAccepted, Head: fmt.Sprintf("%x", head)})
	if err := s.Ledger.Append(lines...); err != nil {
		return ledgerError(err)
	}
	if err := gone.from(s); err != nil {
		return err
	}
	return a.JSON(acceptedNow(s, gone))
}

func acceptedNow(s *openSession, gone whoGoes) acceptReply {
	rules := s.Rules()
	reply := acceptReply{Policy: rules.Hash, Since: rules.Since, Operators: []string{}, Relays: []string{}, Removed: []string{}, ledgerReply: replyAbout(s.Ledger)}
	for _, o := range s.wallet.Operators() {
		reply.Operators = append(reply.Operators, o.Name)
	}
	for _, r := range s.wallet.Relays() {
		reply.Relays = append(reply.Relays, r.Key.Fingerprint())
	}
	for _, o := range gone.operators {
		reply.Removed = append(reply.Removed, o.Name)
	}
	for _, r := range gone.relays {
		reply.Removed = append(reply.Removed, r.Key.Fingerprint())
	}
	return reply
}

// whoGoes are operators and relays that a person did not confirm.
type whoGoes struct {
	operators []operator.Operator
	relays    []wallet.Relay
	lines     []ledger.Line
}

// from takes them out of the wallet.
func (g whoGoes) from(s *openSession) error {
	if len(g.lines) == 0 {
		return nil
	}
	for _, o := range g.operators {
		s.wallet.RemoveOperator(o.Name)
	}
	for _, r := range g.relays {
		s.wallet.Unpair(r.Key)
	}
	if err := s.wallet.SetKnown(s.Ledger.HeadBytes()); err != nil {
		return err
	}
	return s.wallet.Save()
}

// askWhoIsBack shows what an old ledger forgets and brings back, and asks. Only
// operators that are named, and relays that are confirmed, go on.
func (a *app) askWhoIsBack(s *openSession, head []byte, request bundle.SealedRequest) (gone whoGoes, err error) {
	tty, err := openTerminal()
	if err != nil {
		return gone, cli.Fail(cli.Usage, err, "this is for a person at a terminal")
	}
	defer tty.close()
	tty.print(cli.Printable(fmt.Sprintf("The relay has seen a ledger of this wallet that ended with\n  %x\nThis ledger has %s and does not contain that. ", head, counted(int(s.Ledger.Len()), "line", "lines")) +
		forgottenHere + "Keys that were made since are not in the wallet.\n" + a.whatIsBack(s)))
	if len(s.Operators) > 0 {
		answer, err := tty.line("Type the names of the operators who still count, or \"none\": ")
		if err != nil {
			return gone, err
		}
		if gone.operators, err = notNamed(s.Operators, strings.Fields(answer)); err != nil {
			return gone, err
		}
	}
	for _, r := range s.wallet.Relays() {
		if r.Key == request.Relay {
			continue
		}
		yes, err := tty.confirm(fmt.Sprintf("Is relay %s (%s) still paired?", r.Key.Fingerprint(), r.Key.Words()))
		if err != nil {
			return gone, err
		}
		if !yes {
			gone.relays = append(gone.relays, r)
		}
	}
	for _, o := range gone.operators {
		gone.lines = append(gone.lines, ledger.Line{Kind: ledger.KindOperator, Act: ledger.ActRemove, Operators: []string{o.String()}})
	}
	for _, r := range gone.relays {
		gone.lines = append(gone.lines, ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActUnpair, Relay: r.Key.Fingerprint()})
	}
	question := "All of them count on. Type accept to record that: "
	if n := len(gone.lines); n > 0 {
		question = counted(n, "operator or relay counts", "operators and relays count") + " no longer. Type accept to record that: "
	}
	answer, err := tty.line(question)
	if err == nil && answer != "accept" {
		err = cli.Fail(cli.Declined, errors.New("declined: nothing was recorded"), "")
	}
	return gone, err
}

// whatIsBack says whose word counts by an old ledger.
func (a *app) whatIsBack(s *openSession) string {
	text := "In force now, as old as the copy but for what you have set or added since it was put back:\n"
	rules := s.Rules()
	switch {
	case s.noRules != nil:
		text += fmt.Sprintf("  no policy: %v\n", s.noRules)
	case rules.Hash == "":
		text += "  the built-in policy: none was ever set\n"
	default:
		text += fmt.Sprintf("  policy %q %s, set %s\n", rules.Name, rules.Hash, rules.Since)
	}
	for _, o := range s.Operators {
		text += fmt.Sprintf("  operator %s (%s)\n", o.Name, o.Key.Fingerprint())
	}
	for _, r := range s.wallet.Relays() {
		text += fmt.Sprintf("  relay %s (%s)\n", r.Key.Fingerprint(), r.Key.Words())
	}
	for _, key := range s.Policy.Approvers() {
		name, _ := s.Policy.ApproverName(key)
		text += fmt.Sprintf("  approver %s (%s)\n", name, key.Fingerprint())
	}
	return text + a.typed("If that is not the policy that was set last, answer nothing, and set that one first: "+
		"kms-offline policy set FILE\n"+
		"Each review says that an old copy was accepted until a person has confirmed this: kms-offline policy confirm\n")
}

// notNamed returns the operators whom names leave out.
func notNamed(all []operator.Operator, names []string) (gone []operator.Operator, err error) {
	if slices.Equal(names, []string{"none"}) {
		return all, nil
	}
	if len(names) == 0 {
		return nil, cli.Fail(cli.Declined, errors.New("no operator was named: nothing was recorded"), "type the names, with spaces between, or none")
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(o operator.Operator) bool { return o.Name == name }) {
			return nil, cli.Fail(cli.Declined, fmt.Errorf("%.40q is no operator here: nothing was recorded", name), "type the names as they are listed, with spaces between, or none")
		}
	}
	for _, o := range all {
		if !slices.Contains(names, o.Name) {
			gone = append(gone, o)
		}
	}
	slices.SortFunc(gone, func(x, y operator.Operator) int { return bytes.Compare(x.Key[:], y.Key[:]) })
	return gone, nil
}
