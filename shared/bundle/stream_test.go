package bundle

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Reading piece by piece accepts what reading the whole value at once does.
func TestPiecesAcceptWhatTheWholeDoes(t *testing.T) {
	body, err := marshal(sampleRequest(t).wire())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	accepted := 0
	for range 50_000 {
		b := bytes.Clone(body)
		switch at := rng.IntN(len(b)); rng.IntN(4) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1:
			b[at] = byte(rng.IntN(256))
		case 2:
			b = append(b[:at], b[at+1:]...)
		default:
			b = append(b[:at:at], append([]byte{byte(rng.IntN(256))}, b[at:]...)...)
		}
		var w requestWire
		whole := unmarshal(b, &w)
		if whole == nil && len(w.Signer) == 32 {
			var r Request
			for _, it := range w.Items {
				item, err := it.item()
				if whole = err; err != nil {
					break
				}
				r.Items = append(r.Items, item)
			}
			r.LedgerHead = w.Head
			for _, a := range w.Attached {
				r.Attachments = append(r.Attachments, Attachment{a.Family, a.Parts})
			}
			if whole == nil {
				whole = r.check()
			}
		} else if whole == nil {
			whole = ErrInvalid
		}
		r, err := readRequest(b)
		if (err == nil) != (whole == nil) {
			t.Fatalf("%x: piece by piece %v, at once %v", b, err, whole)
		}
		if err != nil {
			continue
		}
		accepted++
		if again, err := marshal(r.wire()); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x was read from %x", again, b)
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d of the bodies were read", accepted)
	}
}
