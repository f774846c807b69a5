package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/review/desk"
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
}

// path is of one batch.
func (k decisions) path() string {
	return fmt.Sprintf("%s.session-%.16s", k.session.wallet.Path(), k.judged.Request.Digest)
}

// encode is the one form of a file: what was decided about this batch as it
// is judged now, and the signature.
func (k decisions) encode(marks string) []byte {
	text := fmt.Appendf(nil, "coldkms session 1\n%s\n%s\n%s\n", k.judged.Request.Digest, k.judged.Judgement(), marks)
	return fmt.Appendf(text, "%x\n", k.session.Identity.Sign(text))
}

// keep writes down what was decided so far.
func (k decisions) keep(marks string) error {
	if err := durable.Replace(k.app.fs, k.path(), k.encode(marks), durable.PermFile, nil); err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("keep what was decided: %w", err), "nothing was signed")
	}
	return nil
}

// marks gives what was decided about this batch in an earlier session. A file
// that is not, byte for byte, what this wallet wrote about the batch as it is
// judged now is none; stale says that there was one.
func (k decisions) marks() (marks string, stale bool, err error) {
	const rest = 512 // of a file, besides the marks
	file, err := durable.ReadFile(k.app.fs, k.path(), bundle.MaxItems+rest)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", true, nil // whatever it is, it is not ours
	}
	if lines := bytes.Split(file, []byte("\n")); len(lines) > 3 {
		marks = string(lines[3])
	}
	if !bytes.Equal(file, k.encode(marks)) {
		return "", true, nil
	}
	return marks, false, nil
}

// forget removes the file, if there is one.
func (k decisions) forget() error {
	if err := k.app.fs.Remove(k.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cli.Fail(cli.Failed, fmt.Errorf("forget what was decided: %w", err), "")
	}
	return nil
}

// resume takes up what was decided in an earlier session, if the person wants.
func (k decisions) resume(t *terminal, d *desk.Desk) error {
	marks, stale, err := k.marks()
	if err != nil {
		return err
	}
	if stale {
		t.print("An earlier session about this batch is not taken up: the batch is judged otherwise now.\n")
		return k.forget()
	}
	if marks == "" || !d.SetMarks(marks) {
		return nil
	}
	approved, rejected, undecided := d.Count()
	t.print(fmt.Sprintf("An earlier session about this batch was left unfinished:\n%d approved, %d rejected, %d undecided.\n", approved, rejected, undecided))
	yes, err := t.confirm("Take it up?")
	if err != nil || yes {
		return err
	}
	d.SetMarks(string(bytes.Repeat([]byte{byte(desk.Undecided)}, len(marks))))
	return k.forget()
}
