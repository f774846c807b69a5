package daemon_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/transport/file"
)

// exported is a house with n payments exported, and what the signer made of
// them.
func exported(t *testing.T, n int) (h *house, request, result []byte) {
	t.Helper()
	h = newHouse(t, nil)
	for i := range n {
		h.pay(i+1, nil)
	}
	if r := h.round(); r.Exported != n {
		t.Fatalf("%+v", r)
	}
	request = h.read(h.on("*.kmsreq")[0])
	req, err := bundle.OpenRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	return h, request, h.signer.Sign(req, nil)
}

// untouched says that every item waits as it did.
func (h *house) untouched(n int) {
	h.Helper()
	for i := range n {
		if s := h.status(relaytest.ID(i + 1)); s.State != "exported" || s.TxID != "" {
			h.Errorf("%s is %s", s.ID, s.State)
		}
	}
	if len(h.server.Sent()) != 0 {
		h.Errorf("%d were sent", len(h.server.Sent()))
	}
}

// torn makes every damage of a file that a stick is known for.
func torn(b []byte, each func(name string, damaged []byte)) {
	for n := range b {
		each(fmt.Sprintf("cut at byte %d", n), b[:n])
	}
	const sector = 512
	for at := 0; at < len(b); at += sector {
		for _, fill := range []byte{0x00, 0xff} {
			damaged := bytes.Clone(b)
			for i := at; i < min(at+sector, len(b)); i++ {
				damaged[i] = fill
			}
			each(fmt.Sprintf("sector %d is all %02x", at/sector, fill), damaged)
		}
		if at > 0 { // an old sector in the place of a new one, and two exchanged
			damaged := bytes.Clone(b)
			copy(damaged[at:], b[:sector])
			each(fmt.Sprintf("sector %d has the first one's bytes", at/sector), damaged)
		}
		damaged := bytes.Clone(b)
		for i := at; i < len(b); i++ {
			damaged[i] = 0
		}
		each(fmt.Sprintf("only the first %d bytes were written, the length is whole", at), damaged)
	}
	each("a sector too much", append(bytes.Clone(b), make([]byte, sector)...))
	each("twice in one file", append(bytes.Clone(b), b...))
}

// Every cut and every broken sector of a result is noticed: nothing of it is
// taken, and all is as it was. So is that of a request, by whoever reads it.
func TestTornFiles(t *testing.T) {
	const items = 40
	h, request, result := exported(t, items)
	tried := 0
	h.relay(func(r *online.Relay) error {
		torn(result, func(name string, damaged []byte) {
			if bytes.Equal(damaged, result) {
				return
			}
			tried++
			var report online.Imported
			if err := r.Import(t.Context(), damaged, &report); err == nil || report.Imported+report.Refused+len(report.Problems) > 0 {
				t.Errorf("result, %s: %v %+v", name, err, report)
			}
		})
		return nil
	})
	torn(request, func(name string, damaged []byte) {
		if bytes.Equal(damaged, request) {
			return
		}
		tried++
		if _, err := bundle.OpenRequest(damaged); err == nil {
			t.Errorf("request, %s: accepted", name)
		}
	})
	h.untouched(items)
	fmt.Printf("media: %d damages of a request of %d bytes and a result of %d bytes, all noticed, nothing taken\n", tried, len(request), len(result))

	h.write("good.kmsres", result)
	if r := h.round(); r.Imported != items || r.Completed != items {
		t.Errorf("the whole one: %+v", r)
	}
}

// Bad files are moved aside with a word, once they have lain still for a
// while; good ones beside them are taken.
func TestBadFiles(t *testing.T) {
	h, _, result := exported(t, 2)
	h.write("torn.kmsres", result[:len(result)/2])
	h.write("empty.kmsres", nil)
	h.write("page.kmsres", []byte("<html>"))
	other := newHouse(t, nil)
	other.pay(9, nil)
	other.round()
	foreign, err := bundle.OpenRequest(other.read(other.on("*.kmsreq")[0]))
	if err != nil {
		t.Fatal(err)
	}
	h.write("foreign.kmsres", h.signer.Sign(foreign, nil))
	own, err := bundle.OpenRequest(h.read(h.on("*.kmsreq")[0]))
	if err != nil {
		t.Fatal(err)
	}
	h.write("stranger.kmsres", relaytest.NewSigner(5).Sign(own, nil))
	for _, strange := range []error{
		os.Symlink("/etc/passwd", filepath.Join(h.usb, "link.kmsres")), syscall.Mkfifo(filepath.Join(h.usb, "pipe.kmsres"), 0o600), os.Mkdir(filepath.Join(h.usb, "folder.kmsres"), 0o700),
	} {
		if strange != nil {
			t.Fatal(strange)
		}
	}
	h.write("huge.kmsres", nil)
	if err := os.Truncate(filepath.Join(h.usb, "huge.kmsres"), bundle.MaxFile+1); err != nil {
		t.Fatal(err)
	}
	if r := h.round(); len(r.Troubles) > 0 || len(h.on("bad/*")) != 0 {
		t.Errorf("at once: %+v %v", r.Troubles, h.on("bad/*"))
	}
	h.untouched(2)
	h.write("torn.kmsres", result) // it was still being copied
	if r := h.round(); r.Imported != 2 {
		t.Errorf("%+v", r)
	}
	h.round()
	var names []string
	for _, path := range h.on("bad/*.kmsres") {
		names = append(names, filepath.Base(path))
	}
	if got := strings.Join(names, " "); got != "empty.kmsres foreign.kmsres huge.kmsres page.kmsres stranger.kmsres" {
		t.Error(got)
	}
	if why := string(h.read(filepath.Join(h.usb, "bad/stranger.kmsres.reason.txt"))); !strings.Contains(why, "not paired") || !strings.Contains(why, "sign the request again") {
		t.Error(why)
	}
	for _, left := range []string{"link.kmsres", "pipe.kmsres", "folder.kmsres"} {
		if _, err := os.Lstat(filepath.Join(h.usb, left)); err != nil {
			t.Errorf("%s: %v", left, err)
		}
	}
}

