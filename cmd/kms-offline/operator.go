package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/offline/wallet"
	"coldkms/shared/identity"
)

func (a *app) operator() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operator add NAME | list | remove NAME",
		Short: "the people who must approve what policy wants approved",
		Long: `operator enrols the people whose approval a policy can demand ("quorum" in
docs/POLICY.md). Each has a key of their own in the wallet, under a password that
only they know. What is added and removed is on record in the ledger.`,
		Example: `  kms-offline --path wallet.kms operator add alice
  kms-offline --path wallet.kms operator list
  kms-offline --path wallet.kms operator remove alice`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.operatorAdd(), a.operatorList(), a.operatorRemove())
	return cmd
}

func (a *app) operatorAdd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "enrol an operator; asks twice for the operator's own password",
		Long: `add makes a key for a person and seals it under a password that this person types
twice, and that is not the wallet's. A forgotten password cannot be brought back:
remove the operator and add them again.`,
		Example: "  kms-offline --path wallet.kms operator add alice",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runOperatorAdd(args[0], file) },
	}
	operatorPasswordFlag(cmd, &file)
	return cmd
}

func operatorPasswordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "operator-password-file", "", "read the operator's password from this file (may be /dev/fd/N)")
}

func (a *app) operatorPassword(name, file string, fresh bool) ([]byte, error) {
	if file != "" {
		return a.passwordFrom(file)
	}
	tty, err := openTerminal()
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "give the operator's password with --operator-password-file")
	}
	defer tty.close()
	question := fmt.Sprintf("Enter the password of operator %s:", name)
	if !fresh {
		return tty.secret(question)
	}
	return tty.secretTwice(question, "Repeat the password:", "passwords")
}

type operatorReply struct {
	Name        string `json:"name"`
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
}

func replyOf(o wallet.Operator) operatorReply {
	return operatorReply{o.Name, fmt.Sprintf("%x", o.Key[:]), o.Key.Fingerprint()}
}

func (a *app) runOperatorAdd(name, file string) error {
	if err := wallet.CheckOperatorName(name); err != nil {
		return cli.Fail(cli.Usage, err, "")
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.MayAddOperator(name); err != nil { // before two people have typed their passwords
		return a.explainTaken(w, err)
	}
	password, err := a.operatorPassword(name, file, true)
	if err != nil {
		return err
	}
	defer clear(password)
	if err := a.checkStrength("the operator's password", password, networkOf(w.Wallet)); err != nil {
		return err
	}
	o, err := w.AddOperator(name, password, a.now().Unix())
	if err != nil {
		return err
	}
	if err := a.saveOperator(w, o, ledger.ActAdd); err != nil {
		return err
	}
	return a.JSON(replyOf(o))
}

// explainTaken says that wallet and ledger do not agree, where they do not: the
// name is in the wallet then, and its operator may not count.
func (a *app) explainTaken(w *opened, err error) error {
	if unsettled := a.unsettled(w); unsettled != nil {
		return unsettled
	}
	return cli.Fail(cli.Failed, err, "see kms-offline operator list")
}

// saveOperator records who comes or goes, then writes the wallet.
func (a *app) saveOperator(w *opened, o wallet.Operator, act string) error {
	who := operator.Operator{Name: o.Name, Key: o.Key}
	if err := a.record(w, ledger.Line{Kind: ledger.KindOperator, Act: act, Operators: []string{who.String()}}); err != nil {
		return err
	}
	return w.Save()
}

func (a *app) operatorList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "names and keys of the operators",
		Long: `list prints name, public key and fingerprint of each operator, and whether they
count: an operator whom the wallet has and the ledger does not approves nothing.

Exit status: 0, or 20 where wallet and ledger do not agree, or the ledger does not
hold.`,
		Example: "  kms-offline --path wallet.kms operator list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w, err := a.open()
			if err != nil {
				return err
			}
			defer w.Close()
			list, bad := a.listOperators(w)
			if w.book != nil {
				if text := offline.OldCopy(w.book); text != "" {
					fmt.Fprintf(a.Err, "NOTICE: %s\n", text)
				}
			}
			if err := a.JSON(list); err != nil {
				return err
			}
			return bad
		},
	}
}

