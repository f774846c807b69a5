//go:build unix

package loop

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

const readmeFile = "../../../README.md"

// readmeSection returns the text of README under a heading.
func readmeSection(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("README has no section %q", heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

var madeTarget = regexp.MustCompile(`(?m)(?:^|` + "`" + `)(make [a-z]+(?: [A-Z]+=[a-zA-Z]+)*)`)

// Each make command of the quick start is one that make knows.
func TestReadmeQuickStart(t *testing.T) {
	commands := madeTarget.FindAllStringSubmatch(readmeSection(t, "Quick start"), -1)
	if len(commands) < 4 {
		t.Fatalf("only %d make commands in the quick start: %q", len(commands), commands)
	}
	for _, c := range commands {
		args := append(strings.Fields(c[1])[1:], "-n")
		cmd := exec.Command("make", args...)
		cmd.Dir = filepath.Dir(readmeFile)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", c[1], err, out)
		}
		for _, set := range args[1 : len(args)-1] {
			if _, value, _ := strings.Cut(set, "="); !strings.Contains(string(out), value) {
				t.Errorf("%s: %s changes nothing:\n%s", c[1], set, out)
			}
		}
	}
}

// README's section by hand, typed into bare shells: every command ends well,
// and prints what README promises.
func TestReadmeByHand(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	source := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(source, "bin")); err != nil {
		t.Fatal(err)
	}
	r := reader{t: t, port: freePort(t), terminals: make(map[string]*shell)}
	for _, name := range []string{"1", "2", "3"} {
		r.terminals[name] = newShell(t, source)
	}
	r.read(readmeSection(t, "By hand, with three terminals"))
	if r.typed < 17 {
		t.Errorf("only %d commands were typed", r.typed)
	}
	first := r.terminals["1"]
	first.write("\x03") // README: Ctrl-C stops it
	first.prompt("Ctrl-C")
}

// freePort returns README's own port, or another one where something has it.
func freePort(t *testing.T) string {
	for _, address := range []string{"127.0.0.1:3000", "127.0.0.1:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%v: another port is typed", err)
			continue
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return port
	}
	t.Fatal("no port")
	return ""
}

// reader does what README says.
type reader struct {
	t         *testing.T
	port      string // in place of 3000
	terminals map[string]*shell
	names     []string // of the terminals that are being written to
	printed   string   // since the last text block, in those
	all       string   // in all terminals, since the beginning
	typed     int
}

var (
	readmeBlock = regexp.MustCompile("(?s)\\*\\*(Terminal [0-9]|Each terminal):\\*\\*|```(sh|text)\n(.*?)```")
	pasted      = regexp.MustCompile(`<([a-zA-Z]+)>`)
)

func (r *reader) read(text string) {
	for _, m := range readmeBlock.FindAllStringSubmatch(text, -1) {
		switch {
		case m[1] == "Each terminal":
			r.names = []string{"1", "2", "3"}
		case m[1] != "":
			r.names = []string{strings.TrimPrefix(m[1], "Terminal ")}
		case m[2] == "sh":
			r.block(m[3])
		default:
			r.promised(m[3])
		}
	}
}

// block types each command of a block.
func (r *reader) block(text string) {
	r.printed = ""
	for _, command := range readmeCommands(text) {
		for _, name := range r.names {
			r.command(r.terminals[name], command)
		}
		r.typed++
	}
}

// readmeCommands splits a block, but not at a continued line or in a here-document.
func readmeCommands(block string) (commands []string) {
	var command string
	document := false
	for line := range strings.Lines(block) {
		command += line
		document = document && line != "END\n" || strings.HasSuffix(line, "<<END\n")
		if !document && !strings.HasSuffix(line, "\\\n") {
			commands, command = append(commands, command), ""
		}
	}
	return commands
}

