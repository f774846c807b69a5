package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/screen"
)

// maxAnswer bounds what is read for one question, in bytes.
const maxAnswer = 4096

var errNoTerminal = errors.New("there is no terminal to ask on")

// terminal asks a person. Questions and answers go over the terminal
// itself, never over stdin and stdout, so that a redirected program still
// asks the person who sits there.
//
// Type-ahead is discarded: ask shows every question, and every answer is read
// by secret, typed or console.session, which begin with it or with discard.
// TestOnlyTheTerminalReads fails where other code reads from a terminal.
type terminal struct{ tty *os.File }

func openTerminal() (*terminal, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	return &terminal{tty: tty}, nil
}

// close closes the terminal; a nil receiver is a no-op. What was typed and not
// asked for goes to nobody: it may be a password, and a shell would run it.
func (t *terminal) close() {
	if t != nil {
		_ = t.discard()
		_ = t.tty.Close()
	}
}

// discard drops what was typed and not read yet.
func (t *terminal) discard() error {
	if err := cli.DropTyped(int(t.tty.Fd())); err != nil {
		return fmt.Errorf("discard what was typed before the question: %w", err)
	}
	return nil
}

// ask discards type-ahead, then shows a question: whoever typed before could
// not know what would be asked.
func (t *terminal) ask(question string) error {
	if err := t.discard(); err != nil {
		return err
	}
	_, err := io.WriteString(t.tty, cli.Printable(question))
	return err
}

// secret asks for a line that is not echoed. The caller wipes it.
func (t *terminal) secret(question string) (answer []byte, err error) {
	t.restoring(func() {
		fd := int(t.tty.Fd())
		noEcho(fd)
		if err = t.ask(question); err != nil {
			return
		}
		answer, err = term.ReadPassword(fd)
		fmt.Fprintln(t.tty)
	})
	if err != nil {
		return nil, fmt.Errorf("read from the terminal: %w", err)
	}
	if len(answer) > maxAnswer {
		clear(answer)
		return nil, fmt.Errorf("more than %d bytes typed", maxAnswer)
	}
	return answer, nil
}

// secretTwice asks for a secret and once more for the same. The caller wipes it.
func (t *terminal) secretTwice(question, repeat, what string) ([]byte, error) {
	first, err := t.secret(question)
	if err != nil {
		return nil, err
	}
	again, err := t.secret(repeat)
	defer clear(again)
	if err == nil && !bytes.Equal(first, again) {
		err = cli.Fail(cli.Failed, fmt.Errorf("the two %s differ", what), "nothing was changed: try again")
	}
	if err != nil {
		clear(first)
		return nil, err
	}
	return first, nil
}

// line asks for a line that is echoed.
func (t *terminal) line(question string) (string, error) {
	answer, err := t.typed(question)
	return string(answer), err
}

// typed asks for a line that is echoed, and that the caller may wipe. Spaces
// around it are dropped. A line with a character that no terminal shows is asked
// for again: a person answers what they see.
func (t *terminal) typed(question string) ([]byte, error) {
	for {
		if err := t.ask(question); err != nil {
			return nil, err
		}
		answer, err := t.readLine()
		if err != nil {
			return nil, err
		}
		answer = bytes.Trim(answer, " ")
		hidden, has := hiddenIn(answer)
		if !has {
			return answer, nil
		}
		clear(answer)
		t.print(fmt.Sprintf("That line has a character that is not seen (%U), and was not taken: type it again.\n", hidden))
	}
}

// readLine reads up to the end of a line, which it drops.
func (t *terminal) readLine() ([]byte, error) {
	answer := make([]byte, 0, maxAnswer+1)
	one := make([]byte, 1)
	for len(answer) <= maxAnswer {
		n, err := t.tty.Read(one)
		if n == 0 || err != nil {
			if errors.Is(err, io.EOF) || err == nil {
				return nil, errNoTerminal
			}
			return nil, fmt.Errorf("read from the terminal: %w", err)
		}
		if one[0] == '\n' || one[0] == '\r' {
			return answer, nil
		}
		answer = append(answer, one[0])
	}
	return nil, fmt.Errorf("more than %d bytes typed", maxAnswer)
}

// hiddenIn returns the first character of an answer that is shown as nothing, or
// as a space that it is not.
func hiddenIn(answer []byte) (hidden rune, has bool) {
	at := bytes.IndexFunc(answer, func(r rune) bool { return r != ' ' && (screen.Deceives(r) || unicode.IsSpace(r)) })
	if at < 0 {
		return 0, false
	}
	hidden, _ = utf8.DecodeRune(answer[at:])
	return hidden, true
}

// confirm asks a question that only "y" or "yes" answers with yes, and nothing
// typed with no.
func (t *terminal) confirm(question string) (bool, error) {
	return t.yesOrNo(question+" [y/N] ", false)
}

// confirmUnlessNo asks a question that only "n" or "no" answers with no, and
// nothing typed with yes.
func (t *terminal) confirmUnlessNo(question string) (bool, error) {
	return t.yesOrNo(question+" [Y/n] ", true)
}

// yesOrNo asks until the answer is one of both, or nothing.
func (t *terminal) yesOrNo(question string, unsaid bool) (bool, error) {
	for {
		answer, err := t.line(question)
		if err != nil {
			return false, err
		}
		switch answer {
		case "":
			return unsaid, nil
		case "y", "Y", "yes", "Yes", "YES":
			return true, nil
		case "n", "N", "no", "No", "NO":
			return false, nil
		}
		t.print("Answer y or n.\n")
	}
}

// print shows text on the terminal, for what must not go to stdout.
func (t *terminal) print(s string) { fmt.Fprint(t.tty, cli.Printable(s)) }

// printable escapes what could deceive the reader of a terminal.
type printable struct{ w io.Writer }

// Write implements io.Writer.
func (p printable) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.w, cli.Printable(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// counted returns "1 item", "2 items".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