// listedOperator is an operator, and whether their approval counts.
type listedOperator struct {
	operatorReply
	Counts bool   `json:"counts"`
	Why    string `json:"why,omitempty"` // they do not
}

// listOperators lists the operators of a wallet. Its error is about the ledger.
func (a *app) listOperators(w *opened) ([]listedOperator, error) {
	list := []listedOperator{}
	for _, o := range w.Operators() {
		list = append(list, listedOperator{operatorReply: replyOf(o), Why: "the ledger cannot be asked"})
	}
	book, err := a.bookOf(w)
	if err != nil {
		return list, err
	}
	for i, o := range enrolled(w.Wallet) {
		if list[i].Counts = slices.Contains(book.Operators(), o.String()); list[i].Counts {
			list[i].Why = ""
		} else {
			list[i].Why = "by the ledger there is no such operator, or no more"
		}
	}
	return list, disagreement(w.Wallet, book)
}

func (a *app) operatorRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "take an operator out; asks first",
		Long: `remove deletes an operator's key. What anybody approved and is not signed yet counts
no more: it is approved again. It says how many operators are left and how many the
policy wants, and asks on the terminal. Without a terminal nobody is removed, unless
--yes says so.`,
		Example: "  kms-offline --path wallet.kms operator remove alice",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runOperatorRemove(args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask; needed where there is no terminal")
	return cmd
}

func (a *app) runOperatorRemove(name string, yes bool) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	o, err := findOperator(w, name)
	if err != nil {
		return err
	}
	if err := a.unsettled(w); err != nil {
		return err
	}
	text := fmt.Sprintf("Operator %s is removed: what anybody approved and is not signed yet counts no more. %s", name, a.quorumWithout(w))
	if err := agreeToRemoval(text, "operator "+name, yes); err != nil {
		return err
	}
	w.RemoveOperator(name)
	if err := a.saveOperator(w, o, ledger.ActRemove); err != nil {
		return err
	}
	if p, err := a.policyInForce(w); err == nil {
		few, err := a.quorumWarnings(w, p)
		if err != nil {
			return err
		}
		warn(a.Err, few)
	}
	return a.JSON(replyOf(o))
}

// quorumWithout says how many operators are left without one of them, and how
// many the policy wants.
func (a *app) quorumWithout(w *opened) string {
	p, err := a.policyInForce(w)
	left := len(w.Operators()) - 1
	if err != nil {
		return fmt.Sprintf("%s left.", counted(left, "operator is", "operators are"))
	}
	text := fmt.Sprintf("%s left, and the policy wants up to %d.", counted(left, "operator is", "operators are"), p.MostOperators())
	if left < p.MostOperators() {
		text += " What needs more is then signed by nobody."
	}
	return text
}

func findOperator(w *opened, name string) (wallet.Operator, error) {
	for _, o := range w.Operators() {
		if o.Name == name {
			return o, nil
		}
	}
	return wallet.Operator{}, cli.Fail(cli.Failed, fmt.Errorf("%w: %.40q", wallet.ErrNoOperator, name), "see kms-offline operator list")
}

// enrolled are the operators as a session knows them.
func enrolled(w *wallet.Wallet) []operator.Operator {
	var list []operator.Operator
	for _, o := range w.Operators() {
		list = append(list, operator.Operator{Name: o.Name, Key: o.Key})
	}
	return list
}

// unlock returns an operator's key, after the wait that earlier wrong passwords
// for it have earned.
func (a *app) unlock(w *opened, name, file string) (key identity.Private, err error) {
	err = a.guarded(w.Path()+"."+name, func() error {
		password, err := a.operatorPassword(name, file, false)
		if err != nil {
			return err
		}
		defer clear(password)
		key, err = w.UnlockOperator(name, password)
		return err
	})
	if errors.Is(err, wallet.ErrWrongPassword) {
		return key, cli.Fail(cli.WrongPassword, err, "nothing was approved")
	}
	return key, err
}
