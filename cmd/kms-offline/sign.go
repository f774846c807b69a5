package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/internal/qrcli"
	"coldkms/offline"
	"coldkms/offline/operator"
	"coldkms/offline/review"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/transport/file"
)

type signOptions struct {
	qr      bool
	shown   qrcli.Options // how the result is shown, with qr
	out     string
	raw     string
	summary string
	approve []string
	carried []string            // files of operators' approvals
	given   []operator.Approval // what is in them
	judging
	asking

	noted string // length and head words of the ledger that the person names
}

func (a *app) sign() *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign IN... --out DIR | sign --qr [SOURCE]",
		Short: "review, ask, sign, and write the result",
		Long: `sign proves and judges every transaction of a request, shows it, asks on the
terminal, signs what was not refused, verifies each finished transaction, writes
the ledger, and then the result file for the relay. Refused items are in the
result too, so that the relay learns why.

A few transactions are shown in full, and a yes signs them; where something wants
a second look, such as an address that looks like a known one, the number of
transactions has to be typed. More of them open a session: a screen with a list
to go through, to search, to approve or to reject one by one, which can be left
and taken up later (docs/REVIEW.md). --plain asks line by line instead, for a
screen reader or a serial console. What you reject is in the result as
refused-by-person.

With --approve DIGEST nothing is asked: exactly the batch with that digest is
signed, and only if this wallet's "review" has judged it under the policy in
force.

IN may also be a PSBT (BIP 174) that spends from keys of this wallet: it is
judged, shown, asked and recorded in the same way, and comes back as a finalised
PSBT. Nothing is written where it is refused.

With --qr nothing is carried: the request is read from QR symbols, reviewed,
signed, and the result is shown as symbols, on the terminal or where --qr-out
says (docs/QR.md).

The same request signed again gives the same transactions, byte for byte.

On a terminal the reply is a few lines; with --json, and where stdout is no terminal,
it is JSON.

With several IN each is judged, asked and written by itself. One that is no valid
request, or that you decline, does not stop the others.

Exit status: 0 all signed, 3 some refused, or some IN not signed at all, 20 all
refused (both still write a result), 21 the person declined (no result), 22 no
valid request.`,
		Example: `  kms-offline sign request.kmsreq --out /media/usb
  kms-offline sign --qr
  kms-offline --password-file pw review request.kmsreq
  kms-offline --password-file pw sign request.kmsreq --out out --approve DIGEST`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runSign(args, o) },
	}
	cmd.Flags().StringVar(&o.out, "out", "", "folder for the result (required; with --qr: signed, beside the wallet)")
	cmd.Flags().BoolVar(&o.qr, "qr", false, qrHelp)
	o.shown.Flags(cmd.Flags())
	cmd.Flags().StringVar(&o.raw, "raw", "", "also write each finished transaction as hex into this folder")
	o.asking.flags(cmd)
	summaryFlag(cmd, &o.summary)
	cmd.Flags().StringArrayVar(&o.approve, "approve", nil,
		"sign the reviewed batch with this digest without asking (once for each IN)")
	cmd.Flags().StringArrayVar(&o.carried, "approval", nil,
		"count the operator's approval in this file, which approve --out wrote elsewhere")
	cmd.MarkFlagsMutuallyExclusive("session", "plain", "approve")
	cmd.Flags().StringVar(&o.noted, "noted", "",
		"under a policy with requireLedgerCheck, of a PSBT or of a request that names no line of the ledger: the length of the ledger that you noted last and at least its first four head words, or all eight words")
	o.judging.flags(cmd)
	return cmd
}

var errNoRequest = errors.New("IN is missing: there is nothing to sign")

