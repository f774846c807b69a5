package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// rolledAttacks turn the clock, and put old files beside a wallet that is in use.
func rolledAttacks() []attack {
	return []attack{
		{"81-clock-there-and-back", clockThereAndBack},
		{"81-clock-of-no-year", clockOfNoYear},
		{"81-version-1-among-upgraded-files", versionOneAmongUpgraded},
		{"81-approvals-of-a-second-machine", secondMachine},
		{"81-old-files-beside-the-wallet", oldFilesBeside},
	}
}

// clockBuild builds the program with a clock that a test can turn, and nothing else
// changed: the file clock beside the wallet has what is added to the time.
var clockBuild = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		return "", err
	}
	turned := strings.NewReplacer("now: steady(time.Now), wall: time.Now,", "now: turned, wall: turned,",
		"import (", "import (\n	\"strings\"").Replace(string(source))
	if !strings.Contains(turned, "now: turned,") {
		return "", errors.New("main.go has no clock to turn")
	}
	turned += `
func turned() time.Time {
	b, _ := os.ReadFile(strings.TrimSuffix(os.Args[2], "w.kms") + "clock")
	d, _ := time.ParseDuration(string(b))
	return time.Now().Add(d)
}
`
	dir, err := filepath.Abs(".")
	if err != nil {
		return "", err
	}
	scratch := os.Getenv(builtEnv)
	changed, overlay := filepath.Join(scratch, "clock_main.go"), filepath.Join(scratch, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, "main.go"): changed}})
	if err == nil {
		err = os.WriteFile(changed, []byte(turned), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, list, 0o600)
	}
	if err != nil {
		return "", err
	}
	return buildProgram("clock", "-tags", "coldkms_cheap_kdf", "-overlay", overlay)
})

// turnedOffice is an office whose clock can be turned.
func turnedOffice(t *testing.T) (o office, turn func(time.Duration)) {
	t.Helper()
	o = newOffice(t)
	o.program = programOf(t, clockBuild)
	return o, func(d time.Duration) { o.put(files{"clock": []byte(d.String())}) }
}

const dayLimit = `{"version": 1, "name": "a day", "chains": [{"chain": "BTC", "network": "testnet",
	"limits": [{"per": "day", "sum": 30000}]}]}`

// A limit of a day is not passed by turning the clock on and back again. Turned on it
// is free once, with a date that shows it; turned back it counts what was signed ahead.
func clockThereAndBack(t *testing.T) {
	o, turn := turnedOffice(t)
	o.policy("day.json", dayLimit)
	pays := func(salt int) string {
		return o.request(fmt.Sprintf("pay%d.kmsreq", salt), salt, []payout{{to: "a", value: 20_000, fee: 200}})
	}
	o.reviewAndSign(0, pays(90))
	refused := func(salt int, at time.Duration) {
		t.Helper()
		turn(at)
		o.says(20, "", "review", pays(salt))
	}
	refused(91, 0)
	refused(92, -time.Hour)
	refused(93, -24*365*40*time.Hour)
	refused(94, 23*time.Hour)
	refused(95, 0) // back again: what was recorded ahead frees nothing

	turn(30 * time.Hour) // in steps of less than a day: the limit is free, as THREATS says
	o.reviewAndSign(0, pays(97))
	refused(98, 0)
	refused(99, 24*time.Hour)
	refused(100, 46*time.Hour)

	turn(0) // the ledger's clock is set back: what was signed ahead counts as signed now
	o.answers(0, []string{"ledger", "clock"}, "Type clock", "clock")
	refused(101, 0)
	refused(102, 23*time.Hour)
}

// A clock that is wrong beyond all measure is asked about or harmless, and ends nothing.
func clockOfNoYear(t *testing.T) {
	o, turn := turnedOffice(t)
	file := o.salary(103)
	before := o.ledgerText()
	for _, years := range []time.Duration{70, 250} {
		turn(years * 365 * 24 * time.Hour)
		o.says(20, "clock", "review", file)
		o.says(20, "clock", "backup", o.path("copy.kms"))
		o.answers(21, []string{"review", file}, "clock right?", "n")
	}
	if o.ledgerText() != before {
		t.Error("something was recorded")
	}
	turn(-250 * 365 * 24 * time.Hour)
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	turn(0)
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
	o.run(0, "ledger", "verify")
	o.run(0, "ledger", "list")
}

// sets are the files of a wallet at several moments.
type sets []files

// mixtures calls do with each choice of one moment for each file.
func (s sets) mixtures(names []string, do func(f files, of []int)) {
	of := make([]int, len(names))
	for {
		f := files{}
		for i, name := range names {
			f[name] = s[of[i]][name]
		}
		do(f, of)
		i := 0
		for ; i < len(of); i++ {
			if of[i]++; of[i] < len(s) {
				break
			}
			of[i] = 0
		}
		if i == len(of) {
			return
		}
	}
}

