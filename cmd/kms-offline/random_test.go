//go:build unix

package main

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/durable"
)

// quick is a password cost for tests.
func quick() wallet.Cost { return wallet.Cost{Memory: 64, Passes: 1, Lanes: 1} }

// inProcess runs a command line as main does, with other randomness and a
// cheap password.
func inProcess(random io.Reader, fsys durable.FS, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{Streams: cli.Streams{Out: &out, Err: &errs}, fs: fsys, random: hd.NewSource(random), cost: quick(), now: time.Now, wall: time.Now}
	code = cli.Run(a.root(), args, a.Streams)
	return code, out.String(), errs.String()
}

func passwordFile(t *testing.T, dir, name, password string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A source that is broken, from the start or after some reads, makes no key:
// exit 1, nothing on stdout, no wallet.
func TestBrokenRandomness(t *testing.T) {
	for name, random := range map[string]func() io.Reader{
		"zeros":    func() io.Reader { return bytes.NewReader(make([]byte, 1<<20)) },
		"repeated": func() io.Reader { return strings.NewReader(strings.Repeat("0123456789abcdef", 1<<12)) },
		"an error": func() io.Reader { return iotest.ErrReader(errors.New("no entropy device")) },
		"dries up": func() io.Reader { return io.LimitReader(randomForTests(), 200) },
	} {
		for _, command := range [][]string{
			{"generatewallet", "BTC"}, {"generatemanagedwallet", "BTC"}, {"generatemanagedprivatekeybatch", "BTC", "10"},
		} {
			if name == "dries up" && len(command) < 3 {
				continue // one wallet needs less
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "w.kms")
			pw := passwordFile(t, dir, "pw", "seven plums for another horse")
			args := append([]string{"--path", path, "--password-file", pw}, command...)
			code, stdout, stderr := inProcess(random(), durable.OS{}, args...)
			if code != cli.Failed || stdout != "" || stderr == "" {
				t.Errorf("%s, %s: exit %d, stdout %q, stderr %q", name, command[0], code, stdout, stderr)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, %s: there is a wallet (%v)", name, command[0], err)
			}
		}
	}
}

func TestBrokenRandomnessWithDice(t *testing.T) {
	a := &app{random: hd.NewSource(bytes.NewReader(make([]byte, 64)))}
	_, err := a.throwDice(nil, 12) // fails before it asks
	if !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("got %v", err)
	}
}

// Randomness has one door: only main.go may import a source of it.
func TestOneSourceOfRandomness(t *testing.T) {
	found := 0
	for _, root := range []string{".", "../../offline", "../../shared"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && strings.HasSuffix(d.Name(), "test") {
				return fs.SkipDir // pictures, packets and faults for tests; no program imports them
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, i := range file.Imports {
				switch name, _ := strconv.Unquote(i.Path.Value); name {
				case "crypto/rand", "math/rand", "math/rand/v2":
					if found++; path != "main.go" {
						t.Errorf("%s imports %s: take it from the app's source", path, name)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found != 1 {
		t.Errorf("%d imports of randomness, want 1", found)
	}
}
