//go:build linux

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// clockAttacks set the machine's clock while a question is open.
func clockAttacks() []attack {
	return []attack{
		{"81-clock-jumps-before-the-yes", clockJumpsBeforeYes},
		{"81-clock-jumps-before-the-no", clockJumpsBeforeNo},
		{"81-clock-jumps-several-times", clockJumpsOften},
		{"81-ledger-ahead-of-the-machine-is-told", ledgerAheadIsTold},
	}
}

const halfMillionADay = `{"version": 1, "chains": [
	{"chain": "BTC", "network": "testnet", "limits": [{"per": "day", "sum": 500000}]}]}`

// timepiece is the wall clock of one running program.
type timepiece struct {
	t   *testing.T
	mem *os.File
	at  int64 // where the seconds are that are added to it
}

// clockOf takes hold of the wall clock of a program that waits at a question: the
// function of the kernel by which it reads its clocks is replaced by one that adds
// to the wall clock, and not to the monotonic one.
func clockOf(t *testing.T, pid int) timepiece {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the replacement is machine code of amd64")
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if os.IsPermission(err) {
		t.Skip("writing into another process takes root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mem.Close() })
	function := vdsoFunction(t, mem, pid, "__vdso_clock_gettime")
	code := []byte("\x57\x56\xb8\xe4\x00\x00\x00\x0f\x05\x5e\x5f\x85\xff\x75\x0d\x48\xb8" + // the call; of CLOCK_REALTIME:
		"\x00\x00\x00\x00\x00\x00\x00\x00" + "\x48\x01\x06" + "\x31\xc0\xc3") // add so many seconds
	if _, err := mem.WriteAt(code, function); err != nil {
		t.Fatal(err)
	}
	return timepiece{t, mem, function + 17}
}

// vdsoFunction returns where a function of the kernel's page is in a process.
func vdsoFunction(t *testing.T, mem *os.File, pid int, name string) int64 {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil || !strings.Contains(line, "[vdso]") {
			continue
		}
		image := make([]byte, to-from)
		if _, err := mem.ReadAt(image, from); err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(image))
		if err != nil {
			t.Fatal(err)
		}
		symbols, err := f.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range symbols {
			if s.Name == name {
				return from + int64(s.Value)
			}
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// ahead sets the clock ahead of the machine's by so much.
func (c timepiece) ahead(by time.Duration) {
	c.t.Helper()
	b := binary.LittleEndian.AppendUint64(nil, uint64(by/time.Second))
	if _, err := c.mem.WriteAt(b, c.at); err != nil {
		c.t.Fatal(err)
	}
}

// daily is an office whose policy allows 500,000 a day, of which it has signed
// 400,000, and a small request and one that is above the limit.
func daily(t *testing.T) (p place, small, large string) {
	t.Helper()
	p = newPlace(t)
	office{p}.policy("policy.json", halfMillionADay)
	p.reviewAndSign(0, p.request("first.kmsreq", 81, []payout{{to: "a", value: 400_000, fee: 200}}))
	small = p.request("small.kmsreq", 82, []payout{{to: "b", value: 30_000, fee: 200}})
	large = p.request("large.kmsreq", 83, []payout{{to: "c", value: 400_000, fee: 200}})
	p.refusedToday(large)
	return p, small, large
}

func (p place) refusedToday(large string) {
	p.t.Helper()
	if said := p.run(20, "review", large); !strings.Contains(said, "limit-day") {
		p.t.Error(said)
	}
	if last := p.lastLine(); last.Clock > time.Now().Add(time.Minute).Unix() {
		p.t.Errorf("line %d is dated ahead: %s", last.N, last.Time)
	}
}

type dated struct {
	N     int
	Time  string
	Clock int64
	Kind  string
}

func (p place) lastLine() (last dated) {
	p.t.Helper()
	lines := strings.Split(strings.TrimSpace(p.run(0, "ledger", "export")), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		p.t.Fatal(err)
	}
	return last
}

// asked is a person before the question about one transaction, and the clock of
// the program that asks.
func (p place) asked(request string) (*person, timepiece) {
	p.t.Helper()
	at := sit(p.t, p.command("--password-file", p.path("pw"), "sign", request, "--out", p.path("out")))
	at.sees("Sign 1 transaction?")
	return at, clockOf(p.t, at.cmd.Process.Pid)
}

// Nothing is signed after the clock has jumped, and no limit is freed.
func clockJumpsBeforeYes(t *testing.T) {
	p, small, large := daily(t)
	for _, by := range []time.Duration{26 * time.Hour, 240 * time.Hour, time.Hour, -time.Hour} {
		before := p.ledgerText()
		at, clock := p.asked(small)
		clock.ahead(by)
		at.types("y\r")
		if code := at.waits(); code != 20 || !strings.Contains(at.stderr.String(), "the clock was set in between") {
			t.Errorf("%s: exit %d: %s", by, code, at.stderr.String())
		}
		if after := p.ledgerText(); strings.Contains(after[len(before):], `"kind":"signed"`) {
			t.Errorf("%s: something was signed", by)
		}
		p.refusedToday(large)
	}
	p.reviewAndSign(0, small)
	p.refusedToday(large)
}

// A no is recorded by the clock that did not jump.
func clockJumpsBeforeNo(t *testing.T) {
	p, small, large := daily(t)
	at, clock := p.asked(small)
	clock.ahead(48 * time.Hour)
	at.types("n\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	if last := p.lastLine(); last.Kind != "declined" {
		t.Errorf("the no is not on record: %+v", last)
	}
	p.refusedToday(large)
}

// Nor do several jumps of less than a day add up within one session, whatever it
// records meanwhile.
func clockJumpsOften(t *testing.T) {
	p, _, large := daily(t)
	var requests []string
	for i := range 3 {
		name := fmt.Sprintf("small%d.kmsreq", i)
		requests = append(requests, p.request(name, 90+i, []payout{{to: "b", value: 30_000, fee: 200}}))
	}
	args := append([]string{"--password-file", p.path("pw"), "sign", "--out", p.path("out")}, requests...)
	at := sit(t, p.command(args...))
	at.sees("Sign 1 transaction?")
	clock := clockOf(t, at.cmd.Process.Pid)
	for i := range requests {
		clock.ahead(time.Duration(i+1) * 20 * time.Hour)
		at.types("n\r")
		if i+1 < len(requests) {
			at.sees(fmt.Sprintf("%x000  BTC", 91+i)) // of the next one
			at.asks("Sign 1 transaction?")
		}
	}
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	p.refusedToday(large)
}

// A ledger that is dated ahead, as a clock that was wrong has left it, is told by
// every review, by checkconfig and by ledger verify.
func ledgerAheadIsTold(t *testing.T) {
	const told = "the ledger's clock is ahead of this machine's"
	p := newPlace(t)
	for by, want := range map[time.Duration]bool{2 * time.Minute: false, 2 * time.Hour: true} {
		p.sleeper(-by)
		request := p.request("one.kmsreq", 81, []payout{{to: "a", value: 20_000, fee: 200}})
		for _, args := range [][]string{{"review", request}, {"checkconfig"}, {"ledger", "verify"}} {
			cmd := p.command(append([]string{"--password-file", p.path("pw")}, args...)...)
			said, _ := cmd.CombinedOutput()
			if strings.Contains(string(said), told) != want {
				t.Errorf("%s ahead: %v: %s", by, args, said)
			}
		}
	}
}
