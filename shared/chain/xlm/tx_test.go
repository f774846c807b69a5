package xlm

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"coldkms/shared/chain"
)

var (
	payer  = Account(bytes.Repeat([]byte{0xaa}, 32))
	payee  = Account(bytes.Repeat([]byte{0xbb}, 32))
	issuer = Account(bytes.Repeat([]byte{0xcc}, 32))
)

const made = 1_800_000_000

// sound returns a transaction of each kind.
func sound() map[string]Tx {
	pay := Tx{Source: payer, Fee: 100, Sequence: 1 << 40, Bounds: Bounds{Stated: true, Max: made + 300},
		Operation: Operation{Kind: Payment, Destination: Muxed{Account: payee}, Amount: 5}}
	list := map[string]Tx{"payment": pay}
	add := func(name string, from Tx, change func(t *Tx)) {
		change(&from)
		list[name] = from
	}
	add("text", pay, func(t *Tx) { t.Memo = Memo{Kind: MemoText, Text: "invoice 7"} })
	add("long text", pay, func(t *Tx) { t.Memo = Memo{Kind: MemoText, Text: strings.Repeat("\xff", 28)} })
	add("empty text", pay, func(t *Tx) { t.Memo = Memo{Kind: MemoText} })
	add("id", pay, func(t *Tx) { t.Memo = Memo{Kind: MemoID, ID: math.MaxUint64} })
	add("hash", pay, func(t *Tx) { t.Memo = Memo{Kind: MemoHash, Hash: [32]byte{1}} })
	add("return", pay, func(t *Tx) { t.Memo = Memo{Kind: MemoReturn, Hash: [32]byte{1}} })
	add("no bounds", pay, func(t *Tx) { t.Bounds = Bounds{} })
	add("no end", pay, func(t *Tx) { t.Bounds = Bounds{Stated: true, Min: 5} })
	add("own source", pay, func(t *Tx) { t.Operation.OwnSource = true })
	add("muxed", pay, func(t *Tx) { t.Operation.Destination = Muxed{payee, 0, true} })
	add("most", pay, func(t *Tx) { t.Operation.Amount = MaxStroops })
	add("asset", pay, func(t *Tx) { t.Operation.Asset = Asset{"USD", issuer} })
	add("asset of 4", pay, func(t *Tx) { t.Operation.Asset, t.Operation.Amount = Asset{"USDC", issuer}, math.MaxInt64 })
	add("asset of 12", pay, func(t *Tx) { t.Operation.Asset = Asset{"ABCDEFGHIJ12", issuer} })
	add("named XLM", pay, func(t *Tx) { t.Operation.Asset = Asset{"XLM", issuer} })
	add("new account", pay, func(t *Tx) { t.Operation.Kind = CreateAccount })
	trust := pay
	trust.Operation = Operation{Kind: ChangeTrust, Asset: Asset{"USDC", issuer}, Amount: math.MaxInt64}
	list["trust"] = trust
	add("no trust", trust, func(t *Tx) { t.Operation.Amount = 0 })
	return list
}

