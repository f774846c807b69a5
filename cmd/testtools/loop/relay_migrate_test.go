//go:build unix

package loop

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/shared/bundle"
)

// oldEnv names a kms-online of an earlier version, for TestMakeOldJournal.
const oldEnv = "KMS_OLD_ONLINE"

// oldStates are the items of the journal in testdata/journal3, which the
// version before backups and alarms wrote: one in each state.
var oldStates = map[string]string{
	relaytest.ID(1): "completed", relaytest.ID(2): "broadcast", relaytest.ID(3): "signed", relaytest.ID(4): "exported", relaytest.ID(5): "prepared",
	relaytest.ID(6): "refused", relaytest.ID(7): "rejected", relaytest.ID(8): "failed", relaytest.ID(9): "fetched",
}

// TestMakeOldJournal writes testdata/journal3. It is kept to show how the
// files were made.
func TestMakeOldJournal(t *testing.T) {
	old := os.Getenv(oldEnv)
	if old == "" {
		t.Skip(oldEnv + " names no program")
	}
	p := newPlainRelay(t, old, "")
	p.makeOld()
	db, err := sql.Open("sqlite", filepath.Join(p.state(), "journal.db"))
	if err == nil {
		_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		_ = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(p.state(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(p.state(), "identity.key"))
	if err != nil {
		t.Fatal(err)
	}
	where := pgtest.Start(t).Database(t)
	p = newPlainRelay(t, old, where)
	if err := os.Mkdir(p.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	p.write(filepath.Join(p.state(), "identity.key"), key)
	p.makeOld()
	dump, err := exec.Command("pg_dump", "--inserts", "--no-owner", "--no-privileges", where).Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"identity.key": key, "journal.db.gz": packed(whole), "journal.sql.gz": packed(dump)} {
		p.write(filepath.Join("testdata", "journal3", name), b)
	}
}

// makeOld brings an item into each state.
func (p *plainRelay) makeOld() {
	p.pair()
	p.pay(6, 7, 8)
	p.must("fetch")
	req := p.export()
	p.must("import", p.result(req, func(r *bundle.Result) {
		for _, n := range []int{6, 7, 8} {
			relaytest.Refuse(relaytest.ID(n), "destination")(r)
		}
	}))
	p.must("reject", relaytest.ID(7), "--why", "test")
	p.must("import", p.result(req, func(r *bundle.Result) {
		relaytest.Refuse(relaytest.ID(6), "destination")(r)
		relaytest.Refuse(relaytest.ID(7), "destination")(r)
	}))
	p.pay(1)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.must("broadcast")
	p.pay(2)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.server.Reply("failed")
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			http.Error(w, `{"errorCode":"x","message":"y","statusCode":400}`, http.StatusBadRequest)
			return true
		}
		return false
	})
	p.must("broadcast")
	p.pay(3)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.pay(4)
	p.must("fetch")
	p.export()
	p.pay(5)
	p.server.Add(p.signer.Payment(9, p.signer.Funding(9), nil)) // what it spends is not known
	p.must("fetch")
	if got := p.states(); !maps.Equal(got, oldStates) {
		p.Fatalf("%v", got)
	}
}

func packed(b []byte) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

// oldRelay is a relay of this version on the old journal, and a Tatum that
// knows what it did.
func oldRelay(t *testing.T, database string) *plainRelay {
	t.Helper()
	p := newPlainRelay(t, "", database)
	if err := os.Mkdir(p.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join("testdata", "journal3", "identity.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.write(filepath.Join(p.state(), "identity.key"), key)
	if database == "" {
		p.write(filepath.Join(p.state(), "journal.db"), unpacked(t, "journal3/journal.db.gz"))
	} else {
		load(t, database, unpacked(t, "journal3/journal.sql.gz"))
	}
	p.pay(1, 2, 3, 4, 5, 6, 8, 9)
	return p
}

func load(t *testing.T, database string, dump []byte) {
	t.Helper()
	var text strings.Builder
	for line := range strings.Lines(string(dump)) {
		if !strings.HasPrefix(line, `\`) { // psql's own commands
			text.WriteString(line)
		}
	}
	db, err := sql.Open("pgx", database)
	if err == nil {
		_, err = db.Exec(text.String())
		_ = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A journal that the version before wrote is brought to this one, nothing is
// lost, and every payment in it goes on.
func migrates(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { oldGoesOn(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { oldGoesOn(t, pgtest.Start(t).Database(t)) })
}

func oldGoesOn(t *testing.T, database string) {
	p := oldRelay(t, database)
	if got := p.allStates(); !maps.Equal(got, oldStates) {
		t.Fatalf("after the migration: %v", got)
	}
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.must("import", p.result(p.export(), nil)) // item 4: its request is of version 1, and given up for a new one
	p.server.Change(relaytest.ID(1), "txId", p.txID(1))
	p.must("broadcast")
	for n, want := range map[int]string{1: "completed", 2: "completed", 3: "completed", 4: "completed", 5: "completed", 7: "rejected", 8: "failed"} {
		if got := p.allStates()[relaytest.ID(n)]; got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	p.must("retry", relaytest.ID(8))
	p.must("broadcast")
	if got := p.allStates()[relaytest.ID(8)]; got != "completed" {
		t.Errorf("after retry it is %s", got)
	}
}

// txID returns the txid that the journal has of a payment.
func (p *plainRelay) txID(n int) string {
	p.Helper()
	var list []itemStatus
	p.json(&list, "status", relaytest.ID(n))
	return list[0].TxID
}

func (p *plainRelay) allStates() map[string]string { p.Helper(); return p.states() }
