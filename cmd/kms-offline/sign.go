package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/operator"
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

type signOptions struct {
	out     string
	raw     string
	approve []string
	carried []string            // files of operators' approvals
	given   []operator.Approval // what is in them
	chain   string
	only    chain.ID // what chain names
}

func (a *app) sign() *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign IN... --out DIR",
		Short: "review, ask, sign, and write the result",
		Long: `sign proves and judges every transaction of a request, shows it, asks on the
terminal, signs what was not refused, verifies each finished transaction, writes
the ledger, and then the result file for the relay. Refused items are in the
result too, so that the relay learns why.

With --approve DIGEST nothing is asked: exactly the batch with that digest is
signed, and only if this wallet's "review" has judged it under the policy in
force.

IN may also be a PSBT (BIP 174) that spends from keys of this wallet: it is
judged, shown, asked and recorded in the same way, and comes back as a finalised
PSBT. Nothing is written where it is refused.

The same request signed again gives the same transactions, byte for byte.

Exit status: 0 all signed, 3 some refused, 20 all refused (both still write a
result), 21 the person declined (no result), 22 no valid request.`,
		Example: `  kms-offline sign request.kmsreq --out /media/usb
  kms-offline --password-file pw review request.kmsreq
  kms-offline --password-file pw sign request.kmsreq --out out --approve DIGEST`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runSign(args, o) },
	}
	cmd.Flags().StringVar(&o.out, "out", "", "folder for the result (required)")
	cmd.Flags().StringVar(&o.raw, "raw", "", "also write each finished transaction as hex into this folder")
	cmd.Flags().StringArrayVar(&o.approve, "approve", nil, "sign the reviewed batch with this digest without asking (once for each IN)")
	cmd.Flags().StringArrayVar(&o.carried, "approval", nil, "count the operator's approval in this file, which approve --out wrote elsewhere")
	_ = cmd.MarkFlagRequired("out")
	psbtFlags(cmd, &o.chain)
	return cmd
}

func (a *app) runSign(args []string, o signOptions) error {
	digests, err := parseDigests(o.approve)
	if err != nil {
		return err
	}
	if o.given, err = a.readApprovals(o.carried); err != nil {
		return err
	}
	if o.only, err = psbtChain(o.chain); err != nil {
		return err
	}
	files, err := a.readRequests(args)
	if err != nil {
		return err
	}
	session, err := a.openSession()
	if err != nil {
		return err
	}
	defer session.Close()
	replies := make([]signReply, len(files))
	var signed, refused int
	for i, file := range files {
		reply, err := a.signOne(session, file, digests, o)
		if err != nil {
			return err
		}
		replies[i] = reply
		signed, refused = signed+len(reply.Signed), refused+len(reply.Refused)
	}
	if err := printOneOrAll(a.Streams, replies); err != nil {
		return err
	}
	return codeOf(signed, refused)
}

