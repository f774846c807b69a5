//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// foreignAttacks come by names, files and ids that others make up.
func foreignAttacks() []attack {
	return []attack{
		{"31-file-names-are-escaped", hostileNames},
		{"31-ledger-of-holes-and-line-feeds", hollowLedgers},
		{"31-an-id-of-psbts", psbtID},
		{"31-tries-that-cannot-be-read", unreadableTries},
		{"31-multisig-of-no-keys", multisigOfNoKeys},
	}
}

// output runs the program without a terminal and returns all that it says.
func (p place) output(args ...string) (code int, said []byte) {
	p.t.Helper()
	cmd := exec.Command(p.program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	said, _ = cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), said
}

// No command passes a file's name on to the terminal as it is.
func hostileNames(t *testing.T) {
	p := newPurse(t)
	p.known()
	request := p.ask("a.kmsreq", spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(100_000, payee(1)), out(coinValue-101_000, p.script)}, keys: []chain.Key{single(deskKey)}})
	good, err := os.ReadFile(request)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"e\x1b[31m", "c\u009b31m", "raw\x9b", "bidi\u202egpj", "zero\u200bx", "blank\u2800x", "tag\U000e0041", "line\u2028x", "return\rx", "feed\nkms-offline: all is well"} {
		for content, file := range map[string][]byte{"good": good, "bad": []byte("no file of ours")} {
			path := p.path(content + name)
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, command := range [][]string{
				{"review", path}, {"sign", path, "--out", path}, {"approve", path, "--operator", name}, {"pair", path}, {"restore", path}, {"importwallet", path},
				{"compare", path, path}, {"show", path}, {"scan", path}, {"backup", path}, {"policy", "check", path}, {"policy", "set", path}, {"ledger", "accept", path},
				{"ledger", "release", name}, {"getaddress", name}, {"getprivatekey", name}, {"removewallet", name}, {"operator", "remove", name}, {"unpair", name}, {"watch", "--out", path},
				{"review", request, "--without", name}, {"review", request, "--summary", path + ".txt"}, {"verify", path}, {name},
			} {
				_, said := p.output(append([]string{"--path", p.path("w.kms"), "--password-file", p.path("pw")}, command...)...)
				if at := strange(said); at >= 0 {
					t.Errorf("%q prints %q", command, said[max(at-40, 0):min(at+20, len(said))])
				}
			}
			for _, command := range [][]string{{"report"}, {"restore", p.path("w.kms")}, {"checkconfig"}} {
				_, said := p.output(append([]string{"--path", path, "--password-file", p.path("pw")}, command...)...)
				if at := strange(said); at >= 0 {
					t.Errorf("--path: %q prints %q", command, said[max(at-40, 0):min(at+20, len(said))])
				}
			}
		}
	}
}

// strange returns where a terminal is sent what it must not be, or -1.
func strange(said []byte) int {
	if i := bytes.Index(said, []byte("\nkms-offline: all is well")); i >= 0 {
		return i
	}
	for i := 0; i < len(said); {
		r, size := utf8.DecodeRune(said[i:])
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || strings.ContainsRune("\u202e\u200b\u2800\u2028\U000e0041", r) {
			return i
		}
		i += size
	}
	return -1
}

