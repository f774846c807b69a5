package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
)

func (a *app) policy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy set FILE | show | confirm | check FILE | example | payees",
		Short: "the rules by which transactions are refused or flagged",
		Long: `policy sets and shows the rules: chains, destinations, limits, fees, operators.
They are in a file that docs/POLICY.md explains, kept in the wallet under its
password; the hash of the policy in force is in every line of the ledger and in
every result. Before one is set, a built-in policy is in force. Once one was set,
a wallet without exactly that one signs nothing until it is set again.`,
		Example: `  kms-offline policy example > policy.json
  kms-offline policy check policy.json
  kms-offline --path wallet.kms policy set policy.json
  kms-offline --path wallet.kms policy show`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		subcommand("set FILE", "put a policy in force; shows what changes and asks",
			"--path wallet.kms policy set policy.json", cobra.ExactArgs(1),
			func(args []string) error { return a.setPolicy(args[0]) }),
		subcommand("show", "the policy in force, a sentence a rule; --json: its file",
			"--path wallet.kms policy show --json > policy.json", cobra.NoArgs,
			func([]string) error { return a.showPolicy() }),
		subcommand("confirm", "record the policy in force once more, after an accepted old copy was compared",
			"--path wallet.kms policy confirm", cobra.NoArgs,
			func([]string) error { return a.withLedger(a.confirmPolicy) }),
		subcommand("check FILE",
			"explain a file, and warn of rules that can never hold; with --path, also of those that do not fit that wallet",
			"--path wallet.kms policy check policy.json", cobra.ExactArgs(1),
			func(args []string) error { return a.checkPolicy(args[0]) }),
		subcommand("example [payroll|exchange|suppliers]",
			"print a file to begin with: one with every rule, or a ready one for a kind of company",
			"policy example payroll > policy.json", cobra.MaximumNArgs(1), a.examplePolicy),
		a.payees(),
	)
	return cmd
}

// subcommand returns a command that has no flags and no longer help than an
// example, of what is typed after the program's name.
func subcommand(use, short, example string, args cobra.PositionalArgs, run func([]string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Example: "  kms-offline " + example, Args: args,
		RunE: func(_ *cobra.Command, args []string) error { return run(args) }}
}

func (a *app) readPolicy(path string) (policy.Policy, error) {
	raw, err := a.read(path, policy.MaxSize+1)
	if err != nil {
		return policy.Policy{}, err
	}
	p, err := policy.Parse(families(), raw)
	if err != nil {
		return policy.Policy{}, cli.Fail(cli.Failed, fmt.Errorf("%s: %w", path, err), "nothing was changed; kms-offline policy example prints one that is sound, docs/POLICY.md explains each field")
	}
	return p, nil
}

func (a *app) setPolicy(path string) error {
	p, err := a.readPolicy(path)
	if err != nil {
		return err
	}
	return a.changePolicy(func(policy.Policy) (policy.Policy, error) { return p, nil })
}

// confirmPolicy ends the notice of an old copy that was accepted: a person has compared
// whose word counts now, and has it recorded with the policy that is in force.
func (a *app) confirmPolicy(s *openSession) error {
	switch _, old := s.Ledger.AcceptedOld(); {
	case !old:
		return cli.Fail(cli.Failed,
			errors.New("no old copy was accepted since the policy was set: there is nothing to confirm"), "")
	case s.noRules != nil:
		return policyError(s.noRules)
	case s.Unsettled != nil:
		return ledgerError(s.Unsettled)
	case s.Rules().Hash == "":
		return cli.Fail(cli.Failed, errors.New("no policy was ever set: there is none to confirm"),
			"set one: kms-offline policy example prints one to begin with")
	}
	if err := a.typedWord(a.whatIsBack(s), "confirm"); err != nil {
		return err
	}
	if err := a.putPolicy(s.wallet, s.Policy); err != nil {
		return err
	}
	return a.JSON(replyAbout(s.Ledger))
}

// changePolicy shows what changes of the policy in force, asks, and sets it.
func (a *app) changePolicy(to func(before policy.Policy) (policy.Policy, error)) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	before, err := a.policyBefore(w)
	if err != nil {
		return err
	}
	p, err := to(before)
	if err != nil {
		return err
	}
	old, err := a.acceptedOld(w)
	if err != nil {
		return err
	}
	changed := !bytes.Equal(before.Hash(), p.Hash())
	recorded := changed || old // after an old copy, the same is recorded too
	fits, err := a.walletWarnings(w, p)
	if err != nil {
		return err
	}
	warnings := append(append([]string{}, p.Warnings()...), fits...)
	if recorded {
		if err := a.agreeToPolicy(before, p, warnings); err != nil {
			return err
		}
		if err := a.putPolicy(w, p); err != nil {
			return err
		}
	}
	return a.JSON(struct {
		Policy   string   `json:"policy"`
		Changed  bool     `json:"changed"`
		Recorded bool     `json:"recorded"` // also the same one, where an old copy was accepted
		Warnings []string `json:"warnings"`
	}{hex.EncodeToString(p.Hash()), changed, recorded, warnings})
}

// policyBefore is the policy in force. One that cannot be used is said aloud
// and counts as one that allows nothing, which is what it did.
func (a *app) policyBefore(w *opened) (policy.Policy, error) {
	before, err := a.policyInForce(w)
	if errors.Is(err, offline.ErrPolicy) {
		fmt.Fprintf(a.Err, "until now nothing was signed: %s\n", cli.Printable(err.Error()))
		return policy.Policy{}, nil
	}
	return before, err
}

