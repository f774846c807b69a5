//go:build unix

package loop

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"coldkms/cmd/testtools/fakecamera"
)

// opticalSizes are the batches of TestLoopByPictures: KMS_OPTICAL, or what a
// test run can afford. The full measure:
//
//	KMS_OPTICAL=1,100,1000 go test ./cmd/testtools/loop -run TestLoopByPictures -timeout 30m -v
func opticalSizes(t *testing.T) []int {
	text := os.Getenv("KMS_OPTICAL")
	if text == "" {
		return []int{1, 20}
	}
	var list []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 10_000 {
			t.Fatalf("KMS_OPTICAL=%q: want numbers from 1 to 10000", text)
		}
		list = append(list, n)
	}
	return list
}

// Nothing passes between the two machines but pictures that a camera takes of
// the other's screen, one in ten missing: the public halves, requests and
// results. Every payment is mined once, as it was signed.
func TestLoopByPictures(t *testing.T) {
	for i, items := range opticalSizes(t) {
		t.Run(fmt.Sprint(items), func(t *testing.T) {
			w := newWorld(t)
			all := w.stock()
			learn(t, w.pair(), all)
			o := &optical{batchRun: &batchRun{world: w, coins: all[:1], items: items}, lens: fakecamera.Lens{Model: "std", Width: 1280, Height: 720, Loss: .1, Seed: uint64(i)}}
			o.again()
			o.ask()
			w.run(w.online("fetch"), 0, nil)
			o.time("export", func() { w.run(w.online("export", "--qr", "--qr-out", o.screen("request"), "--density", "20"), 0, nil) })
			o.shoot("request")
			o.signByPictures()
			o.shoot("result")
			o.time("import", func() { w.run(w.online("import", "--qr", o.seen("result")), 0, nil) })
			w.run(w.online("broadcast"), 0, nil)
			o.check()
			fmt.Printf("by pictures: %d payments%s\n", items, o.text)
		})
	}
}

type optical struct {
	*batchRun
	lens fakecamera.Lens
}

func (o *optical) screen(what string) string { return filepath.Join(o.dir, "screen-"+what) }

func (o *optical) seen(what string) string { return filepath.Join(o.dir, "camera-"+what) }

func (o *optical) shoot(what string) {
	o.t.Helper()
	shown, taken, err := o.lens.Shoot(o.screen(what), o.seen(what))
	if err != nil {
		o.t.Fatal(err)
	}
	o.text += fmt.Sprintf(", %s in %d of %d symbols", what, taken, shown)
}

// again pairs the machines that are paired by file once more, by pictures.
func (o *optical) again() {
	o.run(o.offline("watch", "--out", "w.kmswatch"), 0, nil)
	o.run(o.offline("show", "w.kmswatch", "--qr-out", o.screen("watch")), 0, nil)
	o.shoot("watch")
	o.run(o.online("pair", "--qr", o.seen("watch")), 0, nil)
	var id struct{ Identity string }
	o.run(o.online("init"), 0, &id)
	o.run(o.online("show", id.Identity, "--qr-out", o.screen("identity")), 0, nil)
	o.shoot("identity")
	o.run(o.offline("pair", "--qr", o.seen("identity")), 0, nil)
}

func (o *optical) signByPictures() {
	var reviewed struct{ Digest string }
	o.time("review", func() { o.run(o.offline("review", "--qr", o.seen("request")), 0, &reviewed) })
	var signed struct{ Signed []sentReply }
	o.time("sign", func() {
		o.run(o.offline("sign", "--qr", o.seen("request"), "--approve", reviewed.Digest, "--qr-out", o.screen("result"), "--density", "20"), 0, &signed)
	})
	o.signed = make(map[string]string)
	for _, s := range signed.Signed {
		o.signed[s.ID] = s.TxID
	}
	if len(o.signed) != o.items {
		o.t.Fatalf("%d items signed, want %d", len(o.signed), o.items)
	}
}

// A camera that sees half of a file gives nothing, and says how much is missing.
func TestHalfOfTheSymbols(t *testing.T) {
	w := newWorld(t)
	all := w.stock()
	learn(t, w.pair(), all)
	o := &optical{batchRun: &batchRun{world: w, coins: all[:1], items: 20}, lens: fakecamera.Lens{Model: "easy", Width: 640, Height: 480}}
	o.ask()
	w.run(w.online("fetch"), 0, nil)
	w.run(w.online("export", "--qr", "--qr-out", o.screen("request"), "--density", "8"), 0, nil)
	o.shoot("request")
	pictures, err := filepath.Glob(filepath.Join(o.seen("request"), "*"))
	if err != nil || len(pictures) < 6 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	for _, p := range pictures[2:] {
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	w.run(w.offline("sign", "--qr", o.seen("request")), 22, nil)
	if _, err := os.Stat(filepath.Join(w.dir, "offline", "scanned")); err == nil {
		t.Error("half a file was kept")
	}
}
