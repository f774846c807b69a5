//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// inputFaults are about files, replies and items that are too large, damaged or foreign.
func inputFaults() []fault {
	return []fault{
		{"02-rejected-item-of-an-exported-request", rejectedItem},
		{"02-item-dropped-at-tatum-after-export", droppedItem},
		{"06-oversize-and-unreadable-files-on-stick", strangeFiles},
		{"06-thousand-junk-names-on-read-only-stick", junkOnReadOnly},
		{"06-real-file-systems", realSticks},
		{"06-real-file-systems-full-and-read-only", fullAndProtected},
		{"06-real-file-systems-pulled-in-mid-write", pulledOut},
		{"08-one-chain-answers-403", oneChain},
		{"08-element-nested-deep-and-element-of-200-MB", hugeElement},
		{"12-api-key-in-replies", keyInReplies},
		{"13-item-too-large-alone", tooLarge},
		{"13-proofs-of-several-requests", heavyProofs},
		{"16-one-revoked-key-of-two", revokedKey},
		{"16-reject-under-the-wrong-key", wrongKey},
		{"16e-what-is-not-there-is-not-rejected", notThere},
		{"16-rejected-but-still-listed", stillListed},
		{"19-request-of-an-older-format", olderFormat},
		{"19-refusal-for-an-older-request", olderRefusal},
	}
}

// newStick makes a paired relay with payments that wait.
func newStick(t *testing.T, payments ...int) *plainRelay {
	t.Helper()
	p := newPlainRelay(t, "", "")
	if err := os.Mkdir(p.stick(), 0o700); err != nil {
		t.Fatal(err)
	}
	p.pair()
	p.pay(payments...)
	return p
}

// round makes one round of the daemon.
func (p *plainRelay) round(args ...string) ran {
	p.Helper()
	return p.must(append([]string{"daemon", "--runOnce", "--drop", p.stick()}, args...)...)
}

// requests reads the requests that lie in a folder: the ids in each.
func (p *plainRelay) requests(dir string) (all [][]string, files []bundle.SealedRequest) {
	p.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.kmsreq"))
	if err != nil {
		p.Fatal(err)
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			p.Fatal(err)
		}
		req, err := bundle.OpenRequest(file)
		if err != nil {
			p.Fatalf("%s: %v", path, err)
		}
		var ids []string
		for _, it := range req.Items {
			ids = append(ids, it.ID)
		}
		all, files = append(all, ids), append(files, req)
	}
	return all, files
}

// wantRequest wants one request on the stick, with exactly these payments.
func (p *plainRelay) wantRequest(numbers ...int) bundle.SealedRequest {
	p.Helper()
	all, files := p.requests(p.stick())
	var want []string
	for _, n := range numbers {
		want = append(want, relaytest.ID(n))
	}
	if len(all) != 1 || !slices.Equal(all[0], want) {
		p.Fatalf("on the stick are requests for %v, want one for %v", all, want)
	}
	return files[0]
}

func rejectedItem(t *testing.T) {
	p := newStick(t, 1, 2, 3)
	p.round()
	first := p.wantRequest(1, 2, 3)
	if got := p.must("reject", relaytest.ID(2), "--why", "wrong amount"); !strings.Contains(got.err, "destroy") {
		t.Errorf("the person is not told: %s", got.err)
	}
	p.round() // the person did not destroy it yet
	second := p.wantRequest(1, 3)
	if gone, _ := p.requests(filepath.Join(p.stick(), "void")); len(gone) != 1 || len(gone[0]) != 3 {
		t.Errorf("void requests on the stick: %v", gone)
	}
	reasons, _ := filepath.Glob(filepath.Join(p.stick(), "void", "*.reason.txt"))
	if len(reasons) != 1 {
		t.Fatalf("no reason lies beside it")
	}
	if text, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(text), relaytest.ID(2)+" was rejected") {
		t.Errorf("%s, %v", text, err)
	}
	if err := os.RemoveAll(p.stick()); err != nil { // and another stick comes
		t.Fatal(err)
	}
	if err := os.Mkdir(p.stick(), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		p.round()
		if got := p.wantRequest(1, 3); got.Digest != second.Digest || got.Digest == first.Digest {
			t.Fatalf("another request was placed")
		}
	}
	p.must("import", p.result(second, nil))
	p.must("broadcast")
	if got := p.states(); got[relaytest.ID(1)] != "completed" || got[relaytest.ID(2)] != "rejected" || got[relaytest.ID(3)] != "completed" {
		t.Errorf("%v", got)
	}
}

