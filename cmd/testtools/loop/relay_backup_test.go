//go:build unix

package loop

import (
	"bytes"
	"coldkms/shared/identity"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/shared/bundle"
)

// onBoth runs a test with a journal in each database.
func onBoth(test func(t *testing.T, database string)) func(*testing.T) {
	return func(t *testing.T) {
		t.Run("SQLite", func(t *testing.T) { test(t, "") })
		t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.Start(t).Database(t)) })
	}
}

// releases has a person release all that waits for it.
func (p *plainRelay) releases() {
	p.Helper()
	var reply struct{ List string }
	if err := json.Unmarshal([]byte(p.run("release", "--json").out), &reply); err != nil || reply.List == "" {
		p.Fatalf("%+v, %v", reply, err)
	}
	p.must("release", "--list", reply.List)
}

// lose takes the journal away, as a broken disk does.
func (p *plainRelay) lose(fresh string) {
	p.Helper()
	found, _ := filepath.Glob(filepath.Join(p.state(), "journal.db*"))
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			p.Fatal(err)
		}
	}
	if fresh != "" {
		p.where = []string{"--state", fresh, "--dir", p.state()}
	}
}

// A journal restored from a backup made before the export learns from the old
// result what was signed and sent meanwhile: nothing is signed or paid twice,
// and what was an alarm is known to be the relay's own.
func restoredBeforeExport(t *testing.T, database string) {
	p := newPlainRelay(t, "", database)
	p.pair()
	p.pay(1, 2, 3)
	p.must("fetch")
	backup := filepath.Join(p.dir, "b.kmsbackup")
	p.must("backup", backup)
	result := p.result(p.export(), nil)
	p.must("import", result)
	p.must("broadcast")
	if database != "" {
		database = pgtest.Start(t).Database(t)
	}
	p.lose(database)
	p.must("restore", backup)
	if got := p.must("fetch"); !strings.Contains(got.out, "restored from a backup") {
		t.Errorf("completed at Tatum and not signed here, and nobody says why: %s", got.out)
	}
	var imported struct{ Imported int }
	p.json(&imported, "import", result)
	p.must("broadcast")
	distinct := make(map[string]bool)
	for _, s := range p.server.Sent() {
		distinct[s] = true
	}
	if imported.Imported != 3 || len(distinct) != 3 || len(p.server.Sent()) != 3 {
		t.Errorf("%d imported, sent %d times, %d byte strings", imported.Imported, len(p.server.Sent()), len(distinct))
	}
	for id, state := range p.states() {
		if state != "completed" {
			t.Errorf("%s is %s", id, state)
		}
	}
	var alarms []struct{ Code, Healed string }
	if err := json.Unmarshal([]byte(p.run("alarms").out), &alarms); err != nil || len(alarms) != 4 || alarms[0].Code != "restored" {
		t.Fatalf("%+v, %v", alarms, err)
	}
	for _, a := range alarms[1:] {
		if a.Healed == "" {
			t.Errorf("the relay's own payment is still somebody else's: %+v", a)
		}
	}
}

// Of a request that lies beside its result, what was completed before the
// restore is reported and what is still asked for is taken.
func requestWithUnknownItem(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	backup := filepath.Join(p.dir, "b.kmsbackup")
	p.must("backup", backup)
	p.pay(1, 2)
	p.must("fetch")
	req := p.export()
	result := p.result(req, nil)
	if err := os.WriteFile(filepath.Join(filepath.Dir(result), fmt.Sprintf("coldkms-%x.kmsreq", req.Digest[:4])), req.File, 0o600); err != nil {
		t.Fatal(err)
	}
	p.must("import", result)
	p.must("broadcast", relaytest.ID(1))
	p.lose("")
	p.must("restore", backup)
	p.must("fetch")
	var imported struct {
		Imported int
		Problems []struct{ ID, Code, Reason string }
	}
	got := p.run("import", result)
	if err := json.Unmarshal([]byte(got.out), &imported); err != nil || got.code != 3 || imported.Imported != 1 || len(imported.Problems) != 1 || imported.Problems[0].ID != relaytest.ID(1) || imported.Problems[0].Code != "not-in-journal" || !strings.Contains(imported.Problems[0].Reason, "ALARM: its transaction ") {
		t.Errorf("%+v, %v", got, err)
	}
	p.releases()
	p.must("broadcast", "--external-url", "none")
	if sent := p.server.Sent(); len(sent) != 2 {
		t.Errorf("sent %d times", len(sent))
	}
}

