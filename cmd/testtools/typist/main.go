//go:build unix

// Typist runs the program that TYPIST_PROGRAM names, under that program's
// arguments, on a terminal of its own, and types the lines of its own terminal
// into it: one for each question. The test scripts use it: their terminal has
// all lines from the start, and both programs discard what is typed ahead.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// programVar names the program to run.
const programVar = "TYPIST_PROGRAM"

func main() {
	code, err := run(os.Getenv(programVar), os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "typist:", err)
		code = 1
	}
	os.Exit(code)
}

func run(program string, args []string) (int, error) {
	own, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil { // no terminal: there is nothing to type
		return 1, syscall.Exec(program, args, os.Environ())
	}
	master, slave, err := pty.Open()
	if err != nil {
		return 1, err
	}
	cmd := &exec.Cmd{Path: program, Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: []*os.File{slave}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	slave.Close()
	done := make(chan struct{})
	go func() { defer close(done); answer(own, master) }()
	err = cmd.Wait()
	<-done
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// answer copies what master shows to own, and types a line of own whenever
// master shows a question. It returns when the program has closed its terminal.
func answer(own, master *os.File) {
	lines := bufio.NewReader(own)
	shown := make(chan []byte)
	go func() {
		defer close(shown)
		for {
			buf := make([]byte, 4096)
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			shown <- buf[:n]
		}
	}()
	last := ""
	for {
		select {
		case b, more := <-shown:
			if !more {
				return
			}
			_, _ = own.Write(b)
			last += string(b)
			last = last[strings.LastIndexByte(last, '\n')+1:]
		case <-time.After(30 * time.Millisecond):
			if !isQuestion(last) {
				continue
			}
			last = ""
			line, err := lines.ReadString('\n')
			if err != nil {
				line = "\x04" // end of file
			}
			_, _ = master.WriteString(line)
		}
	}
}

// isQuestion reports whether a line that is not ended asks for an answer.
func isQuestion(line string) bool {
	line = strings.TrimRight(line, " ")
	return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "]")
}
