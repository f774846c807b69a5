package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/review/tui"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
)

// decisions is where an unfinished session keeps what a person decided, beside
// the wallet. There is no secret in it. It is signed by the wallet's own
// identity: nobody else's marks are taken up.
type decisions struct {
	app     *app
	session *openSession
	judged  *offline.Judged
	by      string // operator who approves; "": whoever signs
}

// path is of one batch, and of one operator.
func (k decisions) path() string {
	path := fmt.Sprintf("%s.session-%.16s", k.session.wallet.Path(), k.judged.Request.Digest)
	if k.by != "" {
		path += "." + k.by
	}
	return path
}

// all are the decisions about the same batch, of whoever signs and of each operator.
// What one of them approved counts for that one only; what one rejected, for all.
func (k decisions) all() []decisions {
	list := []decisions{{k.app, k.session, k.judged, ""}}
	for _, o := range k.session.Operators {
		list = append(list, decisions{k.app, k.session, k.judged, o.Name})
	}
	return list
}

// encode is the one form of a file: what was decided about this batch as it
// was judged, and the signature.
func (k decisions) encode(judgement, marks string) []byte {
	title := "coldkms session 1"
	if k.by != "" {
		title += " of " + k.by
	}
	text := fmt.Appendf(nil, "%s\n%s\n%s\n%s\n", title, k.judged.Request.Digest, judgement, marks)
	return fmt.Appendf(text, "%x\n", k.session.Identity.Sign(text))
}

// keep writes down what was decided so far.
func (k decisions) keep(marks string) error {
	if err := durable.Replace(k.app.fs, k.path(), k.encode(k.judged.Judgement(), marks), durable.PermFile, nil); err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("keep what was decided: %w", err), "nothing was signed")
	}
	return nil
}

// unfinished is what a file says.
type unfinished struct {
	marks     string
	judgement string // of the batch as it was then
}

// errUnreadable is returned where decisions are kept that cannot be read: what
// somebody rejected may be among them.
var errUnreadable = errors.New("what an earlier session decided about this batch is kept and cannot be read")

