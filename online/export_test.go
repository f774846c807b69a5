package online_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/durable/faultfs"
	"coldkms/shared/transport/file"
)

func (w *world) files() []string {
	w.Helper()
	entries, err := os.ReadDir(w.out)
	if err != nil {
		w.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestExportNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.export(online.ExportOptions{}); got.Request != nil || got.Digest != nil || got.Items != 0 || len(w.files()) != 0 {
		t.Errorf("%+v", got)
	}
	if got := string(jsonOf(t, online.Exported{})); got != `{"request":null,"digest":null,"items":0}` {
		t.Error(got)
	}
}

// Asking again gives the same file, also when the stick was lost.
func TestExportAgainTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	first := w.export(online.ExportOptions{})
	if name := filepath.Base(*first.Request); !regexp.MustCompile(`^coldkms-20261123-101500-testnet-1item-[a-z]+-[a-z]+-` + (*first.Digest)[:8] + `\.kmsreq$`).MatchString(name) {
		t.Errorf("named %s", name)
	}
	written, err := os.ReadFile(*first.Request)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	for _, lost := range []bool{false, true} {
		if lost {
			if err := os.Remove(*first.Request); err != nil {
				t.Fatal(err)
			}
		}
		again := w.export(online.ExportOptions{})
		if *again.Request != *first.Request || *again.Digest != *first.Digest || again.Items != 1 || len(again.Notes) != 1 {
			t.Errorf("lost %v: %+v", lost, again)
		}
		if now, err := os.ReadFile(*first.Request); err != nil || !bytes.Equal(now, written) {
			t.Errorf("lost %v: another file (%v)", lost, err)
		}
	}
	if err := os.WriteFile(*first.Request, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.open()
	defer r.Close()
	if _, err := r.Export(t.Context(), online.ExportOptions{Dir: w.out}); !errors.Is(err, file.ErrExists) {
		t.Errorf("somebody's file of that name: %v", err)
	}
	if now, _ := os.ReadFile(*first.Request); string(now) != "mine" {
		t.Error("somebody's file was overwritten")
	}
}

func TestExportMaxAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 5 {
		w.pay(n+1, nil)
	}
	w.fetch()
	first := w.exported(online.ExportOptions{Max: 2})
	if len(first.Items) != 2 || first.Items[0].ID != id(1) || first.Items[1].ID != id(2) {
		t.Fatalf("%+v", first.Items)
	}
	second := w.exported(online.ExportOptions{IDs: []string{id(5)}})
	if len(second.Items) != 1 || second.Items[0].ID != id(5) {
		t.Fatalf("%+v", second.Items)
	}
	w.now = w.now.Add(time.Minute)
	all := w.exported(online.ExportOptions{Again: true})
	if len(all.Items) != 5 {
		t.Fatalf("%+v", all.Items)
	}
	if got := w.imports(w.signer.Sign(first, nil)); got.Imported != 2 {
		t.Errorf("the first request's result still counts: %+v", got)
	}
	if got := w.imports(w.signer.Sign(all, nil)); got.Imported != 3 || len(got.Problems) != 0 {
		t.Errorf("then the other's: %+v", got)
	}
}

func exportOn(w *world, fsys durable.FS) error {
	w.Helper()
	r := w.open()
	defer r.Close()
	r.FS = fsys
	_, err := r.Export(w.Context(), online.ExportOptions{Dir: w.out})
	return err
}

// Whatever fails on the disk, and wherever the program dies, every item is
// in a Request on the stick after the next export.
func TestExportCutShort(t *testing.T) {
	t.Parallel()
	fresh := func() *world {
		w := newWorld(t)
		w.pay(1, nil)
		w.fetch()
		return w
	}
	for _, mode := range []faultfs.Mode{faultfs.Once, faultfs.Crash} {
		clean := func(f *faultfs.FS) error { return exportOn(fresh(), f) }
		steps, err := faultfs.Each(durable.OS{}, mode, nil, clean, func(n int, f *faultfs.FS) {
			w := fresh()
			failed := exportOn(w, f)
			w.pay(2, nil)
			w.fetch()
			w.export(online.ExportOptions{})
			if got := w.carried(); len(got) != 2 {
				t.Errorf("mode %d, step %d (%v): %v on the stick", mode, n, failed, got)
			}
		})
		if err != nil || steps < 5 {
			t.Errorf("%d steps, %v", steps, err)
		}
	}
}

// watching looks at the journal whenever a file is made.
type watching struct {
	durable.OS
	made func()
}

func (f watching) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	if flag&os.O_CREATE != 0 {
		f.made()
	}
	return f.OS.OpenFile(name, flag, perm)
}

// No byte of a Request is on the stick before the journal knows of it.
func TestExportJournalsFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	made := 0
	err := exportOn(w, watching{made: func() {
		made++
		r, err := online.Open(t.Context(), online.Options{Families: relaytest.Families(), Dir: w.dir, FS: durable.OS{}, Now: w.clock, Read: true})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		list, err := r.Status(t.Context(), chain.UnknownNetwork, id(1))
		if err != nil || list[0].State != "exported" {
			t.Errorf("a file is made while the item is %+v (%v)", list, err)
		}
	}})
	if err != nil || made == 0 {
		t.Errorf("%v, %d files made", err, made)
	}
}

// carried lists the items of all Requests on the stick.
func (w *world) carried() map[string]bool {
	w.Helper()
	ids := make(map[string]bool)
	for _, name := range w.files() {
		if filepath.Ext(name) != ".kmsreq" {
			continue
		}
		file, err := os.ReadFile(filepath.Join(w.out, name))
		if err != nil {
			w.Fatal(err)
		}
		req, err := bundle.OpenRequest(file)
		if err != nil {
			w.Fatal(err)
		}
		for _, it := range req.Items {
			ids[it.ID] = true
		}
	}
	return ids
}