func (a *app) policyInForce(w *opened) (policy.Policy, error) {
	book, err := a.bookOf(w)
	if err != nil {
		return policy.Policy{}, err
	}
	return offline.InForce(families(), w.Policy(), book)
}

// acceptedOld reports whether an old copy of the ledger was accepted, and no
// policy set since.
func (a *app) acceptedOld(w *opened) (bool, error) {
	book, err := a.bookOf(w)
	if err != nil {
		return false, err
	}
	_, is := book.AcceptedOld()
	return is, nil
}

// putPolicy records the policy, then keeps it. Where only the first is done,
// nothing is signed until the policy is set again.
func (a *app) putPolicy(w *opened, p policy.Policy) error {
	canonical, err := p.Canonical()
	if err != nil {
		return err
	}
	if err := w.SetPolicy(canonical); err != nil {
		return err
	}
	if err := a.record(w, ledger.Line{Kind: ledger.KindPolicy, Policy: hex.EncodeToString(p.Hash())}); err != nil {
		return err
	}
	return w.Save()
}

// agreeToPolicy shows what changes and asks. With --password-file nothing is
// asked.
func (a *app) agreeToPolicy(before, after policy.Policy, warnings []string) error {
	if a.passwordFile != "" {
		tellChanges(a.Err, before, after, warnings)
		return nil
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, "give the password with --password-file")
	}
	defer tty.close()
	tellChanges(tty.tty, before, after, warnings)
	yes, err := tty.confirm("Set this policy?")
	if err != nil {
		return err
	}
	if !yes {
		return cli.Fail(cli.Declined, errors.New("declined: the policy was not set"), "")
	}
	return nil
}

// walletWarnings point at rules that do not fit this wallet: more operators than
// are enrolled, groups of entries that it does not have.
func (a *app) walletWarnings(w *opened, p policy.Policy) ([]string, error) {
	few, err := a.quorumWarnings(w, p)
	return append(p.GroupWarnings(w.Lookup), few...), err
}

// quorumWarnings counts the operators whose approval counts: who is in the wallet
// and not in the ledger approves nothing.
func (a *app) quorumWarnings(w *opened, p policy.Policy) ([]string, error) {
	book, err := a.bookOf(w)
	if err != nil {
		return nil, err
	}
	most, have := p.MostOperators(), 0
	for _, o := range enrolled(w.Wallet) {
		if slices.Contains(book.Operators(), o.String()) {
			have++
		}
	}
	if most <= have {
		return nil, nil
	}
	return []string{fmt.Sprintf("the policy wants up to %d operators, and %d are enrolled: "+
		"what needs more is signed by nobody", most, have)}, nil
}

func tellChanges(w io.Writer, before, after policy.Policy, warnings []string) {
	tell(w, before.Compare(after))
	warn(w, warnings)
}

func warn(w io.Writer, warnings []string) {
	for _, warning := range warnings {
		tell(w, []string{"warning: " + warning})
	}
}

func tell(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, cli.Printable(line))
	}
}

func (a *app) showPolicy() error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	p, err := a.policyInForce(w)
	if err != nil {
		return policyError(err)
	}
	if a.json {
		canonical, err := p.Canonical()
		if err != nil {
			return err
		}
		_, err = a.Out.Write(canonical)
		return err
	}
	if len(p.Hash()) == 0 {
		tell(a.Out, []string{"the built-in policy: none was ever set"})
	} else {
		tell(a.Out, []string{fmt.Sprintf("policy %x", p.Hash())})
	}
	tell(a.Out, p.Explain())
	return nil
}

func (a *app) checkPolicy(path string) error {
	p, err := a.readPolicy(path)
	if err != nil {
		return err
	}
	warnings, err := a.warningsOf(p)
	if err != nil {
		return err
	}
	if a.json {
		return a.JSON(struct {
			Policy   string   `json:"policy"`
			Rules    []string `json:"rules"`
			Warnings []string `json:"warnings"`
		}{hex.EncodeToString(p.Hash()), p.Explain(), append([]string{}, warnings...)})
	}
	tell(a.Out, append([]string{fmt.Sprintf("policy %x", p.Hash())}, p.Explain()...))
	warn(a.Err, warnings)
	return nil
}

// warningsOf are those about a file by itself and, where --path names a wallet,
// those about it with that wallet.
func (a *app) warningsOf(p policy.Policy) ([]string, error) {
	if a.path == "" {
		return p.Warnings(), nil
	}
	w, err := a.open()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	fits, err := a.walletWarnings(w, p)
	return append(p.Warnings(), fits...), err
}

func (a *app) examplePolicy(args []string) error {
	text := policy.Example()
	if len(args) > 0 {
		var ok bool
		if text, ok = policy.Ready(args[0]); !ok {
			return cli.Fail(cli.Usage, fmt.Errorf("there is no ready policy %.40q", args[0]),
				"one of "+strings.Join(policy.ReadyNames(), ", "))
		}
	}
	fmt.Fprintln(a.Err, "docs/POLICY.md explains each field; amounts are in the smallest unit, such as satoshi")
	_, err := io.WriteString(a.Out, text)
	return err
}

// policyError adds an exit code and a hint to a policy's error.
func policyError(err error) error {
	if errors.Is(err, offline.ErrPolicy) {
		return cli.Fail(cli.Refused, err, "nothing is signed without it: set it again with kms-offline policy set FILE")
	}
	return err
}

// isOffline reports whether every network interface is known to be down.
func (a *app) isOffline() bool {
	if a.online == nil {
		return false
	}
	up, known := a.online()
	return known && len(up) == 0
}
