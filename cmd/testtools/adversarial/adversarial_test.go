//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/creack/pty"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/parallel"
)

// What one run may take. The largest inputs are 64 MB of file and 256 MB of
// content; nearly all need less than a tenth of this.
const (
	maxMemory = 1 << 30 // bytes resident
	maxTime   = 30 * time.Second
	maxOutput = 64 << 20 // bytes
)

// Every input of the corpus is given to the real program: refused or flagged
// with the code that the index says, within bounds, with no signature and no
// control character coming out.
//
//	go test ./... -run Hostile -v
func TestHostile(t *testing.T) {
	dir := t.TempDir()
	cases := generated(t, dir)
	if n := count(cases); n < 1200 {
		t.Fatalf("only %d hostile inputs", n)
	}
	met, most := make([]bool, len(cases)), make([]bounds, len(cases))
	parallel.Each(len(cases), func(i int) {
		r := &run{t: t, dir: dir, work: filepath.Join(dir, fmt.Sprint("work-", i)), e: cases[i]}
		r.start()
		r.meet()
		met[i], most[i] = !r.failed, r.most
		_ = os.RemoveAll(r.work)
	})
	hostile, all := 0, bounds{}
	for i, e := range cases {
		if !e.Sound && met[i] {
			hostile++
		}
		all.take(most[i])
	}
	held, scenes := playScenes(t, dir)
	fmt.Printf("hostile: %d/%d (and %d sound ones signed; at most %d MB and %v)\n",
		hostile+held, count(cases)+scenes, len(cases)-count(cases), all.memory>>20, all.took.Round(time.Millisecond))
}

// generated builds both programs, writes the corpus and reads its index. The
// generator is a process of its own: on Linux a child begins with the memory
// that its parent has, and that is measured.
func generated(t *testing.T, dir string) (cases []Case) {
	t.Helper()
	build := exec.Command("go", "build", "-tags", "coldkms_cheap_kdf", "-o", dir, "coldkms/cmd/kms-offline",
		"coldkms/cmd/testtools/adversarial")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if out, err := exec.Command(filepath.Join(dir, "adversarial"), "-out",
		filepath.Join(dir, "corpus")).CombinedOutput(); err != nil {
		t.Fatalf("generator: %v\n%s", err, out)
	}
	index, err := os.ReadFile(filepath.Join(dir, "corpus", "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(index, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// bounds is what a run took.
type bounds struct {
	memory int64
	took   time.Duration
}

func (b *bounds) take(o bounds) { b.memory, b.took = max(b.memory, o.memory), max(b.took, o.took) }

// run is one case on a fresh copy of the wallet.
type run struct {
	t         *testing.T
	dir, work string
	e         Case
	input     string
	most      bounds
	failed    bool
}

func (r *run) errorf(format string, args ...any) {
	r.failed = true
	r.t.Errorf("%s: %s", r.e.Name, fmt.Sprintf(format, args...))
}

func (r *run) start() {
	err := os.Mkdir(r.work, 0o700)
	for _, name := range []string{walletName, walletName + ".ledger", walletName + ".ledger.mark", "pw"} {
		var b []byte
		if err == nil {
			b, err = os.ReadFile(filepath.Join(r.dir, "corpus", name))
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(r.work, name), b, 0o600)
		}
	}
	if err == nil {
		r.input, err = r.e.in(filepath.Join(r.dir, "corpus"))
	}
	if err != nil {
		r.errorf("%v", err)
	}
}

// reply is what a run of the program left.
type reply struct {
	code           int
	stdout, stderr []byte
}

// command makes one run of the program, without a terminal.
func (r *run) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(r.dir, "kms-offline"),
		append([]string{"--path", walletName, "--password-file", "pw"}, args...)...)
	cmd.Dir = r.work
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

func (r *run) do(args ...string) reply {
	cmd := r.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	r.wait(cmd)
	for name, b := range map[string][]byte{"stdout": out.Bytes(), "stderr": errs.Bytes()} {
		if err := clean(b); err != nil {
			r.errorf("%v: %s: %v", args, name, err)
		}
	}
	return reply{cmd.ProcessState.ExitCode(), out.Bytes(), errs.Bytes()}
}

// wait runs a command within the bounds.
func (r *run) wait(cmd *exec.Cmd) {
	start := time.Now()
	err := cmd.Start()
	if err == nil {
		killer := time.AfterFunc(maxTime, func() { _ = cmd.Process.Kill() })
		err = cmd.Wait()
		killer.Stop()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	b := bounds{took: time.Since(start)}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		b.memory = usage.Maxrss << 10
	}
	r.most.take(b)
	if b.took >= maxTime || b.memory > maxMemory {
		r.errorf("%v took %v and %d MB", cmd.Args[5:], b.took, b.memory>>20)
	}
}

// clean finds what must not reach a terminal: control and format characters,
// separators of lines, what is shown as nothing, and what is no text.
func clean(b []byte) error {
	if len(b) > maxOutput {
		return fmt.Errorf("%d bytes", len(b))
	}
	for at := 0; at < len(b); {
		c, size := utf8.DecodeRune(b[at:])
		switch {
		case c == utf8.RuneError && size == 1:
			return fmt.Errorf("byte %#x at %d is no text: %.80q", b[at], at, b[max(0, at-20):])
		case c == '\n':
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point,
			unicode.Variation_Selector):
			return fmt.Errorf("%U at %d: %.80q", c, at, b[max(0, at-20):])
		}
		at += size
	}
	return nil
}