// What a signature does not prove is not taken from a result whose request is
// not in the journal.
func strangersResult(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	p.pay(1)
	p.must("fetch")
	backup := filepath.Join(p.dir, "b.kmsbackup")
	p.must("backup", backup)
	req := p.export()
	p.lose("")
	p.must("restore", backup)
	bad := p.result(req, func(r *bundle.Result) { r.Outcomes[0].Signatures[0][40] ^= 1 })
	if got := p.run("import", bad); got.code == 0 || p.states()[relaytest.ID(1)] == "signed" {
		t.Errorf("a signature that proves nothing: %+v, %v", got, p.states())
	}
	none := p.result(req, func(r *bundle.Result) { r.Outcomes[0].ID = relaytest.ID(99) })
	got := p.run("import", none)
	alarmed := strings.Contains(got.out, `"not-in-journal"`) && strings.Contains(got.out, "do not have it paid anew")
	if got.code != 3 || !alarmed || p.states()[relaytest.ID(99)] != "" {
		t.Errorf("a result of which nothing is known here: %+v, %v", got, p.states())
	}
	other := newPlainRelay(t, "", "")
	other.signer = relaytest.NewSigner(3)
	if got := p.run("import", other.result(req, nil)); got.code != 22 {
		t.Errorf("a result of another signer: %+v", got)
	}
}

// A journal whose file was put back by other means knows a lost request again
// by its file, beside the result; without it the result is refused.
func putBackByHand(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	p.pay(1, 2)
	p.must("fetch")
	old := map[string][]byte{}
	found, _ := filepath.Glob(filepath.Join(p.state(), "journal.db*"))
	for _, path := range found {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		old[path] = b
	}
	req := p.export()
	result := p.result(req, func(r *bundle.Result) { relaytest.Refuse(relaytest.ID(2), "destination")(r) })
	p.lose("")
	for path, b := range old {
		p.write(path, b)
	}
	if got := p.run("import", result); got.code != 22 || !strings.Contains(got.err, "kmsreq") {
		t.Errorf("without the request: %+v", got)
	}
	b, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	p.write(filepath.Join(p.stick(), filepath.Base(result)), b)
	var imported struct{ Imported int }
	p.json(&imported, "import", p.stick())
	if imported.Imported != 1 || p.states()[relaytest.ID(1)] != "signed" {
		t.Errorf("with the request beside it: %+v, %v", imported, p.states())
	}
	var list []struct{ Answers []any }
	if p.json(&list, "report", relaytest.ID(1)); len(list) != 1 || len(list[0].Answers) != 1 {
		t.Errorf("report: %+v", list)
	}
}

// A backup is restored to either database, whole or not at all, and never over
// a journal.
func backups(t *testing.T) {
	server := pgtest.Start(t)
	for name, way := range map[string][2]string{
		"SQLite to PostgreSQL": {"", server.Database(t)}, "PostgreSQL to SQLite": {server.Database(t), ""}, "PostgreSQL to PostgreSQL": {server.Database(t), server.Database(t)},
	} {
		t.Run(name, func(t *testing.T) { backupGoesOn(t, way[0], way[1]) })
	}
}