// load returns what was decided about this batch in an earlier session, and
// whether there is a file. One that is not, byte for byte, what this wallet
// wrote about the batch is errUnreadable.
func (k decisions) load() (unfinished, bool, error) {
	const rest = 512 // of a file, besides the marks
	if _, err := k.app.fs.Lstat(k.path()); errors.Is(err, fs.ErrNotExist) {
		return unfinished{}, false, nil
	}
	file, err := durable.ReadFile(k.app.fs, k.path(), bundle.MaxItems+rest)
	if err != nil {
		return unfinished{}, true, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	lines := strings.Split(string(file), "\n")
	if len(lines) <= 3 || !bytes.Equal(file, k.encode(lines[2], lines[3])) {
		return unfinished{}, true, fmt.Errorf("%w: %s was cut or changed, or is of another batch", errUnreadable, k.path())
	}
	return unfinished{marks: lines[3], judgement: lines[2]}, true, nil
}

// readable returns nil unless there are decisions of anybody that cannot be read.
func (k decisions) readable() (err error) {
	for _, one := range k.all() {
		if _, _, wrong := one.load(); wrong != nil {
			err = wrong
		}
	}
	return oneLine(cli.Fail(cli.Refused, err, "nothing is signed: put the file back as it was, or, on a terminal, kms-offline sign FILE --out DIR and answer its question with discard"))
}

// discardUnreadable has a person say, and the ledger record, that decisions that
// cannot be read are given up. Anything else leaves them.
func (k decisions) discardUnreadable() error {
	err := k.readable()
	if err == nil {
		return nil
	}
	tty, none := openTerminal()
	if none != nil {
		return err
	}
	defer tty.close()
	tty.print(inLine(err.Error()) + ".\nIt may hold rejections: without them, look at every item again.\n")
	answer, wrong := tty.line("To give these decisions up, and have the ledger record that, type \"discard\"; anything else ends here: ")
	if wrong != nil || answer != "discard" {
		return err
	}
	if err := k.session.Discard(k.judged); err != nil {
		return ledgerError(err)
	}
	var failed error
	for _, one := range k.all() {
		if _, _, wrong := one.load(); wrong != nil {
			failed = errors.Join(failed, one.forget())
		}
	}
	return failed
}

// check refuses to sign all of a batch, by its digest, of which a person has
// rejected items in a session that is not finished.
func (k decisions) check() error { return k.checkOf("sign FILE --out DIR", k.all()...) }

// checkOwn refuses to approve all of a batch, by its digest, of which this operator
// has rejected items.
func (k decisions) checkOwn() error { return k.checkOf("approve FILE --operator "+k.by, k) }

func (k decisions) checkOf(command string, of ...decisions) error {
	told, err := k.notice(of...)
	if err == nil && told != "" {
		err = cli.Fail(cli.Refused, errors.New(told), "on a terminal: kms-offline "+command)
	}
	return err
}

// notice tells of sessions that have rejected items; it is empty where there are none.
func (k decisions) notice(of ...decisions) (string, error) {
	places, _, err := k.rejections(of...)
	if n := len(places); n > 0 {
		return fmt.Sprintf("an unfinished session about this batch has %s; take it up or decline it first",
			counted(n, "rejected item", "rejected items")), nil
	}
	return "", err
}

// rejections returns the places of the items that earlier sessions rejected
// and that are not refused since, and the lines that list them.
func (k decisions) rejections(of ...decisions) (places []int, lines string, err error) {
	if err := k.readable(); err != nil {
		return nil, "", err
	}
	var d *tui.Desk
	for _, one := range of {
		earlier, exists, err := one.load()
		if err != nil {
			return nil, "", err
		}
		if exists && d == nil {
			d = tui.New(k.judged.Batch)
		}
		if exists {
			d.Reject(earlier.marks)
		}
	}
	if d == nil {
		return nil, "", nil
	}
	return d.Rejected(), d.Rejections(), nil
}

// forgetAll removes the files of everybody: the batch was signed or declined, or
// what was rejected is on record.
func (k decisions) forgetAll() (err error) {
	for _, one := range k.all() {
		err = errors.Join(err, one.forget())
	}
	return err
}

// forget removes the file, if there is one.
func (k decisions) forget() error {
	if err := k.app.fs.Remove(k.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cli.Fail(cli.Failed, fmt.Errorf("forget what was decided: %w", err), "")
	}
	return nil
}

// resume takes up what was decided in an earlier session, unless the person
// clearly does not want it, and what others rejected in theirs: what somebody
// rejected is never signed by mistake.
func (k decisions) resume(t *terminal, d *tui.Desk) error {
	if err := k.resumeOwn(t, d); err != nil {
		return err
	}
	for _, one := range k.all() {
		if one.by == k.by {
			continue
		}
		earlier, _, err := one.load()
		if err != nil {
			return err
		}
		if d.Reject(earlier.marks) == 0 {
			continue
		}
		if err := settle(k.session, k.judged, d); err != nil {
			return err
		}
		t.print(cli.Printable(one.whose() + ", left unfinished, rejected items of this batch. " +
			"They are rejected here, too:\n" + d.Rejections()))
		if err := k.keep(d.Marks()); err != nil {
			return err
		}
	}
	return nil
}

// whose names a session at the beginning of a sentence.
func (k decisions) whose() string {
	if k.by == "" {
		return "A session of sign"
	}
	return "A session of operator " + k.by
}

// resumeOwn takes up the decisions of the same person.
func (k decisions) resumeOwn(t *terminal, d *tui.Desk) error {
	earlier, exists, err := k.load()
	switch {
	case err != nil || !exists:
		return err
	}
	n := d.Reject(earlier.marks) // before it is compared: what is refused for a conflict depends on that
	if err := settle(k.session, k.judged, d); err != nil {
		return err
	}
	if earlier.judgement != k.judged.Judgement() || !d.SetMarks(earlier.marks) {
		return k.resumeRejections(t, d, n)
	}
	approved, rejected, undecided := d.Count()
	if approved+rejected == 0 { // all of it was undone
		return nil
	}
	t.print(fmt.Sprintf("An earlier session about this batch was left unfinished:\n%d approved, %d rejected, %d undecided.\n", approved, rejected, undecided))
	t.print(cli.Printable(d.Rejections()) + "A no forgets all of that, rejections too.\n")
	keep, err := t.confirmUnlessNo("Take it up?")
	if err != nil || keep {
		return err
	}
	d.SetMarks(string(bytes.Repeat([]byte{byte(tui.Undecided)}, len(earlier.marks))))
	if err := settle(k.session, k.judged, d); err != nil {
		return err
	}
	return k.forget()
}

// resumeRejections takes up what was rejected before the batch was judged
// otherwise. Nothing else that was decided then holds.
func (k decisions) resumeRejections(t *terminal, d *tui.Desk, n int) error {
	if n == 0 {
		t.print("An earlier session about this batch is not taken up: the batch is judged otherwise now.\n")
		return k.forget()
	}
	t.print(fmt.Sprintf("An earlier session about this batch was left unfinished, and the batch is judged\notherwise now: of what was decided, %s taken up.\n",
		counted(n, "rejection is", "rejections are")))
	t.print(cli.Printable(d.Rejections()))
	return k.keep(d.Marks())
}

// tellUnfinished adds to a review that a session about the batch has rejected
// items.
func (a *app) tellUnfinished(session *openSession, judged *offline.Judged) error {
	kept := decisions{a, session, judged, ""}
	told, err := kept.notice(kept.all()...)
	if told != "" {
		judged.Batch.Notices = append(judged.Batch.Notices, told)
	}
	return err
}
