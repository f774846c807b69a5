package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/operator"
	"coldkms/shared/bundle"
)

type approveOptions struct {
	operator     string
	passwordFile string
	digests      []string
	out          string
	round        string
	judging
	asking
}

func (a *app) approve() *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "approve IN... --operator NAME",
		Short: "approve a batch as one of the operators; signs no transaction",
		Long: `approve shows a batch as sign does, line by line or on a screen (docs/REVIEW.md),
where items can be looked at and rejected, asks, and has the operator's own key sign
the batch digest, the round, the policy in force and how each item was judged. The ledger of
this machine remembers it; "sign" counts it. What is judged otherwise later needs
to be approved again, and so does a batch that somebody declined.

An approval is of one round. The review that comes first opens it; a no, another
policy, other operators, items that are left out or a signature end it, and what
was approved in it never counts again.

What the operator rejects is taken out of the batch, and that is recorded: what the
others approved of it before counts no more, and all approve what is left.

With --out the approval is written as a file as well, for another machine that has
the same wallet: sign --approval FILE there. Where this machine's ledger is not a
copy of the one there, made after the review and copied file by file, name the round that the review there
has printed: --round ROUND. A round counts only in the ledger that drew it: such an
approval is a file and nothing else, needs --out, and counts on that machine alone.

With --digest DIGEST nothing is asked: exactly the batch with that digest is
approved, and only if "review" has judged it here as it is judged now.

Exit status: 0 approved, 12 the operator's password is wrong, 20 there is nothing
to approve, 21 the operator said no.`,
		Example: `  kms-offline --path wallet.kms approve request.kmsreq --operator alice
  kms-offline --path wallet.kms approve request.kmsreq --operator bob --out /media/usb`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runApprove(args, o) },
	}
	cmd.Flags().StringVar(&o.operator, "operator", "", "who approves (required)")
	cmd.Flags().StringArrayVar(&o.digests, "digest", nil,
		"approve the reviewed batch with this digest without asking (once for each IN)")
	cmd.Flags().StringVar(&o.out, "out", "", "also write the approval into this folder")
	cmd.Flags().StringVar(&o.round, "round", "",
		"approve in this round, which review has printed on the machine that signs; of another machine: with --out")
	_ = cmd.MarkFlagRequired("operator")
	operatorPasswordFlag(cmd, &o.passwordFile)
	o.judging.flags(cmd)
	o.asking.flags(cmd)
	cmd.MarkFlagsMutuallyExclusive("session", "plain", "digest")
	return cmd
}

type approveReply struct {
	Digest   string   `json:"digest"`
	Round    string   `json:"round"`
	Operator string   `json:"operator"`
	Approved []string `json:"approved"` // names of all who have approved it so far
	Needed   int      `json:"needed"`
	Approval *string  `json:"approval"` // path; null without --out

	Elsewhere bool `json:"elsewhere"` // the round is of another ledger: the approval counts there only
}

func (a *app) runApprove(args []string, o approveOptions) error {
	digests, err := parseDigests(o.digests)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := a.heading(o.out); err != nil {
			return err
		}
	}
	if err = o.judging.check(args); err != nil {
		return err
	}
	if err := checkRound(o.round); err != nil {
		return err
	}
	paths, err := a.requestPaths(args)
	if err != nil {
		return err
	}
	session, err := a.openSession()
	if err != nil {
		return err
	}
	defer session.Close()
	if _, err := findOperator(session.wallet, o.operator); err != nil {
		return err
	}
	var replies []approveReply
	err = a.each(paths, func(file []byte) error {
		reply, err := a.approveOne(session, file, digests, o)
		if err == nil {
			replies = append(replies, reply)
		}
		return err
	})
	defer a.tellLedger(session)
	if len(replies) == 0 {
		return err
	}
	return errors.Join(a.tellApproved(replies, len(paths)), err)
}

func parseDigests(list []string) (map[bundle.Digest]bool, error) {
	digests := make(map[bundle.Digest]bool)
	for _, s := range list {
		d, err := bundle.ParseDigest(s)
		if err != nil {
			return nil, cli.Fail(cli.Usage, err, "it is what kms-offline review prints as batch digest")
		}
		digests[d] = true
	}
	return digests, nil
}

