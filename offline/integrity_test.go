package offline

import (
	"bytes"
	"errors"
	"testing"

	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Every single bit of what a session reads and writes counts, and so does its
// end. (That of the wallet, the ledger and its mark and the policy: beside
// them.)
func TestEveryBitOfWhatCrosses(t *testing.T) {
	s, relay := newSession(t, &memory{})
	sealed := request(t, s, relay, "good", "foreign")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	watch, err := bundle.SealWatch(bundle.Watch{Created: 5, Entries: []bundle.WatchEntry{{SignatureID: "a", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, XPub: "tpub", PubKey: []byte{}}}}, s.Identity)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		file []byte
		open func([]byte) error
	}{
		"request": {sealed.File, func(b []byte) error { _, err := s.Judge(b); return err }},
		"result":  {done.Result.File, func(b []byte) error { _, err := bundle.OpenResult(b); return err }},
		"watch":   {watch.File, func(b []byte) error { _, err := bundle.OpenWatch(b); return err }},
	} {
		if err := f.open(f.file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for bit := range len(f.file) * 8 {
			bad := bytes.Clone(f.file)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := f.open(bad); !errors.Is(err, bundle.ErrInvalid) {
				t.Fatalf("%s: bit %d of byte %d flipped: %v", name, bit%8, bit/8, err)
			}
		}
		for n := range len(f.file) {
			if err := f.open(f.file[:n]); !errors.Is(err, bundle.ErrInvalid) {
				t.Fatalf("%s: cut to %d of %d bytes: %v", name, n, len(f.file), err)
			}
		}
		if err := f.open(append(bytes.Clone(f.file), 0)); !errors.Is(err, bundle.ErrInvalid) {
			t.Errorf("%s: a byte behind it: %v", name, err)
		}
	}
}
