//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"coldkms/cmd/kms-sandbox/sandbox/approver"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
)

// fourEyes is a world in which policy wants the sandbox's approver to vouch
// for each payment.
func fourEyes(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	id := w.storeKey(psbtWIF)
	watch := w.pair()
	var who struct{ Key string }
	w.api("GET", "/approver", nil, &who)
	w.write(filepath.Join(w.dir, "offline", "policy.json"), fmt.Appendf(nil,
		`{"version":1,"chains":[{"chain":"BTC","network":"testnet"}],"approvers":{"needed":1,"keys":[{"name":"sandbox","key":%q}]}}`, who.Key))
	w.run(w.offline("policy", "set", "policy.json"), 0, nil)
	w.pay(w.fund(id, scriptsOf(t, entryOf(t, watch, id).PubKey)["P2WPKH"]))
	w.run(w.online("fetch"), 0, nil)
	return w
}

func (w *world) asking(args ...string) []string {
	return append([]string{"--externalUrl", w.url + "/approver", "--externalUrlMethod", "POST"}, args...)
}

// signs reviews and signs a request, wants this exit code, and returns the code
// of its refusal.
func (w *world) signs(request string, exit int) (result, code string) {
	w.t.Helper()
	var reviewed struct{ Digest string }
	w.run(w.offline("review", request), exit, &reviewed)
	var signed struct {
		Result  string
		Refused []struct{ Code string }
	}
	w.run(w.offline("sign", request, "--out", w.usb(), "--approve", reviewed.Digest), exit, &signed)
	if len(signed.Refused) > 0 {
		code = signed.Refused[0].Code
	}
	return w.onUSB(signed.Result), code
}

// A statement goes across the gap, and what it is about is signed and sent.
// Without one, or with one about anything else, nothing is.
func TestFourEyesAcrossTheGap(t *testing.T) {
	w := fourEyes(t)
	var exported struct{ Request string }
	w.run(w.online("export", "--out", w.usb()), 0, &exported)
	if _, code := w.signs(w.onUSB(exported.Request), 20); code != "approval-missing" {
		t.Errorf("signed without a statement: %q", code)
	}
	w.run(w.online(w.asking("export", "--again", "--out", w.usb())...), 0, &exported)
	good := w.onUSB(exported.Request)
	for name, forge := range forgeries(t) {
		path := filepath.Join(w.usb(), name+".kmsreq")
		w.write(path, w.reseal(good, forge))
		if _, code := w.signs(path, 20); code != "approval-missing" {
			t.Errorf("%s: %q", name, code)
		}
	}
	result, _ := w.signs(good, 0)
	w.run(w.online("import", result), 0, nil)
	var sent struct{ Broadcast []sentReply }
	w.run(w.online(w.asking("broadcast")...), 0, &sent)
	if len(sent.Broadcast) != 1 {
		t.Fatalf("%+v", sent)
	}
	w.settled(map[string]string{sent.Broadcast[0].ID: sent.Broadcast[0].TxID})
}

// forgeries are what a relay could carry in place of the approver's word.
func forgeries(t *testing.T) map[string]func(*bundle.Item, attestation.Content) {
	t.Helper()
	key, err := approver.TestKey()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := identity.FromSeed(make([]byte, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(time.Hour).Unix()
	return map[string]func(*bundle.Item, attestation.Content){
		"absent":    func(it *bundle.Item, _ attestation.Content) { it.Statements = nil },
		"tampered":  func(it *bundle.Item, _ attestation.Content) { it.Statements[0].Signature[40] ^= 1 },
		"prolonged": func(it *bundle.Item, _ attestation.Content) { it.Statements[0].Expires++ },
		"under-his-name": func(it *bundle.Item, c attestation.Content) {
			it.Statements[0].Signature = stranger.Sign(c.Message(soon))
			it.Statements[0].Expires = soon
		},
		"by-a-stranger": func(it *bundle.Item, c attestation.Content) {
			it.Statements = []attestation.Statement{c.Sign(stranger, soon)}
		},
		"expired": func(it *bundle.Item, c attestation.Content) {
			it.Statements = []attestation.Statement{c.Sign(key, time.Now().Add(-time.Minute).Unix())}
		},
		"other-content": func(it *bundle.Item, _ attestation.Content) {
			var q attestation.Question
			text := `{"id":%q,"chain":"BTC","network":"testnet","inputs":[],"outputs":[],"fee":1}`
			if err := json.Unmarshal(fmt.Appendf(nil, text, it.ID), &q); err != nil {
				t.Fatal(err)
			}
			other, err := q.Content()
			if err != nil {
				t.Fatal(err)
			}
			it.Statements = []attestation.Statement{other.Sign(key, soon)}
		},
	}
}

// reseal alters the one item of a request, with the relay's own key.
func (w *world) reseal(path string, change func(*bundle.Item, attestation.Content)) []byte {
	w.t.Helper()
	request, err := bundle.OpenRequest(w.read(path))
	if err != nil || len(request.Items) != 1 || len(request.Items[0].Statements) != 1 {
		w.t.Fatal(err, request.Items)
	}
	table, err := utxo.NewTable(request.Attached(utxo.Name))
	if err != nil {
		w.t.Fatal(err)
	}
	it := request.Items[0]
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, table)
	if err != nil {
		w.t.Fatal(err)
	}
	it.Statements = slices.Clone(it.Statements)
	change(&it, attestation.Of(it.ID, tx.Explain(utxo.NoKeys{})))
	relay, err := identity.FromSeed(w.read(filepath.Join(w.dir, "online", "relay", "identity.key")))
	if err != nil {
		w.t.Fatal(err)
	}
	changed := request.Request
	changed.Items = []bundle.Item{it}
	sealed, err := bundle.SealRequest(changed, relay)
	if err != nil {
		w.t.Fatal(err)
	}
	return sealed.File
}