func (a *app) approveOne(
	session *openSession,
	file []byte,
	digests map[bundle.Digest]bool,
	o approveOptions,
) (approveReply, error) {
	judged, err := a.judge(session, file, o.judging)
	if err != nil {
		return approveReply{}, err
	}
	kept := decisions{a, session, judged, o.operator}
	if err := kept.readable(); err != nil {
		return approveReply{}, err
	}
	if signable, _ := judged.Batch.Count(); signable == 0 {
		return approveReply{}, cli.Fail(cli.Refused, offline.ErrNothingToSign,
			"see why: kms-offline review FILE"+cli.Printable(o.words()))
	}
	elsewhere, err := roundElsewhere(session, judged, o)
	if err != nil {
		return approveReply{}, err
	}
	if err := a.roundUnclear(session, judged, o); err != nil {
		return approveReply{}, err
	}
	how, err := a.agreeAsOperator(kept, digests, elsewhere, o)
	if err != nil {
		return approveReply{}, err
	}
	key, err := a.unlock(session.wallet, o.operator, o.passwordFile)
	if err != nil {
		return approveReply{}, err
	}
	reply := approveReply{
		Digest:    judged.Request.Digest.String(),
		Round:     session.Round(judged),
		Operator:  o.operator,
		Approved:  []string{},
		Elsewhere: elsewhere,
	}
	var approval operator.Approval
	if elsewhere {
		reply.Round = o.round
		approval, err = session.ApproveElsewhere(judged, key, o.round, how)
	} else {
		approval, err = session.Approve(judged, key, how)
	}
	if err != nil {
		return approveReply{}, approvalError(err)
	}
	if err := kept.forget(); err != nil {
		fmt.Fprintf(a.Err, "kms-offline: %s\n", cli.Printable(err.Error()))
	}
	reply.Needed, _ = judged.Quorum()
	for _, who := range session.Approvers(judged) {
		reply.Approved = append(reply.Approved, who.Name)
	}
	if elsewhere {
		fmt.Fprintf(a.Err, "%s: the approval counts on the machine that did, and not here\n",
			drawnElsewhere(session, o.round))
	}
	if o.out != "" {
		reply.Approval, err = a.writeApproval(o, approval)
	}
	return reply, err
}

// roundElsewhere reports whether --round names a round of another ledger, in
// which an approval can only be carried.
func roundElsewhere(session *openSession, judged *offline.Judged, o approveOptions) (bool, error) {
	elsewhere, err := session.Elsewhere(judged, o.round)
	if err == nil && elsewhere && o.out == "" {
		err = cli.Fail(cli.Usage,
			fmt.Errorf("%s: an approval in it counts on the machine that did", drawnElsewhere(session, o.round)),
			"name the folder in which it is carried there: --out DIR; to approve it here, leave --round out")
	}
	return elsewhere, approvalError(err)
}

// roundUnclear refuses to carry an approval of which nobody said in which round it
// is, where the ledger is that of a copy that was put back after the review: the
// round of then may be open on the machine that signs, and none is here. Where the
// batch was reviewed here since, it says where the approval counts.
func (a *app) roundUnclear(session *openSession, judged *offline.Judged, o approveOptions) error {
	last, copied := session.EndedByCopy(judged)
	if !copied || o.out == "" || o.round != "" {
		return nil
	}
	why := fmt.Sprintf("round %s of this batch has ended in this ledger, as a copy was put back (line %d)",
		last.Round, last.Line)
	if now := session.Round(judged); now != "" {
		fmt.Fprintf(a.Err,
			"%s: the approval is in round %s, which counts on this machine. If another one signs, name the round there: --round ROUND\n",
			why, now)
		return nil
	}
	return cli.Fail(cli.Usage, fmt.Errorf("%s, and no review of it is open here: in which round is the approval?", why),
		"name the round that review printed on the machine that signs: --round ROUND; if this is that machine, type kms-offline review FILE first")
}

// drawnElsewhere says why an approval in a round does not count here.
func drawnElsewhere(session *openSession, round string) string {
	if session.Ledger.EndedByCopy(round) {
		return fmt.Sprintf(
			"round %s has ended here, as a copy was put back, and the ledger of this machine did not draw it since",
			round)
	}
	return fmt.Sprintf("the ledger of this machine did not draw round %s", round)
}

// approvalError returns err with the exit code and the hint for an error about
// an approval.
func approvalError(err error) error {
	if errors.Is(err, offline.ErrOtherApproval) {
		return cli.Fail(cli.Refused, err, "review it again where it is signed, and name the round printed there")
	}
	return ledgerError(err)
}

// checkRound refuses a --round that is none.
func checkRound(round string) error {
	if round == "" {
		return nil
	}
	if b, err := hex.DecodeString(round); err != nil || len(b) != operator.RoundSize || hex.EncodeToString(b) != round {
		return cli.Fail(cli.Usage, fmt.Errorf("--round is %d hexadecimal digits", 2*operator.RoundSize),
			"it is what kms-offline review prints as round")
	}
	return nil
}

