package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coldkms/shared/durable"
	"coldkms/shared/durable/faultfs"
	"coldkms/shared/transport/file"
)

func content(n int) []byte { return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n] }

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func TestPut(t *testing.T) {
	m := file.On(t.TempDir())
	for _, n := range []int{0, 1, 511, 512, 513, 4095, 4096, 4097, 100_000} {
		name := fmt.Sprintf("a-%d.kmsreq", n)
		w, err := m.Put(name, content(n))
		if err != nil || w.Before {
			t.Fatalf("%d bytes: %+v, %v", n, w, err)
		}
		t.Logf("%d bytes, read back from the medium: %v", n, w.Direct)
		if got, err := m.Get(name, int64(n)); err != nil || !bytes.Equal(got, content(n)) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if w, err := m.Put(name, content(n)); err != nil || !w.Before {
			t.Errorf("again: %+v, %v", w, err)
		}
		for _, other := range [][]byte{content(n + 1), append(content(n)[:max(n-1, 0)], 'x'), nil} {
			if bytes.Equal(other, content(n)) {
				continue
			}
			if _, err := m.Put(name, other); !errors.Is(err, file.ErrExists) {
				t.Errorf("%d other bytes over %d: %v", len(other), n, err)
			}
		}
		if got, err := m.Get(name, int64(n)); err != nil || !bytes.Equal(got, content(n)) {
			t.Errorf("overwritten: %v", err)
		}
		if _, err := m.Get(name, int64(n-1)); !errors.Is(err, durable.ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
	}
}

// Whatever single operation of a write fails, and however the writer dies,
// there is no file of that name, or the whole one; the trouble has its name;
// and the next writer succeeds.
func TestPutFaults(t *testing.T) {
	data := content(3000)
	for _, mode := range []faultfs.Mode{faultfs.Once, faultfs.Crash, faultfs.Short} {
		for says, want := range map[error]error{
			syscall.ENOSPC: file.ErrFull, syscall.EDQUOT: file.ErrFull, syscall.EFBIG: file.ErrFull, syscall.EROFS: file.ErrReadOnly,
			syscall.EACCES: file.ErrReadOnly, syscall.EPERM: file.ErrReadOnly, syscall.EIO: file.ErrGone, syscall.ENODEV: file.ErrGone, syscall.ENXIO: file.ErrGone,
		} {
			var dir string
			put := func(f *faultfs.FS) error {
				dir = t.TempDir()
				_, err := file.Media{FS: f, Dir: dir}.Put("a.kmsres", data)
				return err
			}
			n, err := faultfs.Each(durable.OS{}, mode, says, put, func(n int, f *faultfs.FS) {
				err := put(f)
				if err != nil && !errors.Is(err, want) && !errors.Is(err, file.ErrGone) {
					t.Errorf("operation %d (%v): %v is not named", n, f.Trace()[n-1], err)
				}
				if got, rerr := os.ReadFile(filepath.Join(dir, "a.kmsres")); rerr == nil && !bytes.Equal(got, data) {
					t.Errorf("operation %d: %d bytes under the final name", n, len(got))
				} else if rerr != nil && err == nil {
					t.Errorf("operation %d: no error and no file", n)
				}
				if mode == faultfs.Once && err != nil && strings.Contains(names(t, dir), ".part") &&
					!strings.HasPrefix(f.Trace()[n-1], "remove") {
					t.Errorf("operation %d leaves %s", n, names(t, dir))
				}
				if _, err := (file.Media{FS: durable.OS{}, Dir: dir}).Put("a.kmsres", data); err != nil {
					t.Errorf("after operation %d failed, the next writer: %v", n, err)
				}
				if got := names(t, dir); got != "a.kmsres" {
					t.Errorf("after operation %d: %s", n, got)
				}
			})
			if err != nil || n < 8 {
				t.Fatalf("%d operations, %v", n, err)
			}
		}
	}
}

// eager is a file system on which somebody else is faster with a name.
type eager struct{ durable.FS }

func (e eager) RenameNew(from, to string) error {
	if err := os.WriteFile(to, []byte("somebody else's"), 0o600); err != nil {
		return err
	}
	return e.FS.RenameNew(from, to)
}

// What somebody else puts there meanwhile is not overwritten, and what has its
// name was synced before.
func TestPutOrder(t *testing.T) {
	m := file.Media{FS: eager{durable.OS{}}, Dir: t.TempDir()}
	if _, err := m.Put("a.kmsres", content(10)); !errors.Is(err, file.ErrExists) {
		t.Errorf("%v", err)
	}
	if got, err := os.ReadFile(filepath.Join(m.Dir, "a.kmsres")); err != nil || string(got) != "somebody else's" ||
		names(t, m.Dir) != "a.kmsres" {
		t.Errorf("%q, %v; %s", got, err, names(t, m.Dir))
	}
	f := &faultfs.FS{Base: durable.OS{}}
	if _, err := (file.Media{FS: f, Dir: t.TempDir()}).Put("a.kmsres", content(10)); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, step := range f.Trace() {
		if what, _, _ := strings.Cut(step, " "); what == "write" || what == "sync" || what == "renamenew" ||
			what == "syncdir" {
			order = append(order, what)
		}
	}
	if got := strings.Join(order, " "); got != "write sync renamenew syncdir" {
		t.Error(got)
	}
}

// A full stick is named, with how much is missing, and nothing stays on it.
func TestFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system is for root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small file system to be had: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	m := file.On(dir)
	if _, err := m.Put("first.kmsreq", content(20_000)); err != nil {
		t.Fatal(err)
	}
	_, err := m.Put("second.kmsreq", content(60_000))
	if !errors.Is(err, file.ErrFull) || !strings.Contains(err.Error(), "of 60000 bytes were taken") ||
		!strings.Contains(err.Error(), "are missing") {
		t.Errorf("full: %v", err)
	}
	if got := names(t, dir); got != "first.kmsreq" {
		t.Errorf("on the full stick: %s", got)
	}
	if got, err := m.Get("first.kmsreq", 1<<20); err != nil || !bytes.Equal(got, content(20_000)) {
		t.Errorf("the old file: %v", err)
	}
	if _, err := m.Put("third.kmsreq", content(10_000)); err != nil {
		t.Errorf("a smaller one: %v", err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Put("fourth.kmsreq", content(10)); !errors.Is(err, file.ErrReadOnly) {
		t.Errorf("write-protected: %v", err)
	}
	if _, err := m.Aside("first.kmsreq", "done", ""); !errors.Is(err, file.ErrReadOnly) {
		t.Errorf("write-protected: %v", err)
	}
}

// A stick that gives other bytes back is caught before the file has its name.
func TestTorn(t *testing.T) {
	data := content(2048)
	for name, broken := range map[string][]byte{
		"cut": data[:2047], "one bit": append(append([]byte(nil), data[:1000]...),
			append([]byte{data[1000] ^ 1}, data[1001:]...)...),
		"zeroed sector": append(append(append([]byte(nil), data[:512]...), make([]byte, 512)...),
			data[1024:]...), "nothing": nil,
	} {
		m := file.Media{FS: durable.OS{}, Dir: t.TempDir(),
			Uncached: func(string, int64) ([]byte, bool, error) { return broken, true, nil }}
		if _, err := m.Put("a.kmsreq", data); !errors.Is(err, file.ErrTorn) {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, m.Dir); got != "" {
			t.Errorf("%s: %s stays", name, got)
		}
	}
}

// A stick that is away is not made up by a folder.
func TestAway(t *testing.T) {
	m := file.On(filepath.Join(t.TempDir(), "usb"))
	if _, err := m.Put("a.kmsreq", nil); !errors.Is(err, file.ErrGone) || m.Present() {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(m.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

// Links, pipes and folders are listed as what they are, and never opened.
func TestStrangeFiles(t *testing.T) {
	m := file.On(t.TempDir())
	secret := filepath.Join(t.TempDir(), "secret")
	for _, err := range []error{
		os.WriteFile(secret, []byte("secret"), 0o600),
		os.Symlink(secret, filepath.Join(m.Dir, "link.kmsres")),
		syscall.Mkfifo(filepath.Join(m.Dir, "pipe.kmsres"), 0o600),
		os.Mkdir(filepath.Join(m.Dir, "folder.kmsres"), 0o700),
		os.WriteFile(filepath.Join(m.Dir, "good.kmsres"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(m.Dir, "OLD.KMSRES"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(m.Dir, ".hidden.kmsres"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(m.Dir, "other.txt"), []byte("x"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files, others, err := m.List(".kmsres")
	if err != nil || len(files) != 2 || files[0].Name != "OLD.KMSRES" || files[1].Name != "good.kmsres" {
		t.Errorf("%+v, %v", files, err)
	}
	if got := strings.Join(others, ", "); got != "folder.kmsres is a folder, link.kmsres is a symbolic link, pipe.kmsres is a named pipe" {
		t.Error(got)
	}
	for _, name := range []string{"link.kmsres", "pipe.kmsres", "folder.kmsres"} {
		if data, err := m.Get(name, 100); !errors.Is(err, durable.ErrNotRegular) || len(data) > 0 {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if _, err := m.Put(name, []byte("secret")); err == nil {
			t.Errorf("%s was taken for the file", name)
		}
	}
	if _, err := m.Get("missing.kmsres", 100); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Nothing that was set aside is overwritten, and a link in the place of the
// folder leads nowhere.
func TestAside(t *testing.T) {
	m := file.On(t.TempDir())
	for n := range 3 {
		if err := os.WriteFile(filepath.Join(m.Dir, "r.kmsres"), []byte{byte(n)}, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Aside("r.kmsres", "bad", "it is torn"); err != nil {
			t.Fatal(err)
		}
	}
	const bad = "r-2.kmsres r-2.kmsres.reason.txt r-3.kmsres r-3.kmsres.reason.txt r.kmsres r.kmsres.reason.txt"
	if got := names(t, filepath.Join(m.Dir, "bad")); got != bad {
		t.Error(got)
	}
	for _, foreign := range []string{strings.Repeat("é", 120) + ".kmsres", "a:b?.kmsres", "con.kmsres", "\x01.kmsres"} {
		if err := os.WriteFile(filepath.Join(m.Dir, foreign), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Aside(foreign, "bad", "foreign"); err != nil {
			t.Errorf("%q: %v", foreign, err)
		}
	}
	elsewhere := t.TempDir()
	if err := errors.Join(os.Symlink(elsewhere, filepath.Join(m.Dir, "done")),
		os.WriteFile(filepath.Join(m.Dir, "x.kmsres"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Aside("x.kmsres", "done", ""); err == nil || names(t, elsewhere) != "" {
		t.Errorf("through a link: %v, %q", err, names(t, elsewhere))
	}
	if _, err := m.Aside("x.kmsres", "other", ""); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	n := file.Name{Created: 1_795_428_900, Network: "testnet", Items: 3, Ending: ".kmsreq"}
	for i := range n.Digest {
		n.Digest[i] = byte(i * 7)
	}
	if got := n.String(); got != "coldkms-20261123-101500-testnet-3items-bring-bone-00070e15.kmsreq" {
		t.Error(got)
	}
	if err := file.CheckName(n.String()); err != nil {
		t.Error(err)
	}
	n.Items, n.Network = 1, ""
	if got := n.String(); !strings.Contains(got, "-101500-1item-") {
		t.Error(got)
	}
	for name, ok := range map[string]bool{
		"a.kmsreq": true, "Ä ö.kmsreq": true, "console.txt": true, ".x": true,
		"": false, ".": false, "..": false, "a/b": false, `a\b`: false, "a:b": false, "a?": false, "a*": false, `"a"`: false, "<a>": false, "a|b": false,
		"a\n": false, "a\x00": false, "a.": false, "a ": false, " a": false, "CON": false, "con.kmsreq": false, "Lpt1.x": false, "\xff": false, strings.Repeat("a", 201): false,
	} {
		if err := file.CheckName(name); (err == nil) != ok || (err != nil && !errors.Is(err, file.ErrName)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
