package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/bundle"
)

func (a *app) compare() *cobra.Command {
	var own bool
	cmd := &cobra.Command{
		Use:   "compare A.kmsres B.kmsres",
		Short: "prove that two signers gave the same signatures",
		Long: `compare reads two results for one request, made on two machines (better: by two
builds), and proves that each signature is the same, byte for byte. Signatures are
deterministic (RFC 6979, BIP 340 without auxiliary randomness), so a signer that
hides anything in them, such as parts of a key in its nonces, gives others.
One result given twice, also as a copy, is refused, and two without any signature
are not the same.

A result does not say which machine made it. With --ledger the wallet is opened, and
two results that its ledger both has are refused: they are of one machine, and
nothing was compared. Without it no wallet is opened, and "machines" is unknown
unless both name one line of a ledger.

Exit status: 0 the same, 1 they differ, are of one machine or cannot be compared,
22 no valid result.`,
		Example: "  kms-offline compare a/coldkms-1a2b3c4d-3of3-line7.kmsres b/coldkms-1a2b3c4d-3of3-line7.kmsres",
		Args:    cobra.ExactArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runCompare(args[0], args[1], own) },
	}
	cmd.Flags().BoolVar(&own, "ledger", false,
		"look both results up in the ledger of this wallet: one machine's prove nothing")
	return cmd
}

type compareReply struct {
	Request   string   `json:"request"` // digest
	Same      bool     `json:"same"`
	Items     int      `json:"items"`
	Signed    int      `json:"signed"`    // by both, with the same bytes
	Refused   int      `json:"refused"`   // by both
	Different []string `json:"different"` // pending ids
	Machines  string   `json:"machines"`  // "one": nothing was compared; "two", by this wallet's ledger; or "unknown"
}

func (a *app) runCompare(pathA, pathB string, own bool) error {
	first, err := a.readResult(pathA)
	if err != nil {
		return err
	}
	second, err := a.readResult(pathB)
	if err != nil {
		return err
	}
	if bytes.Equal(first.File, second.File) {
		return cli.Fail(cli.Failed,
			fmt.Errorf("%s and %s are one and the same result: a copy proves nothing", pathA, pathB),
			"sign the request on the other machine, too, and compare what that one wrote")
	}
	if first.Request != second.Request {
		return cli.Fail(cli.Failed, fmt.Errorf("they answer two requests: %s and %s", first.Request, second.Request),
			"sign one request on both machines")
	}
	machines, err := a.machines(first.Result, second.Result, own)
	if err != nil {
		return err
	}
	reply := compareReply{
		Machines:  machines,
		Request:   first.Request.String(),
		Items:     len(first.Outcomes),
		Different: []string{},
	}
	other := outcomesByID(second.Result)
	for _, o := range first.Outcomes {
		b, there := other[o.ID]
		delete(other, o.ID)
		switch {
		case !there || o.Signed() != b.Signed() || !equalAll(o.Signatures, b.Signatures):
			reply.Different = append(reply.Different, o.ID)
		case o.Signed():
			reply.Signed++
		default:
			reply.Refused++
		}
	}
	for _, o := range second.Outcomes {
		if _, left := other[o.ID]; left {
			reply.Different = append(reply.Different, o.ID)
		}
	}
	reply.Same = len(reply.Different) == 0 && reply.Signed > 0 && machines != oneMachine
	if err := a.JSON(reply); err != nil {
		return err
	}
	switch {
	case machines == oneMachine:
		return cli.Fail(cli.Failed,
			errors.New("both results are of one machine: one ledger has both, and nothing was compared"),
			"sign the request on the other machine, too, and compare what that one wrote")
	case reply.Same && machines == unknownMachines:
		fmt.Fprintln(a.Err,
			"the signatures are the same. That two machines made them the results do not say: compare --ledger asks the ledger of one of them")
	}
	if len(reply.Different) == 0 && !reply.Same {
		return cli.Fail(cli.Failed, errors.New("neither of them has a signature: nothing was compared"),
			"sign the request on both machines")
	}
	if !reply.Same {
		return cli.Fail(cli.Failed, fmt.Errorf("%s differ", counted(len(reply.Different), "item", "items")),
			"broadcast neither: one of the two signers is not what it should be, or had another policy or ledger")
	}
	return nil
}

// How many machines two results are of.
const (
	oneMachine      = "one"
	twoMachines     = "two"
	unknownMachines = "unknown"
)

// machines says how many machines two results are of: each names a line of the
// ledger that it was recorded in, and one ledger has the lines of its machine alone.
func (a *app) machines(first, second bundle.Result, own bool) (string, error) {
	switch {
	case bytes.Equal(first.LedgerHead, second.LedgerHead):
		return oneMachine, nil
	case !own:
		return unknownMachines, nil
	}
	s, err := a.openSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	_, hasFirst := s.Ledger.Line(first.LedgerHead)
	_, hasSecond := s.Ledger.Line(second.LedgerHead)
	switch {
	case hasFirst && hasSecond:
		return oneMachine, nil
	case hasFirst || hasSecond:
		return twoMachines, nil
	}
	return unknownMachines, nil
}

func equalAll(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func outcomesByID(r bundle.Result) map[string]bundle.Outcome {
	m := make(map[string]bundle.Outcome, len(r.Outcomes))
	for _, o := range r.Outcomes {
		m[o.ID] = o
	}
	return m
}

func (a *app) readResult(path string) (bundle.SealedResult, error) {
	b, err := a.read(path, bundle.MaxFile)
	if err != nil {
		return bundle.SealedResult{}, err
	}
	r, err := bundle.OpenResult(b)
	if err != nil {
		return bundle.SealedResult{}, cli.Fail(cli.BadBundle, fmt.Errorf("%s: %w", path, err),
			"compare wants two *.kmsres that sign wrote")
	}
	return r, nil
}
