//go:build unix

package loop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// plainFaults are about what the relay leaves unsaid, or says in words that lead
// nowhere.
func plainFaults() []fault {
	return []fault{
		{"97a-what-was-failed-and-turns-up-is-told", healedIsTold},
		{"97b-commands-name-the-place", commandsWork},
		{"97c-all-that-is-listed-is-of-the-other-network", otherNetwork},
		{"97d-who-holds-it-who-rejected-it-and-why-not", whoAndWhy},
	}
}

// heard are the events that a receiver got.
type heard struct {
	mu  sync.Mutex
	all []event
}

// event is an event as its receiver reads it.
type event struct {
	Event, Message string
	Item           struct{ ID, State, Healed, FailedFor string }
}

// hears starts a receiver of events.
func hears(t *testing.T) (h *heard, url string) {
	h = &heard{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e event
		_ = json.NewDecoder(r.Body).Decode(&e)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, e)
	}))
	t.Cleanup(s.Close)
	return h, s.URL
}

// of returns the event of a kind about a payment; known is false if none came.
func (h *heard) of(kind string, n int) (e event, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.all {
		if e.Event == kind && e.Item.ID == relaytest.ID(n) {
			return e, true
		}
	}
	return event{}, false
}

// beside returns a relay on the same state, for its helpers around daemons.
func (h *teller) beside() *plainRelay {
	return &plainRelay{
		T: h.T, program: filepath.Join(h.bin, "kms-online"), server: h.server, signer: h.signer, dir: h.dir,
		where: []string{"--state", filepath.Join(h.dir, "relay")},
	}
}

// Two payments are declared dead, and everybody is told; a person acknowledges
// that. Then they turn up: status, the exit code, a metric and events say so, too.
func healedIsTold(t *testing.T) {
	h := newTeller(t)
	heard, url := hears(t)
	h.run(0, "daemon", "--runOnce", "--event-url", url) // events are told from now on
	h.signed(nil, 1, 2)
	h.rival(1, []byte{0x51})
	h.rival(2, []byte{0x51})
	h.server.Mine(8)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.twice()
	for n := range 2 {
		h.wants(n+1, "failed", "inputs-spent")
	}
	h.run(3, "daemon", "--runOnce", "--confirmations", "0", "--event-url", url) // Tatum lists them yet
	for n := range 2 {
		if e, known := heard.of("failed", n+1); !known || e.Item.Healed != "" {
			t.Errorf("failed is not told: %+v", e)
		}
	}
	h.run(0, "acknowledge", "1", "2", "--why", "paid anew")
	h.answers(answer{"PUT /v3/kms/", "", 500}) // they stay where they are for a while
	h.server.Chain(h.signedHex(1))
	var seen struct{ Healed []string }
	if err := json.Unmarshal(h.run(3, "watch", relaytest.ID(1)), &seen); err != nil || len(seen.Healed) != 1 {
		t.Errorf("watch: %+v, %v", seen, err)
	}
	var list []struct{ State, Healed, FailedFor string }
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(1)), &list); err != nil ||
		list[0].State != "broadcast" || list[0].Healed == "" || list[0].FailedFor != "inputs-spent" {
		t.Errorf("status: %+v, %v", list, err)
	}
	if words := h.says(0, "status"); !strings.Contains(words, "it was failed (inputs-spent) until") {
		t.Error(words)
	}
	h.server.Chain(h.signedHex(2))
	p := h.beside()
	_, get := p.listening("--event-url", url)
	p.eventually("it is counted", func() bool {
		_, text := get("metrics")
		return metric(text, `kms_item_outcomes_total{outcome="healed"}`) == "1"
	})
	for n := range 2 {
		p.eventually("it is told", func() bool {
			e, known := heard.of("healed", n+1)
			return known && e.Item.State == "broadcast" && e.Item.FailedFor == "inputs-spent" &&
				strings.Contains(e.Message, "do not have it paid anew")
		})
	}
	h.server.Fault(nil)
	h.sql("UPDATE items SET retry_at = 0")
	p.eventually("its end is told", func() bool {
		e, known := heard.of("completed", 1)
		return known && e.Item.FailedFor == "inputs-spent" && strings.Contains(e.Message, "after it was failed")
	})
}

// typed runs a command as a person types it, with flags behind it, and returns
// what it says to people.
func (h *teller) typed(code int, args ...string) string {
	h.Helper()
	cmd := exec.Command(filepath.Join(h.bin, "kms-online"), args...)
	cmd.Env = h.env()
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return string(out)
}

