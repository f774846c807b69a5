//go:build unix

package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"coldkms/shared/durable"
	"coldkms/shared/durable/faultfs"
)

func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var want string
	for _, piece := range []string{"a\n", "bb\n", "ccc\n"} {
		l, have, err := durable.OpenLog(durable.OS{}, path, 100)
		if err != nil || string(have) != want {
			t.Fatalf("%q, %v; want %q", have, err, want)
		}
		if err := l.Append([]byte(piece)); err != nil {
			t.Fatal(err)
		}
		want += piece
		if l.Size() != int64(len(want)) {
			t.Errorf("size %d", l.Size())
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Append([]byte("x")); !errors.Is(err, durable.ErrPoisoned) {
			t.Errorf("append after close: %v", err)
		}
	}
	if _, _, err := durable.OpenLog(durable.OS{}, path, 8); !errors.Is(err, durable.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestLogTruncate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	put(t, path, "one\ntorn")
	l, _, err := durable.OpenLog(durable.OS{}, path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, size := range []int64{-1, 9} {
		if err := l.Truncate(size); err == nil {
			t.Errorf("truncated to %d", size)
		}
	}
	if err := errors.Join(l.Truncate(4), l.Append([]byte("two\n"))); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "one\ntwo\n" {
		t.Errorf("got %q", got)
	}
}

// Whatever fails, what was acknowledged is there, and nothing is taken after
// a failure.
func TestLogFaults(t *testing.T) {
	for _, mode := range []faultfs.Mode{faultfs.Once, faultfs.Short, faultfs.Crash} {
		path := filepath.Join(t.TempDir(), "log")
		var acked string
		run := func(f *faultfs.FS) (first error) {
			_ = os.Remove(path)
			acked = ""
			l, _, err := durable.OpenLog(f, path, 100)
			if err != nil {
				return err
			}
			defer l.Close()
			for _, piece := range []string{"one\n", "two\n", "three\n"} {
				err := l.Append([]byte(piece))
				if err == nil && first != nil {
					t.Errorf("%q was taken after %v", piece, first)
				}
				if err != nil && first != nil && !errors.Is(err, durable.ErrPoisoned) {
					t.Errorf("the second error is %v", err)
				}
				if err == nil {
					acked += piece
				} else if first == nil {
					first = err
				}
			}
			return first
		}
		_, err := faultfs.Each(durable.OS{}, mode, nil, run, func(n int, f *faultfs.FS) {
			_ = run(f)
			b, _ := os.ReadFile(path)
			if len(b) < len(acked) || string(b[:len(acked)]) != acked {
				t.Errorf("mode %d, operation %d: acknowledged %q, there is %q", mode, n, acked, b)
			}
			if err := durable.Sweep(durable.OS{}, path); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogSyncs(t *testing.T) {
	f := &faultfs.FS{Base: durable.OS{}}
	l, _, err := durable.OpenLog(f, filepath.Join(t.TempDir(), "log"), 100)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append([]byte("x")); err != nil {
		t.Fatal(err)
	}
	trace := f.Trace()
	if got := trace[len(trace)-2:]; got[0] != "write log" || got[1] != "sync log" {
		t.Errorf("append ends with %q", got)
	}
}

func TestLogFindsSecondWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	one, _, err := durable.OpenLog(durable.OS{}, path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) // knows no lock
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if _, err := two.WriteString("y"); err != nil {
		t.Fatal(err)
	}
	if err := one.Append([]byte("x")); err == nil {
		t.Error("two writers, and the first did not notice")
	}
}

// A second Log of the file is refused, also by another name, and by a Log that
// another file took the place of.
func TestLogKeepsOthersOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	one, _, err := durable.OpenLog(durable.OS{}, path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if err := os.Link(path, path+"2"); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{path, path + "2"} {
		if _, _, err := durable.OpenLog(durable.OS{}, name, 100); !errors.Is(err, durable.ErrLocked) {
			t.Errorf("%s: a second writer: %v", filepath.Base(name), err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := one.Append([]byte("x")); err == nil {
		t.Error("it wrote to a file that is not there any more")
	}
	put(t, path, "")
	three, _, err := durable.OpenLog(durable.OS{}, path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer three.Close()
	if err := os.Rename(path+"2", path); err != nil {
		t.Fatal(err)
	}
	if err := three.Append([]byte("x")); !errors.Is(err, durable.ErrReplaced) {
		t.Errorf("another file was put in its place: %v", err)
	}
}
