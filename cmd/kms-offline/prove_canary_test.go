//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// held is a program that stands at a question on its terminal, with secrets in
// its memory.
type held struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	mu     sync.Mutex
	shown  bytes.Buffer // terminal, stdout and stderr
	done   chan struct{}
}

// Write implements io.Writer for what the program prints.
func (h *held) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shown.Write(b)
}

func (h *held) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shown.String()
}

// hold starts a program on a terminal, types each answer when its question has
// come, and stops at the last question.
func hold(t *testing.T, cmd *exec.Cmd, last string, dialogue ...string) *held {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	h := &held{t: t, cmd: cmd, master: master, done: make(chan struct{})}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, h, h
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			_, _ = h.Write(b[:n])
			if err != nil {
				close(h.done)
				return
			}
		}
	}()
	for i := 0; i+1 < len(dialogue); i += 2 {
		h.wait(dialogue[i])
		if _, err := master.WriteString(dialogue[i+1] + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	h.wait(last)
	return h
}

func (h *held) wait(question string) {
	h.t.Helper()
	for range 2000 {
		if strings.Contains(h.text(), question) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	_ = h.cmd.Process.Kill()
	h.t.Fatalf("%q was never asked: %q", question, h.text())
}

// end sends a signal and returns how the program ended.
func (h *held) end(sig syscall.Signal) syscall.WaitStatus {
	h.t.Helper()
	if err := h.cmd.Process.Signal(sig); err != nil {
		h.t.Fatal(err)
	}
	killer := time.AfterFunc(10*time.Second, func() { _ = h.cmd.Process.Kill() })
	_ = h.cmd.Wait()
	killer.Stop()
	h.master.Close()
	<-h.done
	return h.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// words are all forms in which a piece of a secret may be printed by one who
// does not know that it is one: as text, in hex, and as the machine words of a
// stack.
func (c canary) forms(t *testing.T) map[string]string {
	t.Helper()
	raw, _, err := hd.DecodeWIF([]byte(c.wif), hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{"the private key in hex": fmt.Sprintf("%x", raw)}
	for name, secret := range map[string][]byte{"password": []byte(c.password), "private key": raw, "WIF": []byte(c.wif), "words": []byte(c.mnemonic), "passphrase": []byte(c.passphrase)} {
		forms[name] = string(secret)
		for i := 0; i+8 <= len(secret); i++ {
			forms[fmt.Sprintf("%s at %d, little endian", name, i)] = fmt.Sprintf("%x", binary.LittleEndian.Uint64(secret[i:]))
			forms[fmt.Sprintf("%s at %d, big endian", name, i)] = fmt.Sprintf("%x", binary.BigEndian.Uint64(secret[i:]))
		}
		var list []string
		for _, b := range secret[:4] {
			list = append(list, fmt.Sprintf("%#x", b))
		}
		forms[name+" as an array"] = strings.Join(list, ", ")
	}
	return forms
}

// A signal ends the program in the middle, secrets in memory: nothing of them
// is printed, and no core file is left.
func TestSignalsShowNoSecret(t *testing.T) {
	binary, dir := cheapProgram(t), t.TempDir()
	path := filepath.Join(dir, "w.kms")
	c := canaryWallet(t, path)
	if err := os.WriteFile(filepath.Join(dir, "relay.kmsid"), relayKey(1).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	forms := c.forms(t)
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGSYS, syscall.SIGSTKFLT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		for name, start := range map[string]func(cmd func(...string) *exec.Cmd) *held{
			"an open wallet": func(cmd func(...string) *exec.Cmd) *held {
				return hold(t, cmd("pair", "relay.kmsid"), "show the same words?", "access wallet storage:", c.password)
			},
			"a key just typed": func(cmd func(...string) *exec.Cmd) *held {
				return hold(t, cmd("--testnet", "storemanagedprivatekey", "BTC"), "access wallet storage:", "private key to store:", c.wif)
			},
		} {
			if sig != syscall.SIGQUIT && name != "an open wallet" {
				continue
			}
			h := start(func(args ...string) *exec.Cmd {
				cmd := exec.Command(binary, append([]string{"--path", path}, args...)...)
				cmd.Dir = dir
				return cmd
			})
			h.sees(c)
			status := h.end(sig)
			shown := h.text()
			for form, text := range forms {
				if strings.Contains(shown, text) {
					t.Errorf("%v, %s: %s is shown:\n%s", sig, name, form, shown)
				}
			}
			if strings.Contains(shown, "goroutine ") {
				t.Errorf("%v, %s: a dump of stacks is shown:\n%.3000s", sig, name, shown)
			}
			if status.CoreDump() {
				t.Errorf("%v, %s: left a core file", sig, name)
			}
		}
	}
	if cores, err := filepath.Glob(filepath.Join(dir, "core*")); err != nil || len(cores) > 0 {
		t.Errorf("core files: %v, %v", cores, err)
	}
	sweep(t, c, dir)
}

// sees looks at what anyone on the machine may: arguments and environment.
func (h *held) sees(c canary) {
	h.t.Helper()
	for _, name := range []string{"cmdline", "environ"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", h.cmd.Process.Pid, name))
		if name == "cmdline" && err != nil {
			h.t.Fatal(err)
		}
		if seen := c.in(string(b)); len(seen) > 0 { // environ is closed to all but root
			h.t.Errorf("/proc/PID/%s has %v", name, seen)
		}
	}
}

// A panic shows where it was, and nothing of what was in memory.
func TestPanicShowsNoSecret(t *testing.T) {
	c := canaryWallet(t, filepath.Join(t.TempDir(), "w.kms"))
	for name, value := range map[string]any{"text": c.password, "bytes": []byte(c.mnemonic), "error": fmt.Errorf("%s", c.wif), "wrapped": fmt.Errorf("%s: %w", c.wif, os.ErrExist)} {
		for _, command := range [][]string{{"export", "--yes-show-secrets"}, {"ledger"}, {"getmanagedwallet", "00000000-0000-4000-8000-000000000001", "--yes-show-secrets"}, {"removewallet", "00000000-0000-4000-8000-000000000001", "--yes"}} {
			dir := t.TempDir() // a panic in the middle keeps the lock of this process
			path := filepath.Join(dir, "w.kms")
			pw := passwordFile(t, dir, "pw", canaryWallet(t, path).password)
			var out, errs bytes.Buffer
			code := contained(&errs, func() int {
				a := &app{Streams: cli.Streams{Out: &out, Err: &errs}, random: hd.NewSource(panics{value}), fs: panicsAt{durable.OS{}, value}, cost: quick(), now: time.Now, wall: time.Now}
				return cli.Run(a.root(), append([]string{"--path", path, "--password-file", pw}, command...), a.Streams)
			})
			if seen := c.in(out.String() + errs.String()); len(seen) > 0 {
				t.Errorf("%s, %v: shown: %v\n%s", name, command, seen, errs.String())
			}
			if code != cli.Failed || strings.Contains(errs.String(), "goroutine") || !strings.Contains(errs.String(), "a fault of this program: a panic with a") || !strings.Contains(errs.String(), "OpenFile:") {
				t.Errorf("%s, %v: exit %d: %s", name, command, code, errs.String())
			}
		}
	}
	var errs bytes.Buffer
	contained(&errs, func() int { return []int{}[len(c.wif)] })
	if !strings.Contains(errs.String(), "index out of range") {
		t.Errorf("the runtime's own words are missing: %s", errs.String())
	}
}

// panics is randomness that panics.
type panics struct{ value any }

func (p panics) Read([]byte) (int, error) { panic(p.value) }

// panicsAt is a file system that panics at the ledger, when the wallet is open.
type panicsAt struct {
	durable.FS
	value any
}

func (p panicsAt) OpenFile(name string, flag int, perm os.FileMode) (durable.File, error) {
	if strings.HasSuffix(name, ledgerSuffix) {
		panic(p.value)
	}
	return p.FS.OpenFile(name, flag, perm)
}
