//go:build unix

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
	"coldkms/shared/qr"
	"coldkms/shared/qr/frametest"
	"coldkms/shared/transport"
)

// optical: what the lanes cost under loss, what decoding takes, and how long a
// batch is shown.
func (t *table) optical() error {
	if err := t.lanes(); err != nil {
		return err
	}
	if err := t.joining(); err != nil {
		return err
	}
	if err := t.reading(); err != nil {
		return err
	}
	return t.crossings()
}

// shown is how many parts have to be shown until a reader has it all, who joins
// at any moment of a loop that has been on for a while, and loses some.
func shown(lane transport.Lane, k int, loss float64, rng *mathrand.Rand) (shown, received int, err error) {
	payload, chars := noise(k*20, rng), map[transport.Lane]int{transport.Fast: 62, transport.UR: 40,
		transport.BBQr: 40}[lane]
	e, err := transport.NewEncoder(lane, transport.Bytes, payload, chars)
	if lane == transport.UR { // its smallest parts are longer than 20 bytes of ours
		e, err = transport.NewEncoder(lane, transport.Bytes, payload, 134)
	}
	if err != nil {
		return 0, 0, err
	}
	k = e.Parts()
	for range rng.IntN(2 * k) {
		e.Next()
	}
	d := transport.NewDecoder()
	for shown = 1; shown < 200*k+2000; shown++ {
		part := e.Next()
		if rng.Float64() < loss {
			continue
		}
		received++
		if err := d.Add(part); err != nil {
			return 0, 0, err
		}
		if _, done := d.Result(); done {
			return shown * 1000 / k, received - k, nil // thousandths of k
		}
	}
	return 0, 0, errors.New("never complete")
}

func (t *table) lanes() error {
	for _, lane := range []transport.Lane{transport.Fast, transport.UR, transport.BBQr} {
		for _, k := range []int{50, 128, 512} {
			row, over := "", []int{}
			for _, loss := range []float64{0, .1, .3, .5} {
				rng := mathrand.New(mathrand.NewPCG(uint64(k), uint64(loss*100)))
				sum, runs := 0, t.size(200*128/max(k, 128))
				for range runs {
					n, more, err := shown(lane, k, loss, rng)
					if err != nil {
						return fmt.Errorf("%s lane: %w", lane, err)
					}
					sum += n
					over = append(over, more)
				}
				row += fmt.Sprintf("%.0f %%: %.2f  ", loss*100, float64(sum)/1000/float64(runs))
			}
			slices.Sort(over)
			compared, goal := "", ""
			switch lane {
			case transport.Fast:
				compared, goal = fmt.Sprintf("received beyond k: %d at most in 99 of 100",
					over[len(over)*99/100]), "30 %: ≤ 1.47; beyond k ≤ 5"
			case transport.UR:
				goal = "30 %: ≤ 1.6"
			}
			t.add(fmt.Sprintf("%s lane, k = %d: shown / k by loss, joined at any moment", lane, k), row, compared, goal)
		}
	}
	return nil
}

func noise(n int, rng *mathrand.Rand) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// joining is what decoding 500 KB in about 1,000 parts takes, a third of them
// lost: all of it, and the longest that one part takes in the best of the runs.
func (t *table) joining() error {
	for _, c := range []struct {
		lane  transport.Lane
		chars int
	}{{transport.Fast, 780}, {transport.UR, 1085}} {
		rng := mathrand.New(mathrand.NewPCG(1, 1))
		e, err := transport.NewEncoder(c.lane, transport.Bytes, noise(500_000, rng), c.chars)
		if err != nil {
			return err
		}
		var parts []string
		for range 6 * e.Parts() {
			if p := e.Next(); rng.IntN(3) > 0 {
				parts = append(parts, p)
			}
		}
		total, worst := time.Hour, time.Hour
		for range 5 {
			d, longest, start := transport.NewDecoder(), time.Duration(0), time.Now()
			for _, p := range parts {
				before := time.Now()
				if err := d.Add(p); err != nil {
					return err
				}
				longest = max(longest, time.Since(before))
				if _, done := d.Result(); done {
					break
				}
			}
			total, worst = min(total, time.Since(start)), min(worst, longest)
		}
		t.add(fmt.Sprintf("%s lane: 500 KB in %d parts joined", c.lane, e.Parts()),
			fmt.Sprintf("%.0f ms", total.Seconds()*1000),
			fmt.Sprintf("longest for one part %.1f ms", worst.Seconds()*1000), "≤ 100 ms, a part ≤ 5 ms")
	}
	return nil
}

