package online_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"coldkms/online"
)

// A journal of an older version has no prepared form: what Tatum sent is read.
func TestExportedFromOlderJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE items SET prepared = NULL"); err != nil {
		t.Fatal(err)
	}
	if req := w.exported(online.ExportOptions{}); len(req.Items) != 1 {
		t.Errorf("%d items", len(req.Items))
	}
}

// What is exported is what was journaled as proven: a form that does not read goes
// nowhere, and the item is prepared anew.
func TestDamagedForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE items SET prepared = CAST('{\"family\":\"utxo\"}' AS BLOB)"); err != nil {
		t.Fatal(err)
	}
	if got := w.export(online.ExportOptions{}); got.Items != 0 || len(got.Problems) != 1 {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "fetched")
	w.fetch()
	if req := w.exported(online.ExportOptions{}); len(req.Items) != 1 {
		t.Errorf("%d items", len(req.Items))
	}
}
