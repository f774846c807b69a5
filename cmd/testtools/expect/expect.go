//go:build unix

// Package expect runs a program on a terminal of its own and answers its
// questions, as a person would. The demo and the tests use it: secrets can be
// given to kms-offline in no other way.
package expect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/creack/pty"
)

// Answer is typed, with Enter, once the terminal shows Prompt. Each is used
// once, in order.
type Answer struct{ Prompt, Reply string }

// Result is what a finished program left.
type Result struct {
	Stdout, Stderr string
	Screen         string // what the terminal showed
	Code           int    // exit code; -1 when killed by a signal
}

// Run starts a program on a new terminal and waits for it. The error is about
// running it at all; its exit code is in Result.
func Run(ctx context.Context, cmd *exec.Cmd, answers ...Answer) (Result, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return Result{}, fmt.Errorf("open a terminal: %w", err)
	}
	defer master.Close()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		slave.Close()
		return Result{}, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	slave.Close()
	// What a shell started is in its process group, and would keep the pipes open.
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()

	s := &screen{answers: answers}
	var reading sync.WaitGroup
	reading.Go(func() { s.watch(master) })
	err = cmd.Wait()
	master.Close() // ends the reader where the kernel has not already
	reading.Wait()
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("%s: %w; its terminal showed %q, stderr %q", cmd.Path, ctx.Err(), s.text.String(),
			stderr.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("wait for %s: %w", cmd.Path, err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Screen: s.text.String(),
		Code: cmd.ProcessState.ExitCode()}, nil
}

type screen struct {
	text    strings.Builder
	done    int // bytes of text that an answer was given for
	answers []Answer
}

// watch reads what the terminal shows and types each answer when its prompt
// has come. It ends when the terminal is closed.
func (s *screen) watch(master interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
}) {
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		s.text.Write(buf[:n])
		for len(s.answers) > 0 {
			at := strings.Index(s.text.String()[s.done:], s.answers[0].Prompt)
			if at < 0 {
				break
			}
			s.done += at + len(s.answers[0].Prompt)
			if _, err := master.Write([]byte(s.answers[0].Reply + "\n")); err != nil {
				return
			}
			s.answers = s.answers[1:]
		}
		if err != nil {
			return
		}
	}
}