func TestRoundTrip(t *testing.T) {
	signatures := []Signature{{payer.Hint(), make([]byte, 64)}}
	for name, x := range sound() {
		got, err := Decode(x.Encode())
		if err != nil || got != x {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
		got, list, err := DecodeEnvelope(x.Envelope(signatures))
		if err != nil || got != x || len(list) != 1 || list[0].Hint != payer.Hint() {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
	}
}

// Every byte of an envelope matters: with any bit flipped it is another one, or
// none; and no beginning of it is one.
func TestEveryBitCounts(t *testing.T) {
	for name, x := range sound() {
		raw := x.Envelope([]Signature{{payer.Hint(), make([]byte, 64)}})
		for i := range 8 * len(raw) {
			other := bytes.Clone(raw)
			other[i/8] ^= 1 << (i % 8)
			if got, list, err := DecodeEnvelope(other); err == nil && !bytes.Equal(got.Envelope(list), other) {
				t.Errorf("%s: bit %d: %x comes back as %x", name, i, other, got.Envelope(list))
			}
		}
		for i := range raw {
			if got, _, err := DecodeEnvelope(raw[:i]); err == nil {
				t.Errorf("%s: its first %d bytes are read: %+v", name, i, got)
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		of     string
		change func(x *Tx)
		code   chain.Code
	}{
		"from nobody":           {"payment", func(x *Tx) { x.Source = Account{} }, chain.Malformed},
		"no fee":                {"payment", func(x *Tx) { x.Fee = 0 }, FeeRange},
		"fee too low":           {"payment", func(x *Tx) { x.Fee = MinFee - 1 }, FeeRange},
		"fee":                   {"payment", func(x *Tx) { x.Fee = MaxFee + 1 }, FeeRange},
		"sequence 0":            {"payment", func(x *Tx) { x.Sequence = 0 }, chain.ValueOutOfRange},
		"sequence below 0":      {"payment", func(x *Tx) { x.Sequence = -1 }, chain.ValueOutOfRange},
		"last sequence":         {"payment", func(x *Tx) { x.Sequence = math.MaxInt64 }, chain.ValueOutOfRange},
		"bounds reversed":       {"payment", func(x *Tx) { x.Bounds.Min = x.Bounds.Max + 1 }, chain.Malformed},
		"bounds half stated":    {"payment", func(x *Tx) { x.Bounds.Stated = false }, chain.Malformed},
		"memo of type 5":        {"payment", func(x *Tx) { x.Memo.Kind = 5 }, chain.Malformed},
		"memo of two kinds":     {"text", func(x *Tx) { x.Memo.ID = 5 }, chain.Malformed},
		"memo of no kind":       {"payment", func(x *Tx) { x.Memo.Text = "x" }, chain.Malformed},
		"hash beside an id":     {"id", func(x *Tx) { x.Memo.Hash[0] = 5 }, chain.Malformed},
		"memo of 29 bytes":      {"text", func(x *Tx) { x.Memo.Text = strings.Repeat("x", 29) }, chain.TooLarge},
		"merge":                 {"payment", func(x *Tx) { x.Operation.Kind = 8 }, OtherOperation},
		"set options":           {"payment", func(x *Tx) { x.Operation.Kind = 5 }, OtherOperation},
		"unknown operation":     {"payment", func(x *Tx) { x.Operation.Kind = 99 }, OtherOperation},
		"amount 0":              {"payment", func(x *Tx) { x.Operation.Amount = 0 }, chain.ValueOutOfRange},
		"above all lumens":      {"payment", func(x *Tx) { x.Operation.Amount = MaxStroops + 1 }, chain.ValueOutOfRange},
		"above 2^63":            {"asset", func(x *Tx) { x.Operation.Amount = 1 << 63 }, chain.ValueOutOfRange},
		"asset 0":               {"asset", func(x *Tx) { x.Operation.Amount = 0 }, chain.ValueOutOfRange},
		"to nobody":             {"payment", func(x *Tx) { x.Operation.Destination = Muxed{} }, chain.Malformed},
		"to self":               {"payment", func(x *Tx) { x.Operation.Destination.Account = payer }, ToSelf},
		"to self with an id":    {"muxed", func(x *Tx) { x.Operation.Destination.Account = payer }, ToSelf},
		"an id half stated":     {"payment", func(x *Tx) { x.Operation.Destination.ID = 5 }, chain.Malformed},
		"no code":               {"asset", func(x *Tx) { x.Operation.Asset.Code = "" }, chain.Malformed},
		"code of 13":            {"asset", func(x *Tx) { x.Operation.Asset.Code = "ABCDEFGHIJKLM" }, chain.Malformed},
		"code with a blank":     {"asset", func(x *Tx) { x.Operation.Asset.Code = "US D" }, chain.Malformed},
		"code with a zero":      {"asset", func(x *Tx) { x.Operation.Asset.Code = "A\x00B" }, chain.Malformed},
		"code with an accent":   {"asset", func(x *Tx) { x.Operation.Asset.Code = "UÉ" }, chain.Malformed},
		"no issuer":             {"asset", func(x *Tx) { x.Operation.Asset.Issuer = Account{} }, chain.Malformed},
		"new account of 0":      {"new account", func(x *Tx) { x.Operation.Amount = 0 }, chain.ValueOutOfRange},
		"new account is self":   {"new account", func(x *Tx) { x.Operation.Destination.Account = payer }, ToSelf},
		"new account muxed":     {"new account", func(x *Tx) { x.Operation.Destination.HasID = true }, chain.Malformed},
		"new account, asset":    {"new account", func(x *Tx) { x.Operation.Asset = Asset{"USD", issuer} }, chain.Malformed},
		"trust for lumens":      {"trust", func(x *Tx) { x.Operation.Asset, x.Operation.Amount = Asset{}, 5 }, chain.Malformed},
		"trust in self":         {"trust", func(x *Tx) { x.Operation.Asset.Issuer = payer }, ToSelf},
		"trust and destination": {"trust", func(x *Tx) { x.Operation.Destination.Account = payee }, chain.Malformed},
		"trust without issuer":  {"trust", func(x *Tx) { x.Operation.Asset.Issuer = Account{} }, chain.Malformed},
	} {
		x := sound()[c.of]
		c.change(&x)
		if err := x.Check(); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if got, err := Decode(x.Encode()); err == nil && got.Check() != nil {
			t.Errorf("%s: decoded as %+v", name, got)
		}
	}
}

func u32(list ...uint32) (b []byte) {
	for _, v := range list {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func TestDecodeRefusesForms(t *testing.T) {
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	zeros := func(n int) []byte { return make([]byte, n) }
	source, head := join(u32(0), payer[:]), join(u32(100, 0, 7))
	body := join(u32(1, 0), payee[:], u32(0), u32(0, 5)) // a payment of 5 stroops
	tail := u32(0)
	tx := func(parts ...[]byte) []byte { return join(u32(envelopeTx), join(parts...), u32(0)) }
	good := tx(source, head, u32(0, 0, 1, 0), body, tail)
	if _, _, err := DecodeEnvelope(good); err != nil {
		t.Fatal(err)
	}
	asset := func(kind uint32, code string) []byte {
		return tx(source, head, u32(0, 0, 1, 0, 1, 0), payee[:], u32(kind), []byte(code), u32(0), issuer[:], u32(0, 5), tail)
	}
	if _, _, err := DecodeEnvelope(asset(asset4, "USDC")); err != nil {
		t.Fatal(err)
	}
	operation := func(kind uint32, rest ...byte) []byte { return tx(source, head, u32(0, 0, 1, 0, kind), rest, tail) }
	for name, c := range map[string]struct {
		raw  []byte
		code chain.Code
	}{
		"nothing":                {nil, chain.Malformed},
		"version 0":              {join(u32(envelopeV0), good[4:]), chain.Malformed},
		"fee bump":               {join(u32(envelopeFeeBump), good[4:]), OtherOperation},
		"type 3":                 {join(u32(3), good[4:]), chain.Malformed},
		"something follows":      {join(good, u32(0)), chain.Malformed},
		"muxed source":           {tx(u32(keyMuxed, 0, 5), payer[:], head, u32(0, 0, 1, 0), body, tail), OtherField},
		"source of type 1":       {tx(u32(1), payer[:], head, u32(0, 0, 1, 0), body, tail), chain.Malformed},
		"preconditions 2":        {tx(source, head, u32(2, 0, 0, 0, 0, 0, 0), u32(0, 1, 0), body, tail), OtherField},
		"preconditions 3":        {tx(source, head, u32(3, 0, 1, 0), body, tail), OtherField},
		"memo of type 5":         {tx(source, head, u32(0, 5, 1, 0), body, tail), chain.Malformed},
		"memo of 29 bytes":       {tx(source, head, u32(0, 1, 29), zeros(32), u32(1, 0), body, tail), chain.Malformed},
		"memo of 2^32 - 1 bytes": {tx(source, head, u32(0, 1, 1<<32-1), zeros(32)), chain.Malformed},
		"memo padded with x":     {tx(source, head, u32(0, 1, 1), []byte("axxx"), u32(1, 0), body, tail), chain.Malformed},
		"no operation":           {tx(source, head, u32(0, 0, 0), tail), OtherOperation},
		"two operations":         {tx(source, head, u32(0, 0, 2, 0), body, u32(0), body, tail), OtherOperation},
		"2^32 - 1 operations":    {tx(source, head, u32(0, 0, 1<<32-1, 0), body, tail), OtherOperation},
		"another's operation":    {tx(source, head, u32(0, 0, 1, 1, 0), payee[:], body, tail), OtherAccount},
		"muxed operation":        {tx(source, head, u32(0, 0, 1, 1, keyMuxed, 0, 5), payer[:], body, tail), OtherAccount},
		"source flag of 2":       {tx(source, head, u32(0, 0, 1, 2, 0), payer[:], body, tail), chain.Malformed},
		"extension":              {tx(source, head, u32(0, 0, 1, 0), body, u32(1)), OtherField},
		"destination of type 1":  {tx(source, head, u32(0, 0, 1, 0, 1, 1), payee[:], u32(0, 0, 5), tail), chain.Malformed},
		"negative amount":        {tx(source, head, u32(0, 0, 1, 0, 1, 0), payee[:], u32(0, 1<<31, 5), tail), chain.ValueOutOfRange},
		"4 letters in 12":        {asset(asset12, "USDC\x00\x00\x00\x00\x00\x00\x00\x00"), chain.Malformed},
		"letters behind zeros":   {asset(asset12, "ABCDE\x00F\x00\x00\x00\x00\x00"), chain.Malformed},
		"no letters":             {asset(asset4, "\x00\x00\x00\x00"), chain.Malformed},
		"asset of type 4":        {asset(4, "USDC"), chain.Malformed},
		"pool share":             {asset(assetPool, "USDC"), OtherOperation},
		"muxed new account":      {operation(0, join(u32(keyMuxed, 0, 5), payee[:], u32(0, 5))...), chain.Malformed},
		"path payment":           {operation(2), OtherOperation},
		"offer":                  {operation(3), OtherOperation},
		"set options":            {operation(5), OtherOperation},
		"trust for a pool":       {operation(6, u32(assetPool, 0)...), OtherOperation},
		"allow trust":            {operation(7), OtherOperation},
		"merge":                  {operation(8, join(u32(0), payee[:])...), OtherOperation},
		"manage data":            {operation(10), OtherOperation},
		"bump the sequence":      {operation(11, u32(0, 9)...), OtherOperation},
		"path payment, send":     {operation(13), OtherOperation},
		"claimable balance":      {operation(14), OtherOperation},
		"sponsor":                {operation(16), OtherOperation},
		"clawback":               {operation(19), OtherOperation},
		"contract":               {operation(24), OtherOperation},
		"unknown operation":      {operation(77), OtherOperation},
		"21 signatures":          {join(good[:len(good)-4], u32(21), bytes.Repeat(join(zeros(4), u32(0)), 21)), chain.Malformed},
		"a signature of 65":      {join(good[:len(good)-4], u32(1), zeros(4), u32(65), zeros(68)), chain.Malformed},
		"long":                   {join(good, zeros(MaxEnvelope)), chain.TooLarge},
	} {
		if got, _, err := DecodeEnvelope(c.raw); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
}

func TestRenewed(t *testing.T) {
	original := sound()["text"]
	original.Operation.Asset, original.Operation.Destination = Asset{"USD", issuer}, Muxed{payee, 5, true}
	renewed := original
	renewed.Bounds.Max += 86400
	if err := renewed.CheckRenewed(original); err != nil {
		t.Error(err)
	}
	unbound := original
	unbound.Bounds = Bounds{}
	if err := renewed.CheckRenewed(unbound); err != nil {
		t.Errorf("an end where there was none: %v", err)
	}
	for name, change := range map[string]func(x *Tx){
		"no end":      func(x *Tx) { x.Bounds.Max = 0 },
		"no bounds":   func(x *Tx) { x.Bounds = Bounds{} },
		"begin":       func(x *Tx) { x.Bounds.Min = 5 },
		"amount":      func(x *Tx) { x.Operation.Amount++ },
		"destination": func(x *Tx) { x.Operation.Destination.Account = issuer },
		"id":          func(x *Tx) { x.Operation.Destination.ID++ },
		"no id":       func(x *Tx) { x.Operation.Destination = Muxed{Account: payee} },
		"code":        func(x *Tx) { x.Operation.Asset.Code = "EUR" },
		"issuer":      func(x *Tx) { x.Operation.Asset.Issuer = payee },
		"lumens":      func(x *Tx) { x.Operation.Asset = Asset{} },
		"own source":  func(x *Tx) { x.Operation.OwnSource = true },
		"kind":        func(x *Tx) { x.Operation.Kind = CreateAccount },
		"memo":        func(x *Tx) { x.Memo.Text = "invoice 8" },
		"memo's kind": func(x *Tx) { x.Memo = Memo{Kind: MemoID, ID: 7} },
		"fee":         func(x *Tx) { x.Fee++ },
		"sequence":    func(x *Tx) { x.Sequence++ },
		"source":      func(x *Tx) { x.Source = issuer },
	} {
		x := renewed
		change(&x)
		if err := x.CheckRenewed(original); chain.CodeOf(err) != chain.ContentChanged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTime(t *testing.T) {
	x := sound()["payment"] // ends at made + 300
	for _, c := range []struct {
		at     int64
		margin time.Duration
		ok     bool
	}{{made, 0, true}, {made + 299, 0, true}, {made + 300, 0, false}, {made + 301, 0, false}, {made, 300 * time.Second, true}, {made, 301 * time.Second, false}} {
		if err := x.CheckTime(time.Unix(c.at, 0), c.margin); (err == nil) != c.ok || err != nil && chain.CodeOf(err) != Expired {
			t.Errorf("at %d, margin %s: %v", c.at-made, c.margin, err)
		}
	}
	for _, name := range []string{"no bounds", "no end"} {
		if err := sound()[name].CheckTime(time.Unix(made, 0), time.Hour); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	x.Bounds.Max = math.MaxUint64
	if left, ok := x.Left(time.Unix(made, 0)); !ok || left <= 0 {
		t.Errorf("the farthest end: %s, %v", left, ok)
	}
}

func TestFacts(t *testing.T) {
	x := sound()["asset"]
	if x.Burns() || x.Issues() || x.Operation.Asset.Token() != "USD."+issuer.String() || sound()["named XLM"].Operation.Asset.IsNative() || x.ExclusiveID() != payer.String()+":1099511627776" {
		t.Errorf("%+v, %s", x, x.ExclusiveID())
	}
	x.Operation.Destination.Account = issuer
	if !x.Burns() || x.Issues() {
		t.Error("burns")
	}
	x = sound()["asset"]
	if x.Operation.Asset.Issuer = payer; x.Burns() || !x.Issues() {
		t.Error("issues")
	}
	if a, b := sound()["payment"].Hash(chain.Mainnet), sound()["payment"].Hash(chain.Testnet); a == b {
		t.Error("one hash on two networks")
	}
	if Kind(77).String() != "" || MemoKind(9).String() != "" || Kind(1<<32-1).String() != "" || MemoID.String() != "id" || Kind(24).String() != "invokeHostFunction" {
		t.Error("names")
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, x := range sound() {
		f.Add(x.Envelope(nil))
		f.Add(x.Envelope([]Signature{{payer.Hint(), make([]byte, 64)}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, list, err := DecodeEnvelope(b)
		if err != nil {
			return
		}
		if !bytes.Equal(x.Envelope(list), b) || x.Check() != nil || x.Bounds.Max != 0 && x.CheckRenewed(x) != nil {
			t.Errorf("%x comes back as %x", b, x.Envelope(list))
		}
		if again, err := Decode(x.Encode()); err != nil || again != x {
			t.Errorf("%x: %v", b, err)
		}
	})
}
