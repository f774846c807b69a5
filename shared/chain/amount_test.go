package chain

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
)

// limit is 2^256.
func limit() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 256) }

// FuzzAmount compares every operation with math/big, and every encoding with
// what it came from.
func FuzzAmount(f *testing.F) {
	high := MaxAmount().Bytes()
	f.Add(make([]byte, 32), high[:], int64(3))
	f.Add(high[:], high[:], int64(-1))
	f.Add([]byte{1}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, left, right []byte, size int64) {
		a, b := amountOf(left), amountOf(right)
		x, y := a.Big(), b.Big()
		sum, ok := a.Add(b)
		want := new(big.Int).Add(x, y)
		check(t, "sum", sum, ok, new(big.Int).Mod(want, limit()), want.BitLen() <= 256)
		difference, ok := a.Sub(b)
		want = new(big.Int).Sub(x, y)
		check(t, "difference", difference, ok, new(big.Int).Mod(want, limit()), want.Sign() >= 0)
		product, ok := a.Times(uint64(size))
		want = new(big.Int).Mul(x, new(big.Int).SetUint64(uint64(size)))
		check(t, "product", product, ok, new(big.Int).Mod(want, limit()), want.BitLen() <= 256)
		if a.Cmp(b) != x.Cmp(y) {
			t.Errorf("Cmp(%v, %v) = %d", x, y, a.Cmp(b))
		}
		per := x
		if size > 1 {
			per = new(big.Int).Div(new(big.Int).Add(x, big.NewInt(size-1)), big.NewInt(size))
		}
		check(t, "per", a.Per(size), true, per, true)
		roundTrip(t, a)
	})
}

func amountOf(raw []byte) Amount {
	var b [32]byte
	copy(b[:], raw)
	return AmountFromBytes(b)
}

func check(t *testing.T, what string, got Amount, ok bool, want *big.Int, wantOK bool) {
	t.Helper()
	if ok != wantOK || got.Big().Cmp(want) != 0 {
		t.Errorf("%s = %v, %v; want %v, %v", what, got, ok, want, wantOK)
	}
}

func roundTrip(t *testing.T, a Amount) {
	t.Helper()
	text, err := json.Marshal(a)
	var back Amount
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || back != a || AmountFromBytes(a.Bytes()) != a {
		t.Errorf("%v came back as %v: %v", a, back, err)
	}
	if v, ok := a.Int64(); ok != a.Big().IsInt64() || ok && v != a.Big().Int64() {
		t.Errorf("%v.Int64() = %d, %v", a, v, ok)
	}
}

func TestParseAmountRefuses(t *testing.T) {
	for _, s := range []string{"", "-1", "+1", "01", "00", " 1", "1 ", "1.0", "1e3", "0x1", `"1"`, "null", limit().String()} {
		if a, err := ParseAmount(s); err == nil {
			t.Errorf("ParseAmount(%q) = %v", s, a)
		}
	}
	if a, err := ParseAmount(MaxAmount().String()); err != nil || a != MaxAmount() {
		t.Errorf("2^256-1 = %v, %v", a, err)
	}
	if _, ok := AmountOf(-1); ok {
		t.Error("AmountOf(-1) is ok")
	}
}

func TestAmountSaturates(t *testing.T) {
	one := NewAmount(1)
	if got := MaxAmount().Plus(one); got != MaxAmount() {
		t.Errorf("max + 1 = %v", got)
	}
	if got := one.Minus(NewAmount(2)); !got.IsZero() {
		t.Errorf("1 - 2 = %v", got)
	}
	for _, c := range []struct {
		part, percent, whole uint64
		want                 bool
	}{{10, 10, 100, false}, {11, 10, 100, true}, {1, 0, 0, true}, {0, 0, 0, false}, {math.MaxUint64, 100, math.MaxUint64, false}} {
		if got := NewAmount(c.part).AbovePercent(int64(c.percent), NewAmount(c.whole)); got != c.want {
			t.Errorf("%d above %d %% of %d: %v", c.part, c.percent, c.whole, got)
		}
	}
}

func TestAssetFormat(t *testing.T) {
	wei := Asset{Symbol: "ETH", Decimals: 18}
	tenETH, _ := ParseAmount("10000000000000000001")
	for _, c := range []struct {
		asset Asset
		v     Amount
		want  string
	}{
		{Asset{Symbol: "BTC", Decimals: 8}, NewAmount(41000), "0.00041000 BTC (41000)"},
		{Asset{Symbol: "BTC", Decimals: 8}, NewAmount(0), "0.00000000 BTC (0)"},
		{Asset{Symbol: "BTC", Decimals: 8}, NewAmount(2100000000000000), "21000000.00000000 BTC (2100000000000000)"},
		{wei, tenETH, "10.000000000000000001 ETH (10000000000000000001)"},
		{Asset{Symbol: "ONE"}, NewAmount(7), "7 ONE (7)"},
		{Asset{Symbol: "X", Decimals: 77}, NewAmount(1), "0.00000000000000000000000000000000000000000000000000000000000000000000000000001 X (1)"},
	} {
		if got := c.asset.Format(c.v); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if len(zeros) != maxDecimals+1 {
		t.Errorf("%d zeros, want %d", len(zeros), maxDecimals+1)
	}
}

func TestCoin(t *testing.T) {
	list := []Coin{{BCH, Testnet}, {BTC, Mainnet}, {BTC, Testnet}, {LTC, Mainnet}}
	for i, a := range list {
		for k, b := range list {
			want := 0
			if i < k {
				want = -1
			} else if i > k {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%v against %v = %d, want %d", a, b, got, want)
			}
		}
	}
	if got := list[1].String(); got != "BTC mainnet" {
		t.Error(got)
	}
}

// Logarithms are exact at powers of two, rise with the amount, and are within
// 1/256 of a doubling.
func TestLog2(t *testing.T) {
	for n := range 256 {
		a := NewAmount(1)
		for range n {
			a, _ = a.Times(2)
		}
		if got := a.Log2(); got != int64(n)*Octave {
			t.Errorf("2^%d: %d", n, got)
		}
	}
	last := int64(0)
	for v := uint64(1); v < 1<<62; v += v/97 + 1 {
		got := NewAmount(v).Log2()
		want := math.Log2(float64(v)) * Octave
		if got < last || float64(got) > want+0.01 || float64(got) < want-1.01 {
			t.Fatalf("%d: %d after %d, want %.2f", v, got, last, want)
		}
		last = got
	}
	if (Amount{}).Log2() != 0 {
		t.Error("0 has a logarithm")
	}
}
