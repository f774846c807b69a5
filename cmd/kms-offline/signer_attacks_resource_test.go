package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// resourceAttacks are about memory, time, backups and clocks.
func resourceAttacks() []attack {
	return []attack{
		{"08-batch-memory", batchMemory},
	}
}

// usage is what one run of the program took.
type usage struct {
	code           int
	memory         int64 // peak of resident memory, bytes
	cpu            time.Duration
	stdout, stderr string
}

// measure runs the program without a terminal. The program is built with the
// cheap password derivation: the memory of the real one, which is freed before
// anything else is done, is not in these figures.
func (p place) measure(args ...string) usage {
	p.t.Helper()
	cmd := p.command(append([]string{"--password-file", p.path("pw"), "--json"}, args...)...)
	return measured(p.t, cmd)
}

func measured(t *testing.T, cmd *exec.Cmd) usage {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	u := usage{code: cmd.ProcessState.ExitCode(), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), stdout: stdout.String(), stderr: stderr.String()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = r.Maxrss << 10
	}
	return u
}

func (u usage) String() string {
	return fmt.Sprintf("exit %d, %d MB, %.1f s of CPU", u.code, u.memory/1_000_000, u.cpu.Seconds())
}

// itemsOf is KMS_ITEMS, or what a test run can afford. The full measure:
//
//	KMS_ITEMS=25000 go test ./cmd/kms-offline -run TestSignerAttacks/08-batch-memory -v
func itemsOf(t *testing.T) int {
	text := os.Getenv("KMS_ITEMS")
	if text == "" {
		return 2_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 50_000 {
		t.Fatalf("KMS_ITEMS=%q: want a number from 1 to 50000", text)
	}
	return n
}

// A large batch is reviewed and signed in 150 MB.
func batchMemory(t *testing.T) {
	p := newPlace(t)
	list := make([]payout, itemsOf(t))
	for i := range list {
		list[i] = payout{to: fmt.Sprintf("payee-%d", i), value: int64(20_000 + i), fee: 200}
	}
	request := p.request("large.kmsreq", 1, list)
	const most = 150_000_000
	review := p.measure("review", request)
	var said struct{ Digest string }
	if err := json.Unmarshal([]byte(review.stdout), &said); err != nil {
		t.Fatalf("%v: %s", err, review.stderr)
	}
	sign := p.measure("sign", request, "--out", p.path("out"), "--approve", said.Digest)
	t.Logf("%d items: review %s, sign %s", len(list), review, sign)
	if review.code != 0 || sign.code != 0 || review.memory > most || sign.memory > most {
		t.Errorf("review %s, sign %s; want at most %d bytes", review, sign, int64(most))
	}
}
