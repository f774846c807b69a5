//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/durable"
	"coldkms/shared/durable/faultfs"
)

// act is one command line, and what is so once it has said that it is done.
type act struct {
	name string
	args []string
	code int // of a clean run
	done func(s *faultState) error
}

const (
	newPassword = "another Canary-9917 for the faults"
	benchWords  = "00000000-0000-4000-8000-000000000001" // of canaryWallet
)

func acts(b *signerBench, request, digest string, ids []string) []act {
	out := filepath.Join(b.dir, "out")
	return []act{
		{"review", []string{"review", request}, cli.Done, nil},
		{"sign", []string{"sign", request, "--out", out, "--approve", digest, "--raw", out}, cli.Done, func(s *faultState) error {
			if _, ok := s.book.Signed(ids[0]); !ok || s.results == 0 {
				return fmt.Errorf("signed in the ledger: %v, %d results", ok, s.results)
			}
			return nil
		}},
		{"add", []string{"generatemanagedwallet", "BTC"}, cli.Done, func(s *faultState) error { return s.entries(3) }},
		{"add many", []string{"generatemanagedprivatekeybatch", "BTC", "3"}, cli.Done, func(s *faultState) error { return s.entries(5) }},
		{"remove", []string{"removewallet", benchWords, "--yes"}, cli.Done, func(s *faultState) error { return s.entries(1) }},
		{"pair", []string{"pair", filepath.Join(b.dir, "relay2.kmsid")}, cli.Done, func(s *faultState) error {
			if !s.wallet.Paired(relayKey(2).Public()) {
				return errors.New("not paired")
			}
			return nil
		}},
		{"change password", []string{"changepassword", "--new-password-file", filepath.Join(b.dir, "pw2")}, cli.Done, func(s *faultState) error {
			if !s.changed {
				return errors.New("the old password opens it")
			}
			return nil
		}},
		{"backup", []string{"backup", filepath.Join(b.dir, "copy.kms")}, cli.Done, func(s *faultState) error { return s.opens(filepath.Join(b.dir, "copy.kms")) }},
		{"restore", []string{"restore", filepath.Join(b.dir, "old.kms")}, cli.Done, func(s *faultState) error { return s.entries(2) }},
		{"watch", []string{"watch", "--out", filepath.Join(b.dir, "s.kmswatch")}, cli.Done, nil},
		{"release", []string{"ledger", "export"}, cli.Done, nil},
		{"a wrong password", []string{"--password-file", filepath.Join(b.dir, "pw2"), "report"}, cli.WrongPassword, func(s *faultState) error {
			if s.tries != 1 {
				return fmt.Errorf("%d wrong passwords are counted", s.tries)
			}
			return nil
		}},
	}
}

