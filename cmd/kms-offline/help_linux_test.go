package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// Help fits the terminal, and has headings in bold there unless NO_COLOR is set.
func TestHelpOnATerminal(t *testing.T) {
	program := cheapProgram(t)
	for _, c := range []struct {
		columns, most uint16
		environment   string
		bold          bool
	}{
		{60, 60, "NO_COLOR=", true},
		{60, 60, "NO_COLOR=1", false},
		{60, 60, "TERM=dumb", false},
		{400, 100, "NO_COLOR=1", false},
	} {
		cmd := exec.Command(program, "help")
		cmd.Env = append(os.Environ(), "TERM=xterm", c.environment)
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: c.columns})
		if err != nil {
			t.Fatal(err)
		}
		shown, _ := io.ReadAll(tty) // ends with an error when the program has closed its terminal
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, shown)
		}
		text := string(shown)
		if got := strings.Contains(text, "\x1b[1mSign\x1b[0m:"); got != c.bold {
			t.Errorf("%s, %d columns: bold is %v", c.environment, c.columns, got)
		}
		typed := false // in the examples, which are typed as they are
		for line := range strings.Lines(strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(text)) {
			line = strings.TrimRight(line, "\r\n")
			typed = line == "Examples:" || typed && line != ""
			if len(line) > int(c.most) && !typed {
				t.Errorf("%d columns: %q", c.columns, line)
			}
		}
	}
}
