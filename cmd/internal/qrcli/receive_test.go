package qrcli

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"math/rand/v2"
	"testing"

	"coldkms/shared/qr"
	"coldkms/shared/qr/frametest"
	"coldkms/shared/transport"
)

// screens are pictures that a camera takes of a stream of symbols.
type screens struct {
	t      *testing.T
	next   func() string
	camera frametest.Camera
	n, of  int
	ver    int
}

func (s *screens) Next() (*image.Gray, error) {
	if s.n++; s.n > s.of {
		return nil, io.EOF
	}
	m, err := qr.Encode(s.next(), s.ver)
	if err != nil {
		s.t.Fatal(err)
	}
	screen := frametest.Screen(m.Side(), m.Dark)
	return s.camera.Shoot(s.n, screen, screen), nil
}

func random(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 9))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestReceiveThroughACamera(t *testing.T) {
	for i, m := range frametest.Models()[:2] {
		for _, lane := range []transport.Lane{transport.Fast, transport.UR, transport.BBQr} {
			if (i > 0 || testing.Short()) && lane != transport.Fast {
				continue
			}
			want := random(900, 1)
			e, err := transport.NewEncoder(lane, transport.Bytes, want, qr.Capacity(8))
			if err != nil {
				t.Fatal(err)
			}
			src := &screens{t: t, next: e.Next, camera: frametest.Camera{Seed: 5, Model: m, Width: 640, Height: 480},
				of: 20 * e.Parts(), ver: 8}
			last := Status{}
			got, err := Receive(context.Background(), src, false, func(s Status) { last = s })
			if err != nil || !bytes.Equal(got.Bytes, want) || got.Lane != lane {
				t.Errorf("%s, %s: %v after %s", lane, m.Name, err, last)
			}
		}
	}
}

func TestReceiveSaysWhatIsMissing(t *testing.T) {
	e, err := transport.NewEncoder(transport.BBQr, transport.Bytes, random(1000, 2), 300)
	if err != nil {
		t.Fatal(err)
	}
	e.Next()
	src := &screens{t: t, next: e.Next, camera: frametest.Camera{Seed: 5, Model: frametest.Models()[0], Width: 640,
		Height: 480}, of: 2}
	_, err = Receive(context.Background(), src, false, nil)
	if !errors.Is(err, ErrIncomplete) || err.Error() != "the pictures ended before everything was read: 2 of 6 parts, 2 pictures, missing 1 4 5 6" {
		t.Errorf("%v", err)
	}
	blank := &screens{t: t, next: func() string { return "https://example.org" }, camera: src.camera, of: 2}
	if _, err := Receive(context.Background(), blank, false, nil); !errors.Is(err, ErrIncomplete) {
		t.Errorf("foreign symbols only: %v", err)
	}
	text, err := ReceiveText(context.Background(),
		&screens{t: t, next: func() string { return "bitcoin:tb1q" }, camera: src.camera, of: 2}, false)
	if err != nil || text != "bitcoin:tb1q" {
		t.Errorf("%q, %v", text, err)
	}
}