// meet returns the input to every command that reads it.
func (r *run) meet() {
	if r.e.Command != nil {
		args := slices.Clone(r.e.Command)
		for i := range args {
			if args[i] == "{}" {
				args[i] = r.input
			}
		}
		r.wants(r.do(args...), r.e.Exit)
		return
	}
	args := append(slices.Clone(r.e.Flags), "review", r.input)
	review := r.screen(args...)
	if r.e.Code != "" || r.e.Sound {
		review = r.do(append([]string{"--json"}, args...)...)
	}
	if r.e.Sound {
		r.signs(review)
		return
	}
	r.wants(review, r.e.Exit)
	r.signsNothing()
	if r.e.Code == chain.FlagData || r.e.Code == chain.FlagLookAlike {
		r.declines("sign", r.input, "--out", "out", "--plain")
	}
}

// onTerminal returns a command with all its streams on a new terminal.
func (r *run) onTerminal(args ...string) (cmd *exec.Cmd, master, slave *os.File) {
	master, slave, err := pty.Open()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd = r.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return cmd, master, slave
}

// declines signs on a terminal, and says no.
func (r *run) declines(args ...string) {
	cmd, master, slave := r.onTerminal(args...)
	var shown bytes.Buffer
	quiet := time.AfterFunc(maxTime/2, func() { _, _ = master.WriteString("no\n") })
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			shown.Write(b[:n])
			if err != nil {
				return
			}
			if bytes.Contains(shown.Bytes(), []byte(pendingWord)) {
				quiet.Reset(300 * time.Millisecond)
			}
		}
	}()
	r.wait(cmd)
	slave.Close()
	<-done
	quiet.Stop()
	master.Close()
	if code := cmd.ProcessState.ExitCode(); code != cli.Declined {
		r.errorf("declined: exit %d", code)
	}
	if err := clean(bytes.ReplaceAll(shown.Bytes(), []byte("\r\n"), []byte("\n"))); err != nil {
		r.errorf("the terminal gets %v", err)
	}
	if !bytes.Contains(shown.Bytes(), []byte(pendingWord)) {
		r.errorf("nothing is shown: %q", shown.Bytes())
	}
	r.noSignatures()
}

// pendingWord is in what a person is shown of a flagged item.
const pendingWord = "NOTE"

