package psbt_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	library "github.com/btcsuite/btcd/psbt/v2"

	"coldkms/shared/chain"
	"coldkms/shared/psbt"
	"coldkms/shared/psbt/psbttest"
)

func pairOf(key, value []byte) []byte {
	return append(append(append([]byte{byte(len(key))}, key...), byte(len(value))), value...)
}

// unknown returns n pairs of unknown types.
func unknown(n int) (pairs []byte) {
	for i := range n {
		pairs = append(pairs, pairOf([]byte{0xf0, byte(i >> 8), byte(i)}, nil)...)
	}
	return pairs
}

// where says in which map a pair is put.
type where int

const (
	inGlobal where = iota
	inInput
	inOutput
)

// with puts a pair at the end of the last map of a kind, in a PSBT of one
// input and six outputs without pairs.
func with(t *testing.T, at where, pair []byte) []byte {
	t.Helper()
	c := newCoins(t)
	p, err := library.NewFromUnsignedTx(c.tx(t, chain.BTC, 1).Unsigned())
	if err != nil {
		t.Fatal(err)
	}
	b := psbttest.Write(p)
	separators := map[where]int{inGlobal: len(b) - 8, inInput: len(b) - 7, inOutput: len(b) - 1}[at]
	return append(append(bytes.Clone(b[:separators]), pair...), b[separators:]...)
}

// What the library takes, cuts or panics on is refused here; what is only
// unknown is kept.
func TestMalformed(t *testing.T) {
	overflow := append([]byte{0xff}, binary.LittleEndian.AppendUint64(nil, 1<<59)...)
	overflow = append(overflow, 1, 2, 3, 4)
	public := newCoins(t).public
	long := bytes.Repeat([]byte{0x51}, 200)
	for name, x := range map[string]struct {
		at   where
		pair []byte
		good bool
	}{
		"nothing":                         {inGlobal, nil, true},
		"an unknown pair":                 {inInput, pairOf([]byte{0xf0, 1}, long), true},
		"an unknown pair of the outputs":  {inOutput, pairOf([]byte{0xf0}, nil), true},
		"the same unknown key twice":      {inOutput, append(pairOf([]byte{0xf0}, []byte{1}), pairOf([]byte{0xf0}, []byte{2})...), false},
		"a type above a byte":             {inInput, pairOf([]byte{0xfd, 0xf0, 1}, nil), false},
		"a global type above a byte":      {inGlobal, pairOf([]byte{0xfd, 0xf0, 1}, nil), false},
		"an output's type above a byte":   {inOutput, pairOf([]byte{0xfd, 0xf0, 1}, nil), false},
		"a type that is no number":        {inInput, pairOf([]byte{0xfe, 0}, nil), false},
		"as many pairs as there may be":   {inInput, unknown(256), true},
		"a pair more":                     {inInput, unknown(257), false},
		"a proprietary pair":              {inGlobal, pairOf([]byte{0xfc, 1, 'x', 0}, long), true},
		"version 0":                       {inGlobal, pairOf([]byte{0xfb}, make([]byte, 4)), true},
		"version 2":                       {inGlobal, pairOf([]byte{0xfb}, []byte{2, 0, 0, 0}), false},
		"no hash type":                    {inInput, pairOf([]byte{3}, make([]byte, 4)), true},
		"a short hash type":               {inInput, pairOf([]byte{3}, make([]byte, 3)), false},
		"two transactions":                {inGlobal, pairOf([]byte{0}, nil), false},
		"an origin without fingerprint":   {inInput, pairOf(append([]byte{6}, public...), nil), false},
		"an origin with half a step":      {inInput, pairOf(append([]byte{6}, public...), make([]byte, 6)), false},
		"an output's empty origin":        {inOutput, pairOf(append([]byte{2}, public...), nil), false},
		"a taproot origin that overflows": {inInput, pairOf(append([]byte{0x16}, public[1:]...), overflow), false},
		"an output's that overflows":      {inOutput, pairOf(append([]byte{7}, public[1:]...), overflow), false},
		"a taproot origin":                {inInput, pairOf(append([]byte{0x16}, public[1:]...), []byte{0, 1, 2, 3, 4}), true},
		"a count in a longer form":        {inInput, pairOf(append([]byte{0x16}, public[1:]...), []byte{0xfd, 0, 0, 1, 2, 3, 4}), false},
		"an output with rubbish behind":   {inInput, pairOf([]byte{1}, append(make([]byte, 8), 1, 0x51, 0x52)), false},
		"an output":                       {inInput, pairOf([]byte{1}, append(make([]byte, 8), 1, 0x51)), true},
		"a previous transaction cut":      {inInput, pairOf([]byte{0}, newCoins(t).raw[0][:100]), false},
		"a length in a longer form":       {inInput, append([]byte{2, 0xf0, 1, 0xfd, 1, 0}, 7), false},
		"a value longer than the file":    {inInput, []byte{1, 0xf0, 0xfe, 0, 0, 0, 1}, false},
		"a key longer than the limit":     {inInput, append([]byte{0xfd, 0x11, 0x27}, make([]byte, 10_002)...), false},
		"an extended key without path":    {inGlobal, pairOf(append([]byte{1}, make([]byte, 78)...), nil), false},
	} {
		p, err := psbt.Decode(with(t, x.at, x.pair))
		if x.good != (err == nil) || (err != nil && !errors.Is(err, psbt.ErrInvalid)) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			wantRoundTrip(t, name, p)
		}
	}
}