// Files of before the upgrade of a ledger, of just after it, and of after a change are
// mixed in every way: only a whole set is gone on with, and none of version 1.
func versionOneAmongUpgraded(t *testing.T) {
	o := versionOne(t)
	names := []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark"}
	moments := sets{o.files()}
	o.answers(0, []string{"ledger", "upgrade"}, "Type upgrade", "upgrade")
	moments = append(moments, o.files())
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	moments = append(moments, o.files())
	file, tried := o.path("large.kmsreq"), 0
	moments.mixtures(names, func(f files, of []int) {
		o.put(f)
		tried++
		// a mark may be behind by one write, as after a crash
		whole := of[0] == of[1] && of[0] > 0 && (of[1] == of[2] || of[1] == 2 && of[2] == 1)
		at := o.command("--password-file", o.path("pw"), "review", file)
		var stderr strings.Builder
		at.Stderr = &stderr
		code := runToEnd(t, at)
		if opened := code == 22; opened != whole || !opened && code != 20 { // the request is of version 1, too
			t.Errorf("wallet, ledger and mark of the moments %v: exit %d: %s", of, code, stderr.String())
		}
	})
	if tried != 27 {
		t.Errorf("%d mixtures were tried", tried)
	}
}

// On a second machine that has a copy of the wallet, somebody with its password enrols
// others and sets a policy. What is approved there counts here for operators of here
// only, once each, and in the round of here.
func secondMachine(t *testing.T) {
	o := newOffice(t)
	o.run(0, "backup", o.path("copy.kms"))
	second := office{o.place}
	second.dir = t.TempDir()
	for _, name := range []string{"pw", "alice", "bob", "carol"} {
		second.put(files{name: []byte(readFile(t, o.path(name)))})
	}
	second.run(0, "restore", o.path("copy.kms"))
	second.enrol("carol")
	second.run(0, "operator", "remove", "bob", "--yes")
	second.put(files{"bob": []byte("a password that bob never had\n")})
	second.enrol("bob")

	file := o.salary(104)
	digest, round := o.reviewed(file)
	_, elsewhere := second.reviewed(file)
	carried := func(code int, name string, in string) string {
		t.Helper()
		args := []string{"approve", file, "--operator", name, "--operator-password-file", second.path(name),
			"--digest", digest, "--out", second.path("stick"), "--round", in}
		var r struct{ Approval string }
		if out := second.run(code, args...); code == 0 {
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
		}
		return r.Approval
	}
	alice, again := carried(0, "alice", round), carried(0, "alice", elsewhere)
	carol, bob := carried(0, "carol", round), carried(0, "bob", round)
	sign := func(approvals ...string) []string {
		args := []string{"sign", file, "--out", o.path("none"), "--approve", digest}
		for _, a := range approvals {
			args = append(args, "--approval", a)
		}
		return args
	}
	for _, approvals := range [][]string{
		{carol}, {bob}, {again}, {alice, carol}, {alice, bob}, {alice, again}, {carol, bob},
	} {
		o.says(20, "", sign(approvals...)...)
	}
	o.says(20, "1 of 2", sign(alice, alice)...)
	o.says(20, "1 of 2 (alice)", sign(alice)...)
	o.approved(file, digest, "alice") // of the same operator: one
	o.says(20, "1 of 2 (alice)", sign(alice)...)
	o.approved(file, digest, "bob")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}

// Every mixture of old files that lie beside the wallet (the generation before, a kept
// one, an unfinished session, the count of wrong passwords) changes nothing of what
// counts: who was removed approves nothing, and what was rejected is not passed by a y.
func oldFilesBeside(t *testing.T) {
	o := newOffice(t)
	file := o.request("two.kmsreq", 105, []payout{{to: "a", value: 20_000, fee: 200}, {to: "b", value: 21_000, fee: 200}})
	leave := []string{"sign", file, "--out", o.path("none"), "--plain"}
	o.answers(21, leave, "Sign 2 transactions?", "later") // a session without a no
	digest, _ := o.reviewed(file)
	session := "w.kms.session-" + digest[:16]
	old := files{"w.kms.prev": []byte(readFile(t, o.path("w.kms"))), session: nil, "w.kms.tries": []byte(`{"wrong":0}`)}
	if b, err := os.ReadFile(o.path(session)); err == nil {
		old[session] = b
	}
	old["w.kms.kept-20260101T000000Z"] = old["w.kms.prev"]
	o.run(0, "operator", "remove", "bob", "--yes")
	o.answers(21, leave, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
	names := []string{"w.kms.prev", session, "w.kms.tries", "w.kms.kept-20260101T000000Z"}
	current := files{}
	for _, name := range names {
		if b, err := os.ReadFile(o.path(name)); err == nil {
			current[name] = b
		}
	}
	place := func(f files) {
		for _, name := range names {
			if f[name] == nil {
				_ = os.Remove(o.path(name))
				continue
			}
			o.put(files{name: f[name]})
		}
	}
	sets{current, old}.mixtures(names, func(f files, of []int) {
		place(f)
		o.says(1, "no operator", "approve", file, "--operator", "bob", "--operator-password-file", o.path("bob"),
			"--digest", digest)
		said := o.run(0, "review", file)
		if !strings.Contains(said, "rejected-before") {
			t.Errorf("%v: the rejection is forgotten", of)
		}
	})
	place(old)
	o.says(0, "nothing is signed yet: the wallet and its ledger do not agree: operator bob", "restore",
		o.path("w.kms.kept-20260101T000000Z"))
	o.says(20, "operator bob", "review", file)
}