// wants compares a reply with the index.
func (r *run) wants(got reply, exit int) {
	if got.code != exit {
		r.errorf("exit %d, want %d: %.300s%.300s", got.code, exit, got.stderr, got.stdout)
	}
	if !bytes.Contains(got.stderr, []byte(r.e.Says)) {
		r.errorf("stderr does not say %q: %.300s", r.e.Says, got.stderr)
	}
	if r.e.Code == "" {
		return
	}
	var batch struct {
		Items []struct {
			Verdict string
			Codes   []chain.Code
		}
	}
	if err := json.Unmarshal(got.stdout, &batch); err != nil {
		r.errorf("%v: %.200q", err, got.stdout)
		return
	}
	verdict := "refused"
	if r.e.Flagged {
		verdict = "flagged"
	}
	for _, it := range batch.Items {
		if it.Verdict == verdict && slices.Contains(it.Codes, r.e.Code) {
			return
		}
	}
	r.errorf("no item is %s with code %s: %+v", verdict, r.e.Code, batch.Items[:min(3, len(batch.Items))])
}

// screen runs a command with everything on a terminal, and looks at what the
// terminal gets.
func (r *run) screen(args ...string) reply {
	cmd, master, slave := r.onTerminal(args...)
	var shown bytes.Buffer
	done := make(chan struct{})
	go func() {
		_, _ = shown.ReadFrom(master) // ends with an error when the terminal is gone
		close(done)
	}()
	r.wait(cmd)
	slave.Close()
	<-done
	master.Close()
	text := bytes.ReplaceAll(shown.Bytes(), []byte("\r\n"), []byte("\n"))
	if err := clean(text); err != nil {
		r.errorf("the terminal gets %v", err)
	}
	if len(text) == 0 {
		r.errorf("the terminal shows nothing")
	}
	return reply{code: cmd.ProcessState.ExitCode(), stderr: text}
}

// signs wants a sound input to be signed: the rest is refused for what it is.
func (r *run) signs(review reply) {
	var batch struct{ Digest string }
	if err := json.Unmarshal(review.stdout, &batch); err != nil {
		r.errorf("%v: %.200q%.200q", err, review.stdout, review.stderr)
		return
	}
	if got := r.do("sign", r.input, "--out", "out", "--approve", batch.Digest); got.code != cli.Done {
		r.errorf("a sound payment is not signed: exit %d, %s%s", got.code, got.stderr, got.stdout)
	}
}

// signsNothing asks for signatures: where nobody is there to agree, none may
// come, and where all is refused only the refusals.
func (r *run) signsNothing() {
	exit := r.e.Exit
	switch {
	case r.e.Sign != 0:
		exit = r.e.Sign
	case r.e.Flagged, exit == cli.Part:
		exit = cli.Usage // it would ask, and there is no terminal
	}
	got := r.do(append(slices.Clone(r.e.Flags), "sign", r.input, "--out", "out")...)
	if got.code != exit {
		r.errorf("sign: exit %d, want %d: %.300s", got.code, exit, got.stderr)
	}
	book, err := os.ReadFile(filepath.Join(r.work, walletName+".ledger"))
	before, err2 := os.ReadFile(filepath.Join(r.dir, "corpus", walletName+".ledger"))
	if errors.Join(err, err2) != nil || !bytes.HasPrefix(book, before) ||
		bytes.Contains(book[len(before):], []byte(`"kind":"signed"`)) {
		r.errorf("the ledger has a signature, or is not what it was (%v)", errors.Join(err, err2))
	}
	r.noSignatures()
}

// noSignatures looks at everything that was written.
func (r *run) noSignatures() {
	err := filepath.WalkDir(filepath.Join(r.work, "out"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		result, err := bundle.OpenResult(file)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, o := range result.Outcomes {
			if o.Signed() || len(o.Signatures) > 0 {
				return fmt.Errorf("%s has signatures of %s", path, o.ID)
			}
			if strings.ToValidUTF8(o.Reason, "") != o.Reason {
				return fmt.Errorf("%s: reason %q", path, o.Reason)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.errorf("%v", err)
	}
}