func droppedItem(t *testing.T) {
	p := newStick(t, 1, 2)
	p.round()
	p.wantRequest(1, 2)
	p.server.Change(relaytest.ID(1), "id", nil)
	p.round()
	p.wantRequest(2)
	var list []struct{ ID, State, Withheld string }
	p.json(&list, "status", relaytest.ID(1))
	if list[0].Withheld != "unknown-at-tatum" {
		t.Errorf("%+v", list)
	}
	var made struct{ Items int }
	p.json(&made, "export", "--again", "--out", p.stick())
	if made.Items != 1 {
		t.Errorf("export --again takes %d items", made.Items)
	}
}

// withoutOverride runs a command as a root that file modes bind, where the
// test is root.
func (p *plainRelay) withoutOverride(args ...string) ran {
	p.Helper()
	if os.Getuid() != 0 {
		return p.run(args...)
	}
	q := *p
	q.program, q.where = "/usr/bin/setpriv", append([]string{"--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search", p.program}, p.where...)
	return q.run(args...)
}

func strangeFiles(t *testing.T) {
	p := newStick(t, 1)
	p.round()
	req := p.wantRequest(1)
	result := p.signer.Sign(req, nil)
	for name, size := range map[string]int64{"aaa.kmsreq": 100 << 20, "aaa.kmsres": 100 << 20, "aab.kmsreq": 10} {
		path := filepath.Join(p.stick(), name)
		p.write(path, []byte("junk"))
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"aac.kmsres", "aad.kmsreq"} {
		p.write(filepath.Join(p.stick(), name), []byte("secret"))
		if err := os.Chmod(filepath.Join(p.stick(), name), 0); err != nil {
			t.Fatal(err)
		}
	}
	p.write(filepath.Join(p.stick(), "zzz.kmsres"), result)
	p.pay(2)
	got := p.withoutOverride("daemon", "--runOnce", "--drop", p.stick())
	if states := p.states(); states[relaytest.ID(1)] != "completed" || states[relaytest.ID(2)] != "exported" {
		t.Errorf("%v\n%s%s", states, got.out, got.err)
	}
	if strings.Contains(got.out+got.err, "write-protected") || !strings.Contains(got.out+got.err, "may not read") {
		t.Errorf("the words are wrong: %s%s", got.out, got.err)
	}
}

func junkOnReadOnly(t *testing.T) {
	p := newStick(t, 1)
	p.round()
	result := p.signer.Sign(p.wantRequest(1), nil)
	for n := range 1000 {
		p.write(filepath.Join(p.stick(), fmt.Sprintf("junk-%04d.kmsres", n)), []byte("junk"))
	}
	p.write(filepath.Join(p.stick(), "zzz.kmsres"), result)
	if err := os.Chmod(p.stick(), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(p.stick(), 0o700) })
	d := p.daemonWithoutOverride("--period", "1")
	d.until(t, func() bool { return p.states()[relaytest.ID(1)] == "completed" })
}

func wrongKey(t *testing.T) {
	p := newStick(t, 1)
	p.round()
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("x-api-key") != "another-tenant" || !strings.HasPrefix(r.URL.Path, "/v3/kms/") {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"errorCode":"kms.missing","message":"no such transaction","statusCode":403}`)
		return true
	})
	p.env = []string{"TATUM_API_KEY=another-tenant"}
	got := p.run("reject", relaytest.ID(1), "--why", "a mistake")
	if got.code == 0 || !strings.Contains(got.err, "API key") || p.states()[relaytest.ID(1)] != "exported" {
		t.Errorf("exit code %d, %s, %v", got.code, got.err, p.states())
	}
	p.env = nil
	p.must("reject", relaytest.ID(1), "--why", "a mistake")
	if p.server.Calls("DELETE") != 1 || p.states()[relaytest.ID(1)] != "rejected" {
		t.Errorf("%d deleted, %v", p.server.Calls("DELETE"), p.states())
	}
}

// Tatum does not have an item: whoever dropped it there, or whose key this is, is
// for a person to know.
func notThere(t *testing.T) {
	p := newStick(t, 1)
	p.must("fetch")
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v3/kms/"+relaytest.ID(1)) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"errorCode":"kms.missing","message":"no such transaction","statusCode":403}`)
		return true
	})
	got := p.run("reject", relaytest.ID(1), "--why", "a mistake")
	if got.code == 0 || !strings.Contains(got.err, "--gone") || p.states()[relaytest.ID(1)] == "rejected" {
		t.Errorf("exit code %d, %s, %v", got.code, got.err, p.states())
	}
	p.must("reject", relaytest.ID(1), "--gone", "--why", "a mistake")
	if p.states()[relaytest.ID(1)] != "rejected" {
		t.Errorf("%v", p.states())
	}
}