// approvalEnding is how files of approvals are called.
const approvalEnding = ".kmsapproval"

// writeApproval writes an approval to be carried. The same one is never
// another file, so one that is there already is as good.
func (a *app) writeApproval(o approveOptions, approval operator.Approval) (*string, error) {
	file := approval.File()
	name := fmt.Sprintf("coldkms-%.4x-%s-%.4x%s", approval.Batch[:], o.operator, approval.Signature[:], approvalEnding)
	path := filepath.Join(o.out, name)
	err := a.folder(o.out)
	if err == nil {
		err = a.carry(path, file)
	}
	if err != nil {
		return nil, cli.Fail(cli.Failed, err, "the ledger has the approval: the same command writes it again")
	}
	return &path, nil
}

// readApprovals reads what sign --approval names.
func (a *app) readApprovals(paths []string) ([]operator.Approval, error) {
	list := make([]operator.Approval, len(paths))
	for i, path := range paths {
		b, err := a.read(path, int64(operator.FileSize)+1)
		if err != nil {
			return nil, err
		}
		if list[i], err = operator.ParseFile(b); err != nil {
			return nil, cli.Fail(cli.BadBundle, fmt.Errorf("%s: %w", path, err),
				"it is the *.kmsapproval that approve --out wrote; one of an earlier version of this program has to be given again")
		}
	}
	return list, nil
}

// quorum takes in the approvals that were carried here, and says what is
// missing before anybody is asked.
func (a *app) quorum(session *openSession, judged *offline.Judged, o signOptions) error {
	again := approveCommand(session, judged)
	for _, approval := range o.given {
		if bundle.Digest(approval.Batch) != judged.Request.Digest {
			continue // of another IN
		}
		switch err := session.TakeApproval(judged, approval, "carried"); {
		case errors.Is(err, offline.ErrOtherApproval):
			return cli.Fail(cli.Refused, err,
				"policy and ledger have to say the same on both machines; else approve it here: "+again)
		case errors.Is(err, offline.ErrNotOperator):
			return cli.Fail(cli.Refused, err, "see kms-offline operator list")
		case err != nil:
			return ledgerError(err)
		}
	}
	session.Notice(judged)
	if err := session.RecordAsked(judged); err != nil {
		return ledgerError(err)
	}
	err := session.CheckQuorum(judged)
	if err == nil {
		return nil
	}
	kept := decisions{a, session, judged, ""}
	rejected, words, unread := kept.rejections(kept.all()...)
	if unread != nil {
		return unread
	}
	if len(rejected) > 0 {
		return a.offerToLeaveOut(kept, rejected, words, err, o)
	}
	return cli.Fail(cli.Refused, err, "nothing was signed; have another operator type: "+again)
}

// offerToLeaveOut asks whether to take the items that an unfinished session
// rejected out of a batch that too few operators approved, so that they can
// approve what is left. Without a terminal, or after a no, it returns the error
// about the quorum.
func (a *app) offerToLeaveOut(kept decisions, rejected []int, words string, quorum error, o signOptions) error {
	quorum = cli.Fail(cli.Refused, quorum,
		"nothing was signed; an earlier session rejected "+counted(len(rejected), "item", "items")+
			": to take them out, on a terminal: kms-offline sign FILE --out DIR; operators then approve what is left")
	if len(o.approve) > 0 {
		return quorum
	}
	tty, err := openTerminal()
	if err != nil {
		return quorum
	}
	defer tty.close()
	tty.print("An earlier session about this batch was left unfinished:\n" + words +
		"Operators have not approved what is left.\n")
	yes, err := tty.confirm(fmt.Sprintf("Take %s out of the batch now, so that they can?",
		counted(len(rejected), "rejected item", "rejected items")))
	if err != nil || !yes {
		return quorum
	}
	return a.leaveOut(kept.session, kept.judged, kept, rejected)
}

// approveCommand is what an operator types to approve exactly what is asked
// about here: the same items, in the same round. Here the ledger knows what is
// left out; that of another machine may not.
func approveCommand(session *openSession, judged *offline.Judged) string {
	const most = 20 // ids that are named
	command := "kms-offline approve FILE --operator NAME"
	left := session.Ledger.LeftOut(judged.Request.Digest)
	for _, id := range left[:min(len(left), most)] {
		command += " --without " + id
	}
	if round := session.Round(judged); round != "" {
		command += " --round " + round
	}
	if len(left) > most {
		command += fmt.Sprintf(" (on another machine with --without for each of the %d items that are left out)",
			len(left))
	}
	return command
}
