//go:build unix

package loop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
)

// heavyProofs has payments whose previous transactions fill two requests: they
// are exported one request after the other, and the relay holds one at a time.
func heavyProofs(t *testing.T) {
	const payments, most = 120, 500
	p := newStick(t)
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= payments; n++ {
		prev := p.signer.Funding(n)
		for range 100 { // 1 MB that nothing can compress
			script := make([]byte, 10_000)
			for i := range script {
				script[i] = byte(random.Uint32())
			}
			prev.AddTxOut(wire.NewTxOut(0, script))
		}
		p.server.Chain(relaytest.Hex(prev))
		p.server.Add(p.signer.Payment(n, prev, nil))
	}
	for _, command := range [][]string{{"fetch"}, {"export", "--out", p.stick()}} {
		used, out := p.memoryOf(command...)
		fmt.Printf("relay memory: %s of %d payments with %d MB of proofs: %d MB\n", command[0], payments, payments, used)
		if used > most {
			t.Errorf("%s takes %d MB, at most %d: %.1000s", command, used, most, out)
		}
	}
	for n := 1; n <= payments; n++ {
		if state := p.states()[relaytest.ID(n)]; state != "exported" {
			t.Fatalf("%d is %s", n, state)
		}
	}
}

// memoryOf runs a command that succeeds, and returns how many megabytes it had
// at most.
func (p *plainRelay) memoryOf(args ...string) (most int64, out []byte) {
	p.Helper()
	cmd := p.command(append([]string{"--testnet"}, args...)...)
	out, most = measured(p.T, cmd)
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		p.Fatalf("%s: exit code %d: %.1000s", args, code, out)
	}
	return most, out
}

// measured runs a program and returns what it prints, and how many megabytes it
// had at most, as the system counts them from the start of the program: what
// wait4 says has those of the test, whose child it was first.
func measured(t *testing.T, cmd *exec.Cmd) (out []byte, most int64) {
	t.Helper()
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case <-ended:
			return text.Bytes(), most
		case <-time.After(5 * time.Millisecond):
			most = max(most, highWater(cmd.Process.Pid))
		}
	}
}

// highWater is VmHWM of Linux in megabytes, 0 where there is none.
func highWater(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kilobytes int64
	_, _ = fmt.Sscan(rest, &kilobytes)
	return kilobytes >> 10
}
