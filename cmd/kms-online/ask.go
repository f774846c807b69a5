package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
)

const (
	maxAnswer   = 4096 // bytes that are typed for one question
	interrupted = 130  // exit status after Ctrl-C at a question, as a shell reports it
)

var (
	errNoTerminal = errors.New("there is no terminal to ask on")
	errTooLong    = fmt.Errorf("more than %d bytes typed", maxAnswer)
)

// asker asks a person on the terminal itself, also where stdin and stdout are
// redirected. What was typed before a question is no answer to it.
type asker struct{ tty *os.File }

func openAsker() (*asker, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	return &asker{tty}, nil
}

// close closes the terminal; a nil receiver is a no-op. What was typed and not asked
// for goes to nobody: a shell would run it.
func (q *asker) close() {
	if q != nil {
		_ = cli.DropTyped(int(q.tty.Fd()))
		_ = q.tty.Close()
	}
}

// ask discards type-ahead, then shows a question.
func (q *asker) ask(question string) error {
	if err := cli.DropTyped(int(q.tty.Fd())); err != nil {
		return fmt.Errorf("discard what was typed before the question: %w", err)
	}
	_, err := io.WriteString(q.tty, cli.Printable(question))
	return err
}

// line asks for a line that is echoed.
func (q *asker) line(question string) (string, error) {
	if err := q.ask(question); err != nil {
		return "", err
	}
	var answer []byte
	one := make([]byte, 1)
	for len(answer) <= maxAnswer {
		if n, err := q.tty.Read(one); n == 0 || err != nil {
			return "", errNoTerminal
		}
		if one[0] == '\n' || one[0] == '\r' {
			return strings.TrimSpace(string(answer)), nil
		}
		answer = append(answer, one[0])
	}
	return "", errTooLong
}

// secret asks for a line that is not echoed. A signal meanwhile ends the program
// with the terminal as it was.
func (q *asker) secret(question string) (string, error) {
	fd := int(q.tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", errNoTerminal
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	answered := make(chan struct{})
	defer close(answered)
	go func() {
		select {
		case <-signals:
			_ = term.Restore(fd, before)
			fmt.Fprintln(q.tty)
			os.Exit(interrupted)
		case <-answered:
		}
	}()
	if err := q.ask(question); err != nil {
		return "", err
	}
	answer, err := term.ReadPassword(fd)
	fmt.Fprintln(q.tty)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	if len(answer) > maxAnswer {
		return "", errTooLong
	}
	return strings.TrimSpace(string(answer)), nil
}

// confirm asks a question that only "y" or "yes" answers with yes.
func (q *asker) confirm(question string) (bool, error) {
	answer, err := q.line(question + " [y/N] ")
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", err
}