func (a *app) runSign(args []string, o signOptions) error {
	if len(args) == 0 && !o.qr {
		return cli.Fail(cli.Usage, errNoRequest,
			"name a request and a folder for the result, such as: "+
				"kms-offline sign /media/usb/request.kmsreq --out /media/usb; or read one with --qr")
	}
	if o.shown.To != "" && !o.qr {
		return cli.Fail(cli.Usage, errors.New("--qr-out is for --qr"),
			"show the result afterwards: kms-offline show FILE.kmsres --qr-out "+cli.Quoted(o.shown.To))
	}
	digests, err := parseDigests(o.approve)
	if err != nil {
		return err
	}
	if o.given, err = a.readApprovals(o.carried); err != nil {
		return err
	}
	if err = o.judging.check(args); err != nil {
		return err
	}
	if err := a.checkSummary(o.summary); err != nil {
		return err
	}
	if err := a.checkOut(&o); err != nil {
		return err
	}
	paths, err := a.inputs(args, o.qr)
	if err != nil {
		return err
	}
	session, err := a.openSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Lean, session.Brief = o.raw == "", o.summary == "" && a.person() == nil // a person reads the sums
	var replies []signReply
	batches := a.newSummary(session, o.summary)
	err = a.each(paths, func(file []byte) error {
		reply, done, err := a.signOne(session, file, digests, o)
		if err == nil || reply.Result != "" { // also where something besides it could not be written
			if a.person() != nil {
				reply.sums = sumsOf(done)
			}
			replies = append(replies, reply) // without the batch: many may be large
			batches.add(session, done)
		}
		return err
	})
	if len(replies) == 0 {
		a.tellLedger(session)
		return err
	}
	now := session.Book() // with the lines that came after the last of them
	for i := range replies {
		replies[i].Ledger = now
	}
	if err := errors.Join(a.tellSigned(replies, len(paths)), a.writeSummary(batches)); err != nil {
		return err
	}
	if o.qr && replies[0].Result != "" { // of a PSBT that is refused there is none
		err = errors.Join(err, a.showFile(replies[0].Result, o.shown))
	}
	if err != nil {
		return err
	}
	var signed, refused int
	for _, reply := range replies {
		signed, refused = signed+len(reply.Signed), refused+len(reply.Refused)
	}
	return codeOf(signed, refused)
}

// checkOut wants a folder, and has one of its own for --qr. What it is on now
// it must be on when the result is written.
func (a *app) checkOut(o *signOptions) (err error) {
	switch {
	case o.out != "":
	case o.qr:
		o.out, err = a.besideWallet("signed")
	default:
		err = cli.Fail(cli.Usage, errors.New(`required flag(s) "out" not set`),
			"name the folder for the result: --out DIR")
	}
	if err == nil {
		a.out = o.out
		err = a.heading(o.out)
	}
	if err == nil && o.raw != "" {
		err = a.makeable(o.raw)
	}
	return err
}

type signReply struct {
	Result  string            `json:"result"`
	Digest  string            `json:"digest"`
	Signed  []signedReply     `json:"signed"`
	Refused []refusedReply    `json:"refused"`
	Ledger  review.LedgerName `json:"ledger"` // afterwards: note its lines and words

	sums string // what was signed pays, in lines for a person
}

type signedReply struct {
	ID   string `json:"id"`
	TxID string `json:"txId"`
}

type refusedReply struct {
	ID     string     `json:"id"`
	Code   chain.Code `json:"code"`
	Reason string     `json:"reason"`
}

// finished is a batch that was signed, and who agreed to it.
type finished struct {
	judged    *offline.Judged
	done      offline.Signatures
	how       string
	approvers []operator.Operator
}

func (a *app) signOne(
	session *openSession,
	file []byte,
	approved map[bundle.Digest]bool,
	o signOptions,
) (signReply, finished, error) {
	judged, err := a.judge(session, file, o.judging)
	if err != nil {
		return signReply{}, finished{}, err
	}
	if err := a.unreadable(session, judged, o); err != nil {
		return signReply{}, finished{}, err
	}
	if err := session.RecordTakenOut(judged); err != nil {
		return signReply{}, finished{}, stop(ledgerError(err))
	}
	if err := a.quorum(session, judged, o); err != nil {
		return signReply{}, finished{}, err
	}
	if err := a.checkLedger(session, judged, o); err != nil {
		return signReply{}, finished{}, err
	}
	consent, how, err := a.consent(session, judged, approved, o)
	if err != nil {
		return signReply{}, finished{}, err
	}
	if err := a.unmoved(); err != nil {
		return signReply{}, finished{}, stop(err)
	}
	result := finished{judged: judged, how: how, approvers: session.Approvers(judged)}
	shown := a.signingProgress(session, len(judged.Batch.Items), o)
	result.done, err = session.Sign(judged, consent, how)
	shown()
	if err != nil {
		return signReply{}, finished{}, stop(ledgerError(err))
	}
	path, err := a.writeSigned(judged, result.done, o)
	if err != nil {
		return signReply{}, finished{}, stop(err)
	}
	err = stop(a.writeRaw(result.done, path, o.raw))
	if err := (decisions{a, session, judged, ""}).forgetAll(); err != nil {
		fmt.Fprintf(a.Err, "kms-offline: %s\n", cli.Printable(err.Error()))
	}
	return signReplyOf(judged, result.done, path), result, err
}