// crossings is how long two-in two-out payments are shown, there and back,
// without loss.
func (t *table) crossings() error {
	for _, n := range []int{1, 100, 1000} {
		bare, whole, answer, err := crossing(n)
		if err != nil {
			return err
		}
		figure := ""
		for _, fps := range []int{10, 20} {
			figure += fmt.Sprintf("%d fps: %.1f s  ", fps, float64(symbols(bare, 25)+symbols(answer, 25))/float64(fps))
		}
		goal := map[int]string{1: "≤ 1 s at 10 fps", 100: "≤ 4 s", 1000: "≤ 30 s"}[n]
		t.add(fmt.Sprintf("%d payments, two in two out, there and back in symbols of version 25", n), figure,
			fmt.Sprintf("%d + %d B each; with parents %d B more each", bare/n, answer/n, (whole-bare)/n), goal)
	}
	return nil
}

// symbols is how many symbols of a version a file takes.
func symbols(size, version int) int {
	e, err := transport.NewEncoder(transport.Fast, transport.Bytes, make([]byte, size), qr.Capacity(version))
	if err != nil {
		panic(err)
	}
	return e.Parts()
}

// crossing returns the sizes of a request without and with the parents of what
// it spends, and of its result.
func crossing(n int) (bare, whole, answer int, err error) {
	p := newPurse()
	defer p.close()
	key, err := identity.New(rand.Reader)
	if err != nil {
		return 0, 0, 0, err
	}
	r := bundle.Request{Signer: key.Public(), Created: 1_790_000_000}
	var previous [][]byte
	result := bundle.Result{LedgerHead: make([]byte, 32), LedgerLen: 1000}
	rng := mathrand.New(mathrand.NewPCG(1, uint64(n)))
	for i := range n {
		item, raws := p.item(i, 2)
		item.ID = fmt.Sprintf("%x", noise(12, rng))
		item.Context = slices.Concat(chainContext(len(previous)), chainContext(len(previous)+1))
		r.Items, previous = append(r.Items, item), append(previous, raws...)
		result.Outcomes = append(result.Outcomes,
			bundle.Outcome{ID: item.ID, Signatures: [][]byte{noise(65, rng), noise(65, rng)}})
	}
	size := func(r bundle.Request) int {
		sealed, sealErr := bundle.SealRequest(r, key)
		err = errors.Join(err, sealErr)
		return len(sealed.File)
	}
	bare = size(r)
	r.Attach(utxo.Name, previous...)
	whole = size(r)
	sealed, sealErr := bundle.SealResult(result, key)
	return bare, whole, len(sealed.File), errors.Join(err, sealErr)
}

// reading counts the recorded pictures that each reader reads, and what one
// costs.
func (t *table) reading() error {
	list, err := frametest.Folder(filepath.Join("shared", "qr", "testdata", "frames"))
	if err != nil {
		return err
	}
	ours, plain, zbar, wrong := 0, 0, 0, 0
	var took, plainTook time.Duration
	_, noZbar := exec.LookPath("zbarimg")
	for _, f := range list {
		img, err := f.Open()
		if err != nil {
			return err
		}
		start := time.Now()
		for _, s := range new(qr.Reader).Read(img) {
			if s.Text == f.Text {
				ours++
			} else {
				wrong++
			}
		}
		took += time.Since(start)
		start = time.Now()
		if text, ok := frametest.Gozxing(img); ok && text == f.Text {
			plain++
		}
		plainTook += time.Since(start)
		if noZbar == nil {
			out, _ := exec.Command("zbarimg", "-q", "--raw", f.Path).Output()
			if strings.TrimSuffix(string(out), "\n") == f.Text {
				zbar++
			}
		}
	}
	beside := fmt.Sprintf("plain gozxing %d (%.0f ms)", plain, float64(plainTook.Milliseconds())/float64(len(list)))
	if noZbar == nil {
		beside += fmt.Sprintf(", zbar %d", zbar)
	}
	t.add(fmt.Sprintf("symbols read of %d pictures, versions 10 to 40", len(list)),
		fmt.Sprintf("%d, wrong %d (%.0f ms a picture, no memory of the last)", ours, wrong,
			float64(took.Milliseconds())/float64(len(list))), beside, "wrong 0")
	return nil
}