// Whatever a command tells people to type works as it is printed, in errors, in
// tables and in what comes next.
func commandsWork(t *testing.T) {
	h := newTeller(t)
	state := filepath.Join(h.dir, "relay")
	place := "kms-online --state " + state + " --testnet "
	usb := filepath.Join(h.dir, "usb")
	h.pay(nil, 1, 2)
	h.typed(0, "fetch", "--state", state, "--testnet")
	h.typed(0, "export", "--out", usb, "--state", state, "--testnet")
	h.sign(usb)
	has(t, h.typed(0, "import", usb, "--state", state, "--testnet"), "next: "+place+"broadcast")
	h.server.Change(relaytest.ID(1), "index", 7)
	h.typed(3, "broadcast", "--state", state, "--testnet")
	has(t, h.typed(0, "status", "--state", state, "--testnet"), "see: "+place+"alarms",
		place+"retry "+relaytest.ID(1), place+"reject "+relaytest.ID(1))
	has(t, h.typed(3, "alarms", "--state", state, "--testnet"), place+"retry "+relaytest.ID(1))
	has(t, h.typed(3, "status", relaytest.ID(9), "--state", state, "--testnet"), place+"status --all",
		place+"fetch brings")
	has(t, h.typed(1, "retry", relaytest.ID(1), "--content", "none", "--state", state),
		"kms-online --state "+state+" status "+relaytest.ID(1))
	nowhere := filepath.Join(h.dir, "it's not here")
	has(t, h.typed(1, "fetch", "--state", nowhere),
		"kms-online --state '"+filepath.Join(h.dir, `it'\''s not here`)+"' init")
}

// The signer has keys of both networks, and all that waits is of the one that was
// not asked for.
func otherNetwork(t *testing.T) {
	h := newTeller(t)
	state := filepath.Join(h.dir, "relay")
	has(t, h.typed(3, "fetch", "--state", state), "no entry of mainnet", "kms-online --state "+state+" fetch --testnet")
	for i, mine := range []chain.Network{chain.Mainnet, chain.Testnet} {
		other := chain.NetworkOf(mine != chain.Testnet)
		entries := []bundle.WatchEntry{
			{SignatureID: relaytest.SignatureID, Coin: chain.Coin{Chain: chain.BTC, Network: mine},
				PubKey: h.signer.Coin.PubKey().SerializeCompressed()},
			{SignatureID: "another", Coin: chain.Coin{Chain: chain.BTC, Network: other},
				PubKey: h.signer.Coin.PubKey().SerializeCompressed()},
		}
		sealed, err := bundle.SealWatch(bundle.Watch{Created: int64(i + 2), Entries: entries}, h.signer.Identity)
		watch := filepath.Join(t.TempDir(), "signer.kmswatch")
		if err == nil {
			err = os.WriteFile(watch, sealed.File, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		h.run(0, "pair", watch)
		if mine == chain.Mainnet {
			words := h.typed(0, "fetch", "--state", state, "--testnet")
			if strings.Contains(words, "Tatum lists nothing") {
				t.Errorf("nothing is listed at all: %s", words)
			}
			h.pay(nil, 1)
			has(t, h.typed(3, "fetch", "--state", state, "--testnet"), "and 1 of mainnet",
				"kms-online --state "+state+" fetch --testnet=false")
			continue
		}
		has(t, h.typed(3, "fetch", "--state", state), "and 1 of testnet",
			"kms-online --state "+state+" fetch --testnet")
	}
}

// A killed command of this relay holds an item, a person rejected another one, and
// a third one is not rejected, for several reasons.
func whoAndWhy(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.beside().killInBroadcast()
	var list []struct{ HeldBy string }
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(1)), &list); err != nil ||
		!strings.HasPrefix(list[0].HeldBy, "a command of this very relay (") {
		t.Errorf("%+v, %v", list, err)
	}
	h.pay(nil, 2)
	h.run(0, "fetch")
	h.run(0, "reject", relaytest.ID(2), "--why", "a mistake")
	h.wants(2, "rejected", "refused-by-relay")
	words := h.says(0, "status")
	if !strings.Contains(words, "by a person: a mistake") || strings.Contains(words, "refused-by-relay") {
		t.Error(words)
	}

	h = newTeller(t)
	h.handedAndHeld(nil)
	has(t, h.says(1, "reject", relaytest.ID(1), "--why", "as the service says"), "\n  its transaction is ",
		"\n  It was handed to the network at ", "\n  nor is anything else")
}