// A result that is being copied slowly is not called bad.
func TestStillBeingCopied(t *testing.T) {
	h, _, result := exported(t, 1)
	h.d.Period = 3 * time.Second
	h.write("r.kmsres", result[:100])
	for range 3 {
		h.round()
	}
	if len(h.on("bad/*")) != 0 {
		t.Errorf("%v", h.on("bad/*"))
	}
	h.write("r.kmsres", result[:200])
	for range 3 {
		h.round()
	}
	if len(h.on("bad/*")) != 0 {
		t.Errorf("it grows, and: %v", h.on("bad/*"))
	}
	h.write("r.kmsres", result)
	if r := h.round(); r.Imported != 1 {
		t.Errorf("%+v", r)
	}
}

// Old results, the same one under many names, and files whose names were
// exchanged change nothing: what counts is inside.
func TestStaleSwappedDuplicated(t *testing.T) {
	h, _, first := exported(t, 1)
	h.write("a.kmsres", first)
	h.write("b.kmsres", first)
	if r := h.round(); r.Imported != 1 || r.Completed != 1 {
		t.Errorf("%+v", r)
	}
	h.pay(2, nil)
	h.pay(3, nil)
	h.d.Max, h.d.Every = 1, 0
	h.round()
	h.round()
	requests := h.on("*.kmsreq")
	if len(requests) != 2 {
		t.Fatalf("%v", h.on("*"))
	}
	var results [2][]byte
	for i, path := range requests {
		req, err := bundle.OpenRequest(h.read(path))
		if err != nil {
			t.Fatal(err)
		}
		results[i] = h.signer.Sign(req, nil)
	}
	h.write("stale.kmsres", first)
	h.write("2.kmsres", results[0])
	h.write("1.kmsres", results[1])
	h.write("1-copy.kmsres", results[1])
	if r := h.round(); r.Imported != 2 || r.Broadcast != 2 || len(r.Problems) != 0 {
		t.Errorf("%+v\n%s", r, h.logs.String())
	}
	if len(h.server.Sent()) != 3 || len(h.on("bad/*")) != 0 || len(h.on("done/*.kmsres")) != 6 {
		t.Errorf("sent %d; %v", len(h.server.Sent()), h.on("*/*"))
	}

	// Signatures under other items' names make no valid transaction.
	h.d.Max = 0
	h.pay(4, nil)
	h.pay(5, nil)
	h.round()
	h.sign(func(r *bundle.Result) {
		r.Outcomes[0].Signatures, r.Outcomes[1].Signatures = r.Outcomes[1].Signatures, r.Outcomes[0].Signatures
	})
	if r := h.round(); r.Imported != 0 || len(r.Problems) != 2 {
		t.Errorf("%+v", r)
	}
	h.wantState(relaytest.ID(4), "exported")
	if s := h.status(relaytest.ID(4)); s.Code == "" {
		t.Errorf("%+v", s)
	}
}

// A request that the stick did not keep is written anew, and the damaged one
// kept to look at.
func TestTornRequest(t *testing.T) {
	h, request, _ := exported(t, 1)
	path := h.on("*.kmsreq")[0]
	damaged := bytes.Clone(request)
	damaged[len(damaged)/2] ^= 1
	for _, b := range [][]byte{damaged, request[:100], nil} {
		h.write(filepath.Base(path), b)
		h.round()
		if !bytes.Equal(h.read(path), request) {
			t.Error("not written anew")
		}
	}
	if got := h.on("bad/*.kmsreq"); len(got) != 3 || !strings.Contains(h.logs.String(), "was not what had been written") {
		t.Errorf("%v", got)
	}
}

// A stick that is full, or write-protected, is named; what waits goes onto the
// next one, and results on a write-protected one are taken once.
func TestFullStick(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system is for root")
	}
	h := newHouse(t, nil)
	if err := syscall.Mount("tmpfs", h.usb, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("no small file system to be had: %v", err)
	}
	mounted := true
	unmount := func() {
		if mounted {
			_ = syscall.Unmount(h.usb, 0)
		}
		mounted = false
	}
	t.Cleanup(unmount)
	h.write("holiday.jpg", make([]byte, 12<<10))
	for i := range 60 {
		h.pay(i+1, nil)
	}
	r := h.round()
	if !strings.Contains(r.Troubles["export"], file.ErrFull.Error()) || !strings.Contains(r.Troubles["export"], "are missing") || len(h.on("*.kmsreq")) != 0 {
		t.Errorf("%q %v", r.Troubles, h.on("*"))
	}
	if err := os.Remove(filepath.Join(h.usb, "holiday.jpg")); err != nil {
		t.Fatal(err)
	}
	if r := h.round(); len(r.Troubles) != 0 || len(h.on("*.kmsreq")) != 1 {
		t.Errorf("%q %v", r.Troubles, h.on("*"))
	}
	h.sign(nil)
	if err := syscall.Mount("", h.usb, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if r := h.round(); r.Imported != 60 || !strings.Contains(r.Troubles["import"], file.ErrReadOnly.Error()) {
		t.Errorf("%+v", r)
	}
	if r := h.round(); r.Imported != 0 || r.Troubles["import"] != "" {
		t.Errorf("%+v", r)
	}
	unmount()
	h.wantState(relaytest.ID(60), "completed")
}