func stillListed(t *testing.T) {
	p := newStick(t, 1)
	p.must("fetch")
	p.must("reject", relaytest.ID(1), "--why", "a mistake")
	p.pay(1) // it is listed as before
	got := p.must("fetch")
	if !strings.Contains(got.out, "rejected-but-listed") || p.states()[relaytest.ID(1)] != "rejected" {
		t.Errorf("%s%s", got.out, got.err)
	}
	p.must("reject", relaytest.ID(1), "--why", "a mistake")
	if got := p.must("fetch"); p.server.Calls("DELETE") != 2 || strings.Contains(got.out, "rejected-but-listed") {
		t.Errorf("%d deleted: %s", p.server.Calls("DELETE"), got.out)
	}
}

// olderFormat has a request in the journal that this version cannot read.
func olderFormat(t *testing.T) {
	p := newStick(t, 1)
	p.round()
	req := p.wantRequest(1)
	older := slices.Clone(req.File)
	older[5]++ // its version
	p.journal("UPDATE requests SET file = ? WHERE digest = ?", older, req.Digest[:])
	if err := os.RemoveAll(p.stick()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.stick(), 0o700); err != nil {
		t.Fatal(err)
	}
	p.pay(2)
	got := p.round()
	var round struct{ Troubles map[string]string }
	if err := json.Unmarshal([]byte(got.out), &round); err != nil || len(round.Troubles) != 0 {
		t.Errorf("steps are in trouble: %v %v", round.Troubles, err)
	}
	p.wantRequest(1, 2)
	if got := p.run("import", p.result(req, nil)); got.code == 0 || strings.Contains(got.err, "damaged") || !strings.Contains(got.err, "export") {
		t.Errorf("a result for it: exit code %d, %s", got.code, got.err)
	}
}

// olderRefusal has the signer refuse what a newer request is out with.
func olderRefusal(t *testing.T) {
	p := newStick(t, 1, 2)
	p.must("fetch")
	first := p.export()
	p.export("--again", relaytest.ID(1))
	got := p.run("import", p.result(first, relaytest.Refuse(relaytest.ID(1), chain.RefusedByPerson)))
	var report struct {
		Imported int
		Problems []struct{ ID, Code, Reason string }
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil {
		t.Fatal(err, got.err)
	}
	if got.code != 3 || report.Imported != 1 || len(report.Problems) != 1 || report.Problems[0].Code != "older-request" || !strings.Contains(report.Problems[0].Reason, "refused-by-person") {
		t.Errorf("exit code %d, %s", got.code, got.out)
	}
}

// oneChain has Tatum refuse the list of one chain.
func oneChain(t *testing.T) {
	p := newStick(t, 1)
	watch, err := bundle.SealWatch(bundle.Watch{Created: 2, Entries: []bundle.WatchEntry{
		{SignatureID: "a-key-of-ltc", Coin: chain.Coin{Chain: chain.LTC, Network: chain.Testnet}, PubKey: p.signer.Coin.PubKey().SerializeCompressed()},
		{SignatureID: relaytest.SignatureID, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, PubKey: p.signer.Coin.PubKey().SerializeCompressed()},
	}}, p.signer.Identity)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.dir, "two.kmswatch")
	p.write(path, watch.File)
	p.must("pair", path)
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pending/LTC") {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"errorCode":"subscription.chain","message":"not in your plan","statusCode":403}`)
		return true
	})
	got := p.run("fetch")
	if p.states()[relaytest.ID(1)] != "prepared" || !strings.Contains(got.err, "LTC") {
		t.Errorf("%v: %s%s", p.states(), got.out, got.err)
	}
}

