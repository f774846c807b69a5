package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// person sits at a terminal of 80 columns and 24 lines: sees what a VT100
// would show, and types.
type person struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	slave  *os.File // kept open, to look at how the terminal is set
	stdout bytes.Buffer
	stderr bytes.Buffer

	mu     sync.Mutex
	screen vt100
	last   time.Time
	read   chan struct{}
}

const columns, rows = 80, 24

// sit starts a program on a new terminal.
func sit(t *testing.T, cmd *exec.Cmd) *person {
	t.Helper()
	return sitAfter(t, cmd, "")
}

// sitAfter starts a program on a new terminal on which keys were pressed
// before.
func sitAfter(t *testing.T, cmd *exec.Cmd, keys string) *person {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, cmd: cmd, master: master, slave: slave, read: make(chan struct{})}
	cmd.Env = append(os.Environ(), "TERM=vt100")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, &p.stdout, &p.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	p.types(keys)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.watch()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		slave.Close()
		master.Close()
		<-p.read
	})
	return p
}

func (p *person) watch() {
	defer close(p.read)
	buf := make([]byte, 4096)
	for {
		n, err := p.master.Read(buf)
		p.mu.Lock()
		p.screen.write(buf[:n])
		p.last = time.Now()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// sees waits until the screen shows a text and then stays as it is for a
// moment, and returns the screen.
func (p *person) sees(text string) string {
	p.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		shown, quiet := p.screen.String(), time.Since(p.last) > moment
		p.mu.Unlock()
		if quiet && strings.Contains(shown, text) {
			return shown
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Fatalf("the screen never shows %q; it shows:\n%s\nstderr: %s", text, p.screen.String(), p.stderr.String())
	return ""
}

// types presses keys.
func (p *person) types(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// waits returns the exit code, once all that the program wrote is on the screen.
func (p *person) waits() int {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case <-done:
		p.settles()
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(2 * time.Minute):
		p.t.Fatalf("it does not end; the screen shows:\n%s", p.screen.String())
		return 0
	}
}

// settles waits until nothing new comes to the screen: what a program wrote last
// may be read after its end.
func (p *person) settles() {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		quiet := time.Since(p.last) > moment
		p.mu.Unlock()
		if quiet {
			return
		}
	}
}

// moment is how long nothing comes to a screen that is drawn.
const moment = 150 * time.Millisecond

// echoes reports whether the terminal shows what is typed, line by line.
func (p *person) echoes() bool {
	p.t.Helper()
	state, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0 && state.Lflag&unix.ICANON != 0 && state.Oflag&unix.OPOST != 0
}

// vt100 is a screen that knows what the program may send, and remembers what
// else it was sent.
type vt100 struct {
	cell     [rows][columns]byte
	row, col int
	sequence []byte
	escapes  int
	strange  []string

	marksPasted bool // bracketed paste is on
}

// String returns the lines without the spaces at their ends.
func (v *vt100) String() string {
	var b strings.Builder
	for _, line := range v.cell {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(string(line[:]), "\x00", " "), " ") + "\n")
	}
	return b.String()
}

func (v *vt100) write(b []byte) {
	for _, c := range b {
		v.put(c)
	}
}

func (v *vt100) put(c byte) {
	switch {
	case len(v.sequence) > 0:
		v.sequence = append(v.sequence, c)
		if c >= 0x40 && c <= 0x7e && len(v.sequence) > 2 || len(v.sequence) > 12 {
			v.control(string(v.sequence))
			v.sequence = nil
		}
	case c == 0x1b:
		v.escapes++
		v.sequence = append(v.sequence, c)
	case c == '\r':
		v.col = 0
	case c == '\n':
		v.feed()
	case c == 0x08: // the echo of a character that is taken back
		v.col = max(v.col-1, 0)
	case c < ' ' || c > '~':
		v.strange = append(v.strange, fmt.Sprintf("byte %#x", c))
	default:
		if v.col == columns {
			v.col = 0
			v.feed()
		}
		v.cell[v.row][v.col] = c
		v.col++
	}
}

func (v *vt100) feed() {
	if v.row++; v.row == rows {
		copy(v.cell[:], v.cell[1:])
		v.row, v.cell[rows-1] = rows-1, [columns]byte{}
	}
}

func (v *vt100) control(s string) {
	numbers, ok := strings.CutPrefix(s[:len(s)-1], "\x1b[")
	if !ok {
		v.strange = append(v.strange, s)
		return
	}
	switch s[len(s)-1] {
	case 'H':
		row, col, _ := strings.Cut(numbers, ";")
		v.row, v.col = number(row), number(col)
	case 'K':
		clear(v.cell[v.row][min(v.col, columns-1):])
	case 'J':
		clear(v.cell[v.row][v.col:])
		clear(v.cell[v.row+1:])
	case 'm':
		if numbers != "0" && numbers != "1" && numbers != "7" {
			v.strange = append(v.strange, s)
		}
	case 'h', 'l':
		if v.marksPasted = s[len(s)-1] == 'h'; numbers != "?2004" {
			v.strange = append(v.strange, s)
		}
	default:
		v.strange = append(v.strange, s)
	}
}

// number reads a coordinate, counted from 1.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0
	}
	return n - 1
}