type signReply struct {
	Result  string         `json:"result"`
	Digest  string         `json:"digest"`
	Signed  []signedReply  `json:"signed"`
	Refused []refusedReply `json:"refused"`
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

func (a *app) signOne(session *openSession, file []byte, approved map[bundle.Digest]bool, o signOptions) (signReply, error) {
	judged, err := a.judge(session, file, o.only)
	if err != nil {
		return signReply{}, err
	}
	if err := a.quorum(session, judged, o.given); err != nil {
		return signReply{}, err
	}
	consent, how, err := a.consent(session, judged, approved, len(o.approve) > 0)
	if err != nil {
		return signReply{}, err
	}
	done, err := session.Sign(judged, consent, how)
	if err != nil {
		return signReply{}, ledgerError(err)
	}
	path, err := a.writeSigned(judged, done, o)
	if err != nil {
		return signReply{}, err
	}
	reply := signReply{Result: path, Digest: judged.Request.Digest.String(), Signed: []signedReply{}, Refused: []refusedReply{}}
	for _, out := range done.Outcomes {
		if out.Err != nil {
			reply.Refused = append(reply.Refused, refusedReply{out.ID, chain.CodeOf(out.Err), chain.ReasonOf(out.Err)})
		} else {
			reply.Signed = append(reply.Signed, signedReply{out.ID, out.Signed.TxID})
		}
	}
	return reply, nil
}

// consent gets the person's answer: the digest of a batch that was reviewed
// before, or a word typed at the end of the review.
func (a *app) consent(session *openSession, judged *offline.Judged, approved map[bundle.Digest]bool, byDigest bool) (policy.Consent, string, error) {
	if byDigest {
		digest := judged.Request.Digest
		if !approved[digest] {
			return policy.Consent{}, "", cli.Fail(cli.Refused,
				fmt.Errorf("%w: --approve does not name this batch, whose digest is %s", offline.ErrNotReviewed, digest),
				"review it first: kms-offline review FILE")
		}
		consent, err := session.AgreeByDigest(judged, digest)
		if err != nil {
			return policy.Consent{}, "", bundleError(err)
		}
		return consent, "digest", nil
	}
	signable, _ := judged.Batch.Count()
	if signable == 0 {
		return policy.Consent{}, "", nil // nothing to ask about: the refusals go back to the relay
	}
	return a.ask(session, judged, signable)
}

func (a *app) ask(session *openSession, judged *offline.Judged, signable int) (policy.Consent, string, error) {
	tty, err := openTerminal()
	if err != nil {
		return policy.Consent{}, "", cli.Fail(cli.Usage, err, "review it, then sign with --approve DIGEST")
	}
	defer tty.close()
	if err := judged.Batch.Text(printable{tty.tty}); err != nil {
		return policy.Consent{}, "", err
	}
	yes, err := tty.confirm(fmt.Sprintf("Sign %s?", counted(signable, "transaction", "transactions")))
	if err != nil {
		return policy.Consent{}, "", cli.Fail(cli.Declined, err, "nothing was signed")
	}
	if !yes {
		if err := session.Decline(judged); err != nil {
			return policy.Consent{}, "", ledgerError(err)
		}
		return policy.Consent{}, "", cli.Fail(cli.Declined, offline.ErrDeclined, "")
	}
	return session.Agree(judged), "typed", nil
}

// writeSigned writes the answer in the form of the question.
func (a *app) writeSigned(judged *offline.Judged, done offline.Signatures, o signOptions) (string, error) {
	write := func() (string, error) { return a.writeResult(done, o) }
	if judged.IsPSBT() {
		write = func() (string, error) { return a.writePSBT(judged, done, o.out) }
	}
	path, err := write()
	if err != nil || o.raw == "" {
		return path, err
	}
	return path, a.writeRaw(done, o.raw)
}

// writeResult writes the result, whole or not at all. Its name says which
// request it answers; the ledger's length makes it new each time, so that
// nothing is ever overwritten.
func (a *app) writeResult(done offline.Signatures, o signOptions) (string, error) {
	signed, refused := done.Count()
	if err := a.folder(o.out); err != nil {
		return "", err
	}
	name := fmt.Sprintf("coldkms-%.8s-%dof%d-line%d.kmsres", done.Result.Request, signed, signed+refused, done.Result.LedgerLen)
	path := filepath.Join(o.out, name)
	if err := durable.Create(a.fs, path, done.Result.File, durable.PermFile, nil); err != nil {
		return "", cli.Fail(cli.Failed, err, "the ledger has the signatures on record: sign the same request again into another folder, the bytes will be the same")
	}
	return path, nil
}

// writeRaw writes each finished transaction as hex.
func (a *app) writeRaw(done offline.Signatures, dir string) error {
	if err := a.folder(dir); err != nil {
		return err
	}
	for _, out := range done.Outcomes {
		if out.Err != nil {
			continue
		}
		raw := fmt.Appendf(nil, "%x\n", out.Signed.Raw)
		if err := durable.Create(a.fs, filepath.Join(dir, out.ID+"."+out.Signed.TxID+".hex"), raw, durable.PermFile, nil); err != nil {
			return cli.Fail(cli.Failed, err, "")
		}
	}
	return nil
}

// folder makes a folder for output where there is none.
func (a *app) folder(path string) error {
	if err := os.MkdirAll(path, durable.PermDir); err != nil {
		return cli.Fail(cli.Failed, err, "")
	}
	return nil
}