// Every operation on the disk of every command that writes fails, one after
// the other (in a test run every sixth; KMS_DISK_FAULTS=all fails all of them:
//
//	KMS_DISK_FAULTS=all go test ./cmd/kms-offline -run EveryFailedOperation -timeout 30m -v
//
// ): once, after half of a write, and as if the process had died. The
// wallet and the ledger open afterwards, nothing that was there is lost, what
// is said to be done is done, no signature is out that the ledger does not
// have, and no secret is anywhere.
func TestEveryFailedOperation(t *testing.T) {
	b := newSignerBench(t, cheapProgram(t))
	passwordFile(t, b.dir, "pw2", newPassword)
	if err := os.WriteFile(filepath.Join(b.dir, "relay2.kmsid"), relayKey(2).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.must("backup", filepath.Join(b.dir, "old.kms"))
	request, ids := b.request(2)
	digest := b.review(request)
	before := b.open()
	reset := snapshot(t, b.dir)
	c := b.canary
	points, turn, all := 0, 0, os.Getenv("KMS_DISK_FAULTS") == "all"
	for _, a := range acts(b, request, digest, ids) {
		for _, mode := range []faultfs.Mode{faultfs.Once, faultfs.Short, faultfs.Crash} {
			for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
				_, err := faultfs.Each(durable.OS{}, mode, cause, func(f *faultfs.FS) error {
					reset()
					if code, _, stderr := b.inProcess(f, a.args...); code != a.code {
						return fmt.Errorf("%s: exit %d: %s", a.name, code, stderr)
					}
					return nil
				}, func(n int, f *faultfs.FS) {
					if turn++; !all && turn%6 != 0 {
						return
					}
					points++
					reset()
					code, stdout, stderr := b.inProcess(f, a.args...)
					at := fmt.Sprintf("%s, mode %d, operation %d (%s)", a.name, mode, n, last(f.Trace()))
					state, err := b.state(filepath.Join(b.dir, "out"), ids)
					if err != nil {
						t.Errorf("%s: exit %d: %v", at, code, err)
						return
					}
					defer state.wallet.Close()
					if state.book.Len() < before.Len() || !state.book.Knows(before.HeadBytes()) {
						t.Errorf("%s: lines of the ledger are lost", at)
					}
					if code == a.code && a.done != nil {
						if err := a.done(state); err != nil {
							t.Errorf("%s: it said done: %v", at, err)
						}
					}
					if seen := c.in(stdout + stderr); len(seen) > 0 {
						t.Errorf("%s: shown: %v", at, seen)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		sweepFor(t, c, b.dir)
	}
	fmt.Printf("faults of the disk: %d operations failed in %d commands, nothing lost\n", points, len(acts(b, request, digest, ids)))
}

func last(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return list[len(list)-1]
}

// inProcess runs a command line on another file system.
func (b *signerBench) inProcess(f durable.FS, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{Streams: cli.Streams{Out: &out, Err: &errs}, fs: f, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now, sleep: func(time.Duration) {}}
	code = cli.Run(a.root(), append([]string{"--path", b.wallet, "--password-file", filepath.Join(b.dir, "pw")}, args...), a.Streams)
	return code, out.String(), errs.String()
}

// faultState is what is on the disk after a fault.
type faultState struct {
	bench   *signerBench
	wallet  *wallet.Wallet
	book    *ledger.Ledger
	changed bool // the new password is in force
	results int
	tries   int
}

func (s *faultState) entries(n int) error {
	if got := s.wallet.Len(); got != n {
		return fmt.Errorf("%d entries, want %d", got, n)
	}
	return nil
}

func (s *faultState) opens(path string) error {
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().OpenCopy(path, []byte(s.bench.canary.password))
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = ledgerBeside(a, w)
	return err
}

// state opens everything as the next run of the program would.
func (b *signerBench) state(out string, ids []string) (*faultState, error) {
	a := &app{Streams: cli.Streams{Out: io.Discard, Err: io.Discard}, fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	s := &faultState{bench: b}
	w, err := a.store().Open(b.wallet, []byte(b.canary.password))
	if errors.Is(err, wallet.ErrWrongPassword) {
		s.changed = true
		w, err = a.store().Open(b.wallet, []byte(newPassword))
	}
	if err != nil {
		return nil, fmt.Errorf("the wallet does not open: %w", err)
	}
	s.wallet = w
	if w.Len() < 2 {
		if _, ok := w.Entry(benchKey); !ok {
			return nil, errors.New("entries are lost")
		}
	}
	book, err := ledgerBeside(a, w)
	if err != nil {
		return nil, fmt.Errorf("the ledger does not open: %w", err)
	}
	s.book, s.results = book, b.recorded(book, out, ids)
	t, err := a.loadTries(b.wallet)
	s.tries = t.Wrong
	return s, err
}

// snapshot remembers a folder and gives the function that brings it back.
func snapshot(t *testing.T, dir string) func() {
	t.Helper()
	files := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Fatalf("%s is a folder", e.Name())
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if _, had := files[e.Name()]; !had {
				if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, b := range files {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// sweepFor looks for canaries in all files but those of passwords.
func sweepFor(t *testing.T, c canary, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "pw") {
			return err
		}
		b, err := os.ReadFile(path)
		if seen := c.in(string(b)); len(seen) > 0 {
			t.Errorf("%s has %v", path, seen)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