// unreadable returns an error where what an earlier session decided cannot be
// read, unless a person is there and gives it up.
func (a *app) unreadable(session *openSession, judged *offline.Judged, o signOptions) error {
	kept := decisions{a, session, judged, ""}
	if len(o.approve) > 0 {
		return kept.readable()
	}
	return kept.discardUnreadable()
}

func signReplyOf(judged *offline.Judged, done offline.Signatures, path string) signReply {
	reply := signReply{
		Result:  path,
		Digest:  judged.Request.Digest.String(),
		Signed:  []signedReply{},
		Refused: []refusedReply{},
	}
	for _, out := range done.Outcomes {
		if out.Err != nil {
			code, reason := out.Refusal()
			reply.Refused = append(reply.Refused, refusedReply{out.ID, code, reason})
		} else {
			reply.Signed = append(reply.Signed, signedReply{out.ID, out.Signed.TxID})
		}
	}
	return reply
}

// writeSigned writes the answer in the form of the question.
func (a *app) writeSigned(judged *offline.Judged, done offline.Signatures, o signOptions) (string, error) {
	if judged.IsUnasked() {
		return a.writePSBT(judged, done, o.out)
	}
	return a.writeResult(done, o)
}

// maxNames is how many results of one name are written beside each other.
const maxNames = 100

// writeResult writes the result, whole or not at all. Its name says which
// request it answers; the ledger's length makes it new each time, and a number
// does where another machine, or an old copy of the ledger, has written that name:
// nothing is ever overwritten.
func (a *app) writeResult(done offline.Signatures, o signOptions) (path string, err error) {
	signed, refused := done.Count()
	name := fmt.Sprintf("coldkms-%.8s-%dof%d-line%d",
		done.Result.Request, signed, signed+refused, done.Result.LedgerLen)
	if err := a.folder(o.out); err != nil {
		return "", notCarried(err, "request")
	}
	for n := 1; n <= maxNames; n++ {
		path = filepath.Join(o.out, name+".kmsres")
		if n > 1 {
			path = filepath.Join(o.out, fmt.Sprintf("%s-%d.kmsres", name, n))
		}
		if err = a.carry(path, done.Result.File); !errors.Is(err, file.ErrExists) {
			break
		}
	}
	return path, notCarried(err, "request")
}

// writeRaw writes each finished transaction as hex, after the result.
func (a *app) writeRaw(done offline.Signatures, result, dir string) error {
	if dir == "" {
		return nil
	}
	err := a.folder(dir)
	written, all := 0, 0
	for _, out := range done.Outcomes {
		if out.Err != nil {
			continue
		}
		if all++; err != nil {
			continue
		}
		raw := fmt.Appendf(nil, "%x\n", out.Signed.Raw)
		if err = a.carry(filepath.Join(dir, out.ID+"."+out.Signed.TxID+".hex"), raw); err == nil {
			written++
		}
	}
	if err == nil {
		return nil
	}
	return cli.Fail(cli.Failed,
		fmt.Errorf("the result is written, whole, as %s; of the transactions as hex (--raw %s) %d of %d are: %w",
			inLine(result), inLine(dir), written, all, err),
		"carry the result; for the rest make room, or name another folder with --raw, and sign the same request again: the bytes will be the same")
}
