//go:build unix

package wallet

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
)

func cheapCost() Cost { return Cost{Memory: 8, Passes: 1, Lanes: 1} }

func small(t testing.TB) []byte {
	t.Helper()
	raw, err := encodeBody(&body{Seed: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	file, k, err := seal(raw, []byte("pw"), cheapCost(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k.wipe()
	return file
}

func load(file []byte, password string) (*body, error) {
	raw, _, err := unseal(file, []byte(password))
	if err != nil {
		return nil, err
	}
	return decodeBody(raw)
}

// Every single bit counts: none of them can be flipped without being found.
// Damage is told from a wrong password, and a flip in the cost costs nothing.
func TestEveryBit(t *testing.T) {
	file := small(t)
	if _, err := load(file, "pw"); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := load(bad, "pw")
		want := ErrDamaged
		if bit/8 < len(magic) {
			want = ErrNotWallet
		}
		if !errors.Is(err, want) {
			t.Errorf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
	}
	runtime.ReadMemStats(&after)
	if spent := (after.TotalAlloc - before.TotalAlloc) / uint64(len(file)*8); spent > 64<<10 {
		t.Errorf("%d bytes allocated for a flip", spent)
	}
	for n := range len(file) {
		if _, err := load(file[:n], "pw"); err == nil {
			t.Errorf("the first %d bytes open", n)
		}
	}
}

// resum makes a header's checksum right again, as an attacker would.
func resum(file []byte) []byte {
	sum := sha256.Sum256(file[:atSum])
	copy(file[atSum:headerSize], sum[:])
	return file
}

func TestHeaderCaps(t *testing.T) {
	file := small(t)
	u32 := func(at int, v uint32) []byte {
		b := bytes.Clone(file)
		binary.BigEndian.PutUint32(b[at:], v)
		return resum(b)
	}
	u8 := func(at int, v byte) []byte {
		b := bytes.Clone(file)
		b[at] = v
		return resum(b)
	}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"memory above":    {u32(12, maxMemory+1), ErrDamaged},
		"memory max":      {u32(12, 1<<32-1), ErrDamaged},
		"memory below":    {u32(12, 7), ErrDamaged},
		"no passes":       {u32(16, 0), ErrDamaged},
		"passes above":    {u32(16, maxPasses+1), ErrDamaged},
		"no lanes":        {u8(10, 0), ErrDamaged},
		"lanes above":     {u8(10, maxLanes+1), ErrDamaged},
		"lanes > memory":  {u8(10, 2), ErrDamaged},
		"body longer":     {u32(20, 1<<32-1), ErrDamaged},
		"version 2":       {u8(8, 2), ErrNotWallet},
		"another KDF":     {u8(9, 2), ErrNotWallet},
		"reserved byte":   {u8(11, 1), ErrNotWallet},
		"other salt":      {u8(atSalt, file[atSalt]^1), ErrWrongPassword},
		"other nonce":     {u8(atNonce, file[atNonce]^1), ErrWrongPassword},
		"other MAC":       {u8(atMAC, file[atMAC]^1), ErrWrongPassword},
		"twice the costs": {u32(16, 2), ErrWrongPassword},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := load(c.file, "pw")
		runtime.ReadMemStats(&after)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
			t.Errorf("%s: %d bytes for a refusal", name, spent)
		}
	}
}

func TestCostBounds(t *testing.T) {
	if floor := DefaultCost(); floor.Memory < 256<<10 || floor.Passes < 3 || floor.Lanes != 4 || floor.check() != nil {
		t.Errorf("the floor is %+v", floor)
	}
	if (Store{}).cost() != DefaultCost() {
		t.Error("a Store without a cost must use the floor")
	}
	if _, _, err := seal(nil, nil, Cost{Memory: maxMemory + 1, Passes: 1, Lanes: 1}, rand.Reader); err == nil {
		t.Error("a cost that could not be read was written")
	}
	a, b := Cost{Memory: 8, Passes: 9, Lanes: 1}, Cost{Memory: 9, Passes: 8, Lanes: 2}
	if got := a.max(b); got != (Cost{Memory: 9, Passes: 9, Lanes: 2}) {
		t.Errorf("max is %+v", got)
	}
}

// Calibration with a clock that says how long the one measurement took.
func TestCalibrate(t *testing.T) {
	for took, want := range map[time.Duration]uint32{
		100 * time.Millisecond: 15, // five times as fast as wanted
		500 * time.Millisecond: 3,
		5 * time.Second:        3, // never lower
		time.Microsecond:       maxPasses,
		0:                      3,
	} {
		clock, step := time.Unix(0, 0), took
		now := func() time.Time { clock = clock.Add(step); return clock }
		if took != 100*time.Millisecond || testing.Short() { // one real run is enough
			if got := passesFor(DefaultCost(), took, 500*time.Millisecond); got.Passes != want || got.Memory != 256<<10 {
				t.Errorf("%v: %+v", took, got)
			}
			continue
		}
		if got := Calibrate(now, 500*time.Millisecond); got.Passes != want {
			t.Errorf("%v: %+v", took, got)
		}
	}
}

func TestBodyIsStrict(t *testing.T) {
	entry := Entry{ID: "a", Coin: chain.Coin{Chain: "BTC", Network: 1}, Kind: PrivateKey, Created: 1, Key: bytes.Repeat([]byte{1}, 32), Compressed: true, Public: make([]byte, 33)}
	good, err := encodeBody(&body{Seed: make([]byte, 32), Relays: []Relay{}, Entries: []Entry{entry}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeBody(good); err != nil {
		t.Fatal(err)
	}
	seed := "015820" + hex.EncodeToString(make([]byte, 32))
	item := func(hexBytes string) []byte {
		b, err := hex.DecodeString(hexBytes)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, raw := range map[string][]byte{
		"empty":              nil,
		"trailing byte":      append(bytes.Clone(good), 0),
		"cut":                good[:len(good)-1],
		"unknown field":      item("a4" + seed + "0380" + "0480" + "0580"),
		"field twice":        item("a4" + seed + "0380" + "0480" + "0480"),
		"wrong order":        item("a3" + "0380" + seed + "0480"),
		"indefinite map":     item("bf" + seed + "0380" + "0480" + "ff"),
		"indefinite array":   item("a3" + seed + "039fff" + "0480"),
		"long form of 0":     item("a3" + seed + "039800" + "0480"),
		"long form of a key": item("a3" + seed + "180380" + "0480"),
		"tag":                item("a3" + seed + "03c180" + "0480"),
		"null":               item("a3" + seed + "03f6" + "0480"),
		"no seed":            item("a3" + "0140" + "0380" + "0480"),
		"missing field":      item("a2" + seed + "0380"),
		"text for bytes":     item("a3" + "017820" + hex.EncodeToString(bytes.Repeat([]byte("a"), 32)) + "0380" + "0480"),
		"huge array":         item("a3" + seed + "0380" + "049affffffff"),
		"not a map":          item("80"),
	} {
		if _, err := decodeBody(raw); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for name, change := range map[string]func(*Entry){
		"no kind": func(e *Entry) { e.Kind = 0 }, "kind 4": func(e *Entry) { e.Kind = 4 },
		"no network": func(e *Entry) { e.Network = 0 }, "network 3": func(e *Entry) { e.Network = 3 },
		"chain": func(e *Entry) { e.Chain = "XXX" }, "short key": func(e *Entry) { e.Key = e.Key[1:] },
		"no public": func(e *Entry) { e.Public = nil }, "uncompressed": func(e *Entry) { e.Compressed = false },
		"words too": func(e *Entry) { e.Words = []byte("x") }, "no id": func(e *Entry) { e.ID = "" },
		"JSON too": func(e *Entry) { e.JSON = []byte("{}") }, "mnemonic": func(e *Entry) { e.Kind = Mnemonic },
		"foreign": func(e *Entry) { e.Kind = Foreign }, "passphrase": func(e *Entry) { e.Passphrase = []byte("x") },
	} {
		bad := entry
		change(&bad)
		raw, err := encodeBody(&body{Seed: make([]byte, 32), Entries: []Entry{bad}, Relays: []Relay{}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := decodeBody(raw)
		if err == nil {
			_, err = newWallet(Store{Rand: rand.Reader, Coins: hdtest.Coins}, "", nil, b)
		}
		if err == nil {
			t.Errorf("an entry with wrong %s was taken", name)
		}
	}
	twice, err := encodeBody(&body{Seed: make([]byte, 32), Relays: []Relay{}, Entries: []Entry{entry, entry}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := decodeBody(twice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newWallet(Store{Rand: rand.Reader, Coins: hdtest.Coins}, "", nil, b); !errors.Is(err, ErrDuplicate) {
		t.Errorf("one id twice: %v", err)
	}
}

// A file of this version opens with every later one. The golden file was
// written once, with the entries of sample, and is never written again.
func TestGolden(t *testing.T) {
	file, err := os.ReadFile("testdata/v1.kms")
	if err != nil {
		t.Fatal(err)
	}
	b, err := load(file, "g\u00f6lden password")
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Entries) != 5 || b.Entries[0].XPub == "" || b.Entries[4].Kind != Foreign || b.Relays[0].Name != "relay" || len(b.Ledger) != 32 {
		t.Errorf("%+v", b)
	}
}

func TestOpensTo(t *testing.T) {
	raw := []byte("content")
	file, k, err := seal(raw, []byte("pw"), cheapCost(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := k
	other.header[0] ^= 1
	if err := opensTo(file, &k, raw); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"other content": opensTo(file, &k, []byte("Content")),
		"other keys":    opensTo(file, &other, raw),
		"no file":       opensTo(nil, &k, raw),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCloseWipesSeedAndPassword(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	w, err := newWallet(Store{Rand: rand.Reader, Coins: hdtest.Coins}, "", []byte("pw"), &body{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if !bytes.Equal(seed, make([]byte, 32)) || !bytes.Equal(w.password, make([]byte, 2)) {
		t.Errorf("left: %x, %q", seed, w.password)
	}
}

func FuzzBody(f *testing.F) {
	raw, err := encodeBody(&body{Seed: make([]byte, 32), Relays: []Relay{{Name: "x"}}, Entries: []Entry{
		{ID: "a", Coin: chain.Coin{Chain: "BTC", Network: 1}, Kind: Mnemonic, Words: []byte("x"), XPub: "x"},
		{ID: "b", Coin: chain.Coin{Chain: "ETH", Network: 2}, Kind: Foreign, JSON: []byte("{}")},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decodeBody(raw)
		if err != nil {
			return
		}
		again, err := encodeBody(b)
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%x reads and writes as %x (%v)", raw, again, err)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(small(f))
	f.Add([]byte("U2FsdGVkX1"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if h, err := parseHeader(file); err == nil && (h.cost.check() != nil || int(h.body) != len(file)-headerSize) {
			t.Errorf("%x passes as %+v", file, h)
		}
	})
}