func backupGoesOn(t *testing.T, from, to string) {
	p := oldRelay(t, from)
	p.must("fetch")
	states := p.states()
	backup := filepath.Join(p.dir, "b.kmsbackup")
	var made struct{ Rows map[string]int }
	p.json(&made, "backup", backup)
	if made.Rows["items"] != len(oldStates) || made.Rows["requests"] == 0 || made.Rows["results"] == 0 {
		t.Errorf("%+v", made)
	}
	if got := p.run("backup", backup); got.code != 1 {
		t.Errorf("over another backup: %+v", got)
	}
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	p.where = []string{"--state", filepath.Join(p.dir, "new")}
	if to != "" {
		p.where = []string{"--state", to, "--dir", filepath.Join(p.dir, "new")}
	}
	if err := os.Mkdir(filepath.Join(p.dir, "new"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := p.run("restore", backup); got.code != 1 || !strings.Contains(got.err, "init") {
		t.Errorf("without an identity: %+v", got)
	}
	key, err := os.ReadFile(filepath.Join(p.state(), "identity.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.write(filepath.Join(p.dir, "new", "identity.key"), key)
	for what, b := range map[string][]byte{"cut": whole[:len(whole)/2], "changed": bytes.Replace(whole, whole[len(whole)/2:len(whole)/2+4], []byte("abcd"), 1), "empty": nil} {
		bad := filepath.Join(p.dir, what)
		p.write(bad, b)
		if got := p.run("restore", bad); got.code != 1 || !strings.Contains(got.err, "not a usable backup") {
			t.Errorf("%s: %+v", what, got)
		}
	}
	p.must("restore", "--check", backup)
	p.must("restore", backup)
	if got := p.states(); !maps.Equal(got, states) {
		t.Errorf("before %v, after %v", states, got)
	}
	if got := p.run("restore", backup); got.code != 1 || !strings.Contains(got.err, "there is a journal already") {
		t.Errorf("over a journal: %+v", got)
	}
	p.pay(10)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.releases()
	p.must("broadcast", "--external-url", "none")
	if got := p.states()[relaytest.ID(10)]; got != "completed" {
		t.Errorf("a payment after the restore is %s", got)
	}
}

// A backup that somebody else wrote or changed is refused.
func forgedBackup(t *testing.T) {
	p, other := newPlainRelay(t, "", ""), newPlainRelay(t, "", "")
	p.pair()
	other.pair()
	backup := filepath.Join(other.dir, "b.kmsbackup")
	other.must("backup", backup)
	p.lose("")
	if got := p.run("restore", backup); got.code != 1 || !strings.Contains(got.err, "another relay made it") {
		t.Errorf("%+v", got)
	}
	b := repacked(t, backup, func(text []byte) []byte { // with another's name, so that only the signature is wrong
		mine := p.identity()
		return bytes.Replace(text, []byte(other.identity()), []byte(mine), 1)
	})
	p.write(backup, b)
	if got := p.run("restore", backup); got.code != 1 {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(filepath.Join(p.state(), "journal.db")); err == nil {
		t.Error("a journal was made of it")
	}
}

// identity is the relay's public key in hex.
func (p *plainRelay) identity() string {
	p.Helper()
	seed, err := os.ReadFile(filepath.Join(p.state(), "identity.key"))
	if err != nil {
		p.Fatal(err)
	}
	key, err := identity.FromSeed(seed)
	if err != nil {
		p.Fatal(err)
	}
	public := key.Public()
	return hex.EncodeToString(public[:])
}

// repacked changes the text of a backup and makes its hash right again, as
// whoever has no relay's key can.
func repacked(t *testing.T, path string, change func([]byte) []byte) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	body := change(append([]byte{}, text[:at]...))
	var end map[string]any
	if err := json.Unmarshal(text[at:], &end); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	end["sha256"] = hex.EncodeToString(sum[:])
	last, err := json.Marshal(end)
	if err != nil {
		t.Fatal(err)
	}
	return packed(append(append(body, last...), '\n'))
}