// BIP 174 leaves the order of pairs to the writer.
func TestOrderIsFree(t *testing.T) {
	first, second := pairOf([]byte{0xf1}, nil), pairOf([]byte{1}, append(make([]byte, 8), 1, 0x51))
	p, err := psbt.Decode(with(t, inInput, append(first, second...)))
	if err != nil {
		t.Fatal(err)
	}
	wantRoundTrip(t, "pairs in another order", p)
}

// A finished input may still carry what finished it, and only that is
// forgotten.
func TestFinishedInputForgets(t *testing.T) {
	final := pairOf([]byte{8}, []byte{1, 1, 9})
	c := newCoins(t)
	origin := pairOf(append([]byte{6}, c.public...), make([]byte, 8))
	tap := pairOf([]byte{0x17}, c.public[1:])
	p, err := psbt.Decode(with(t, inInput, bytes.Join([][]byte{origin, final, tap}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Origins()) != 1 {
		t.Error("what is there is not read")
	}
	wantRoundTrip(t, "finished", p)
}

func TestForms(t *testing.T) {
	b := with(t, inGlobal, nil)
	text := base64.StdEncoding.EncodeToString(b)
	for _, good := range [][]byte{b, []byte(text), []byte(text + "\n"), []byte("  " + text + "\r\n")} {
		if _, err := psbt.Decode(good); err != nil || !psbt.Is(good) {
			t.Errorf("%.12q: %v", good, err)
		}
	}
	for _, bad := range [][]byte{nil, []byte("psbt"), []byte(text[:20] + "\n" + text[20:] + "!"), append([]byte(" "), b...), append(bytes.Clone(b), '\n'), []byte("CKMS")} {
		if _, err := psbt.Decode(bad); !errors.Is(err, psbt.ErrInvalid) {
			t.Errorf("%.12q: %v", bad, err)
		}
	}
	if psbt.Is([]byte("CKMSQ")) || psbt.Is([]byte("0200")) {
		t.Error("not a PSBT")
	}
	if _, err := psbt.Decode(append([]byte("psbt\xff"), make([]byte, psbt.MaxFile)...)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too long: %v", err)
	}
}

// A count makes no room: the library would take 80 MB for this one.
func TestCountsMakeNoRoom(t *testing.T) {
	prev := append([]byte{2, 0, 0, 0, 0xfe, 0, 0, 12, 0}, make([]byte, 50)...)
	file := with(t, inInput, pairOf([]byte{0}, prev))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := psbt.Decode(file); !errors.Is(err, psbt.ErrInvalid) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes for a file of %d", used, len(file))
	}
}