// hugeElement has a list with elements that nobody can use among good ones.
func hugeElement(t *testing.T) {
	p := newStick(t)
	prev := p.signer.Funding(1)
	p.server.Chain(relaytest.Hex(prev))
	good := p.signer.Payment(1, prev, nil)
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pending/BTC") {
			return false
		}
		_, _ = fmt.Fprintf(w, `[%s%s,{"id":"a","x":"`, strings.Repeat("[", 10_001), strings.Repeat("]", 10_001))
		part := []byte(strings.Repeat("x", 1<<20))
		for range 200 {
			_, _ = w.Write(part)
		}
		_, _ = fmt.Fprintf(w, `"},%s]`, good)
		return true
	})
	cmd := p.command("--testnet", "--json", "fetch")
	out, used := measured(t, cmd)
	if p.states()[relaytest.ID(1)] != "prepared" || !strings.Contains(string(out), "too-large") || !strings.Contains(string(out), "malformed") {
		t.Errorf("%v: %s", p.states(), out)
	}
	if used > 300 {
		t.Errorf("%d MB of memory", used)
	}
	if info, err := os.Stat(filepath.Join(p.state(), "journal.db")); err != nil || info.Size() > 10<<20 {
		t.Errorf("the journal: %v, %v", info.Size(), err)
	}
}

// keyInReplies has a Tatum that gives the API key for every txid.
func keyInReplies(t *testing.T) {
	p := newStick(t, 1, 2)
	p.round()
	result := p.signer.Sign(p.wantRequest(1, 2), nil)
	escaped := fmt.Sprintf("\\u%04x%s", tatumtest.Key[0], tatumtest.Key[1:])
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		switch path := r.Method + " " + r.URL.Path; {
		case strings.HasSuffix(path, "/broadcast"):
			_, _ = fmt.Fprintf(w, `{"txId":"%s"}`, escaped)
		case path == "GET /v3/kms/"+relaytest.ID(1):
			_, _ = fmt.Fprintf(w, `{"id":"%s","serializedTransaction":"{}","txId":"%s"}`, relaytest.ID(1), escaped)
		case strings.HasSuffix(path, "/pending/BTC"):
			_, _ = fmt.Fprintf(w, `[{"id":"%s","chain":"%s"}]`, tatumtest.Key, tatumtest.Key)
		default:
			return false
		}
		return true
	})
	p.write(filepath.Join(p.stick(), "r.kmsres"), result)
	var words string
	for _, args := range [][]string{{"daemon", "--runOnce", "--drop", p.stick()}, {"broadcast"}, {"fetch"}, {"status"}, {"alarms"}} {
		got := p.run(args...)
		words += got.out + got.err
	}
	if strings.Contains(words, tatumtest.Key) || !strings.Contains(words, "[key]") {
		t.Errorf("the API key is shown, or nothing in its place: %s", words)
	}
	files, _ := filepath.Glob(filepath.Join(p.state(), "*"))
	for _, path := range files {
		if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), tatumtest.Key) {
			t.Errorf("the API key is in %s", path)
		}
	}
}

// tooLarge has an item that no request can hold.
func tooLarge(t *testing.T) {
	p := newStick(t, 2)
	prev := p.signer.Funding(1)
	p.server.Chain(relaytest.Hex(prev))
	p.server.Add(p.signer.Payment(1, prev, func(m map[string]any) {
		keys := []string{relaytest.SignatureID}
		for n := range bundle.MaxKeys {
			keys = append(keys, fmt.Sprintf("key-%d", n))
		}
		m["hashes"] = keys
	}))
	got := p.must("fetch")
	p.round()
	p.wantRequest(2)
	if p.states()[relaytest.ID(1)] != "refused" || !strings.Contains(got.out, "too-large") || !strings.Contains(got.out, "10001 keys") {
		t.Errorf("%v: %s", p.states(), got.out)
	}
}

// revokedKey has two API keys, of which Tatum does not accept the first.
func revokedKey(t *testing.T) {
	p := newStick(t, 1)
	path := filepath.Join(p.dir, "keys")
	p.write(path, []byte("old testnet revoked-key\nnew testnet "+tatumtest.Key+"\n"))
	p.env = []string{"TATUM_API_KEY="}
	got := p.run("--api-key-file", path, "fetch")
	if got.code == 0 || p.states()[relaytest.ID(1)] != "prepared" || !strings.Contains(got.err, "API key old") || strings.Contains(got.err, "revoked-key") {
		t.Errorf("exit code %d, %v: %s%s", got.code, p.states(), got.out, got.err)
	}
}