// A ledger that is padded with holes, zeros or line feeds is refused at the
// first line that is none, in little memory and time.
func hollowLedgers(t *testing.T) {
	p := newPurse(t)
	p.run(0, "backup", p.path("copy.kms"))
	book, err := os.ReadFile(p.path("w.kms.ledger"))
	if err != nil {
		t.Fatal(err)
	}
	sparse := func(f *os.File, lines int, step int64) error {
		for i := range int64(lines) {
			if _, err := f.WriteAt([]byte("\n"), int64(len(book))+(i+1)*step-1); err != nil {
				return err
			}
		}
		return nil
	}
	fill := map[string]func(*os.File) error{
		"113 lines of 16 MiB":   func(f *os.File) error { return sparse(f, 113, 16<<20) },
		"20,000 lines of zeros": func(f *os.File) error { return sparse(f, 20_000, 4096) },
		"a hole":                func(f *os.File) error { return f.Truncate(1_900_000_000) },
		"50 million line feeds": func(f *os.File) error {
			_, err := f.WriteAt(bytes.Repeat([]byte("\n"), 50_000_000), int64(len(book)))
			return err
		},
		"40 lines of a letter": func(f *os.File) error {
			_, err := f.WriteAt(bytes.Repeat(append(bytes.Repeat([]byte("a"), 1<<20), '\n'), 40), int64(len(book)))
			return err
		},
	}
	for name, do := range fill {
		for _, x := range []struct {
			path string
			code int
			args []string
		}{{"w.kms.ledger", 20, []string{"ledger", "verify"}}, {"copy.kms.ledger", 0, []string{"restore", p.path("copy.kms")}}} {
			path, args := p.path(x.path), append([]string{"--path", p.path("w.kms"), "--password-file", p.path("pw")}, x.args...)
			if x.code == 0 {
				args[1], x.code = p.path("new.kms"), 1
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err == nil {
				err = do(f)
			}
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(p.program, args...)
			used := measured(t, cmd)
			if used.code != x.code || !strings.Contains(used.stderr, "is not a line of a ledger") && !strings.Contains(used.stderr, "has a line of more than") {
				t.Errorf("%s, %s: exit %d: %.300s", name, x.path, used.code, used.stderr)
			}
			if used.memory > 200<<20 {
				t.Errorf("%s, %s: %d MB", name, x.path, used.memory>>20)
			}
			if err := f.Truncate(int64(len(book))); err != nil {
				t.Fatal(err)
			}
			f.Close()
			_ = os.WriteFile(path, book, 0o600)
		}
	}
	p.run(0, "ledger", "verify")
}

// No relay takes the id of a PSBT that comes later.
func psbtID(t *testing.T) {
	p := newPurse(t)
	p.known()
	s := spend{id: "psbt-0123456789abcdef01234567", in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(100_000, payee(1)), out(coinValue-101_000, p.script)}, keys: []chain.Key{single(deskKey)}}
	request := p.ask("id.kmsreq", s)
	r := p.judged(request, "refused", chain.Malformed)
	p.run(20, "sign", request, "--out", p.path("no"), "--approve", r.Digest)
	if text := fmt.Sprint(r.Items[0].Reasons); !strings.Contains(text, "this signer makes for PSBTs") {
		t.Error(text)
	}
}

// A count of wrong passwords that cannot be read is said to be that.
func unreadableTries(t *testing.T) {
	p := newPlace(t)
	f, err := os.OpenFile(filepath.Join(p.dir, "w.kms.tries"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Truncate(3_000_000_000)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := p.command("--password-file", p.path("pw"), "report")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	_ = cmd.Run()
	if said := stderr.String(); !strings.Contains(said, "w.kms.tries, cannot be read: waiting") || strings.Contains(said, "wrong passwords so far") {
		t.Errorf("it says: %s", said)
	}
}

// A multisig script whose keys are no points of the curve burns what it gets.
func multisigOfNoKeys(t *testing.T) {
	p := newPurse(t)
	p.known()
	none := append(append([]byte{0x51, 33}, bytes.Repeat([]byte{0xff}, 33)...), 0x51, 0xae)
	request := p.ask("burn.kmsreq", spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(50_000, none), out(100_000, payee(1)), out(coinValue-152_000, p.script)}, keys: []chain.Key{single(deskKey)}})
	var r struct{ Totals []struct{ Burnt json.Number } }
	if err := json.Unmarshal([]byte(p.run(0, "review", request)), &r); err != nil || r.Totals[0].Burnt != "50000" {
		t.Errorf("burnt: %v (%v)", r, err)
	}
}