func (r *reader) command(s *shell, command string) {
	r.t.Helper()
	command = pasted.ReplaceAllStringFunc(command, func(field string) string {
		all := regexp.MustCompile(`"`+strings.Trim(field, "<>")+`": ?"([^"]*)"`).FindAllStringSubmatch(r.all, -1)
		if len(all) == 0 {
			r.t.Fatalf("nothing printed has the field %s", field)
		}
		return all[len(all)-1][1]
	})
	typed := strings.ReplaceAll(command, "3000", r.port)
	if r.port != "3000" && strings.HasPrefix(typed, "kms-sandbox --state") {
		typed = strings.TrimSuffix(typed, "\n") + " --listen 127.0.0.1:" + r.port + "\n"
	}
	s.write(typed)
	var got string
	if strings.HasPrefix(typed, "kms-sandbox --state") {
		got = s.until(typed, func(text string) bool { return strings.Contains(text, "Ctrl-C stops it") })
	} else {
		got = s.prompt(typed)
	}
	r.printed += got
	r.all += got
}

// promised looks for each line of a text block in what was printed, in order.
// … stands for anything.
func (r *reader) promised(text string) {
	r.t.Helper()
	rest := r.printed
	for line := range strings.Lines(text) {
		line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "3000", r.port)
		pattern := strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*")
		at := regexp.MustCompile(pattern).FindStringIndex(rest)
		if at == nil {
			r.t.Errorf("README promises %q; printed was:\n%s", line, r.printed)
			return
		}
		rest = rest[at[1]:]
	}
}

// answers are what a person types at a question.
var readmeAnswers = []struct{ question, answer string }{
	{"Enter a new password for the wallet storage:", "a long demo password"},
	{"Repeat", "a long demo password"},
	{"access wallet storage:", "a long demo password"},
	{"? [BTC]", ""},
	{"to be written down? [Y/n]", ""},
	{"show the same words? [y/N]", "y"},
	{"Sign 1 transaction? [y/N]", "y"},
}

// shell is a bare shell on a terminal of its own.
type shell struct {
	t    *testing.T
	tty  *os.File
	mu   sync.Mutex
	text string
}

// newShell starts a shell in a folder, with nothing of this test's environment.
func newShell(t *testing.T, dir string) *shell {
	t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "--noediting", "-i")
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=/usr/bin:/bin",
		"HOME=" + dir,
		"TERM=dumb",
		"LANG=C.UTF-8",
		"PS1=" + promptStart + `$?:`,
		"PS2=",
	}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tty.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := &shell{t: t, tty: tty}
	go s.watch()
	s.prompt("the shell")
	return s
}

const promptStart = "ended with "

func (s *shell) watch() {
	buf := make([]byte, 4096)
	for {
		n, err := s.tty.Read(buf)
		s.mu.Lock()
		s.text += strings.ReplaceAll(string(buf[:n]), "\r", "")
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *shell) write(text string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

var promptLine = regexp.MustCompile(promptStart + `(\d+):$`)

// prompt waits until the shell asks for the next command, and wants the one
// before to have ended well.
func (s *shell) prompt(what string) string {
	s.t.Helper()
	text := s.until(what, promptLine.MatchString)
	if code := promptLine.FindStringSubmatch(text)[1]; code != "0" && what != "Ctrl-C" {
		s.t.Fatalf("exit code %s: %s%s", code, what, text)
	}
	return text
}

// until answers questions until what was printed is enough, and returns it.
func (s *shell) until(what string, enough func(string) bool) string {
	s.t.Helper()
	answered := 0
	for range 6000 {
		s.mu.Lock()
		text := s.text
		s.mu.Unlock()
		if enough(text) {
			s.mu.Lock()
			s.text = s.text[len(text):]
			s.mu.Unlock()
			return text
		}
		for _, a := range readmeAnswers {
			if at := strings.Index(text[answered:], a.question); at >= 0 {
				answered += at + len(a.question)
				s.write(a.answer + "\n")
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("after a minute, this has not ended: %s%s", what, s.text)
	return ""
}
