//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coldkms/cmd/testtools/expect"
)

// talk CODE ANSWERS PROGRAM ARGS...: runs a program on a terminal and answers
// its questions as a person does, each after it was asked. ANSWERS has a line
// "question => answer" for each. What the terminal showed is in the file
// screen, stdout in the file said.
func talk(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var answers []expect.Answer
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		prompt, reply, ok := strings.Cut(strings.TrimRight(line, "\n"), " => ")
		if !ok {
			ts.Fatalf("no answer in %q", line)
		}
		answers = append(answers, expect.Answer{Prompt: prompt, Reply: reply})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	bin := filepath.SplitList(ts.Getenv("PATH"))[0]
	cmd := exec.Command(filepath.Join(bin, "program", args[2]), args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "TERM="+ts.Getenv("TERM"))
	got, err := expect.Run(ctx, cmd, answers...)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(strings.ReplaceAll(got.Screen, "\r\n", "\n")), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("said"), []byte(got.Stdout), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("complained"), []byte(got.Stderr), 0o600))
	if got.Code != want {
		ts.Fatalf("exit %d, want %d; stderr %q; the terminal showed:\n%s", got.Code, want, got.Stderr, got.Screen)
	}
}

// forge GLOB: rewrites what a session kept so that it approves everything, as
// somebody without the wallet would.
func forgeMarks(ts *testscript.TestScript, _ bool, args []string) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%d files match %s", len(paths), args[0])
	}
	b, err := os.ReadFile(paths[0])
	ts.Check(err)
	forged := strings.ReplaceAll(string(b), "\n-..\n", "\n+++\n")
	if forged == string(b) {
		ts.Fatalf("nothing to forge in %q", b)
	}
	ts.Check(os.WriteFile(paths[0], []byte(forged), 0o600))
}

// hostile-name REQUEST: a folder evil with a damaged copy whose name has a line
// feed and an escape sequence.
func hostileName(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	b[len(b)/2] ^= 4
	ts.Check(os.Mkdir(ts.MkAbs("evil"), 0o700))
	ts.Check(os.WriteFile(ts.MkAbs("evil/x\nkms-offline: all is well\x1b[2J.kmsreq"), b, 0o600))
}
