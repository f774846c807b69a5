package xrp

import (
	"bytes"
	"encoding/hex"
	"testing"

	"coldkms/shared/chain"
)

var (
	payer  = Account(bytes.Repeat([]byte{0xaa}, 20))
	payee  = Account(bytes.Repeat([]byte{0xbb}, 20))
	issuer = Account(bytes.Repeat([]byte{0xcc}, 20))
)

func usd(value string) Amount {
	v, err := ParseValue(value)
	c, err2 := parseCurrency("USD")
	if err != nil || err2 != nil {
		panic(value)
	}
	return Amount{Issued: true, Value: v, Currency: c, Issuer: issuer}
}

func hexCurrency(s string) Currency {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(s)
	}
	return Currency(b)
}

// sound returns a transaction of each kind.
func sound() map[string]Tx {
	base := Tx{Account: payer, Fee: 10, Sequence: 7, LastLedger: Some(500), Flags: Some(0)}
	pay := base
	pay.Destination, pay.Amount = payee, Amount{Drops: 5}
	list := map[string]Tx{"payment": pay}
	add := func(name string, from Tx, change func(t *Tx)) {
		change(&from)
		list[name] = from
	}
	add("no flags", pay, func(t *Tx) { t.Flags = Number{} })
	add("canonical", pay, func(t *Tx) { t.Flags = Some(FullyCanonical) })
	add("tags", pay, func(t *Tx) { t.Tag, t.SourceTag = Some(0), Some(1<<32-1) })
	add("ticket", pay, func(t *Tx) { t.Sequence, t.Ticket = 0, Some(9) })
	add("for ever", pay, func(t *Tx) { t.LastLedger = Number{} })
	add("all XRP", pay, func(t *Tx) { t.Amount.Drops = MaxDrops })
	add("invoice", pay, func(t *Tx) { t.Invoice = bytes.Repeat([]byte{3}, 32) })
	add("memos", pay, func(t *Tx) {
		t.Memos = []Memo{{Type: []byte("t"), Data: []byte("hello")}, {Data: bytes.Repeat([]byte{'x'}, 500), Format: []byte{0}}}
	})
	add("issued", pay, func(t *Tx) { t.Amount = usd("12.5") })
	add("issued small", pay, func(t *Tx) { t.Amount = usd("0.01123456789012349") })
	add("issued hex", pay, func(t *Tx) {
		t.Amount = usd("1e20")
		t.Amount.Currency = hexCurrency("5453542D33356335366100000000000000000000")
	})
	trust := base
	trust.Kind, trust.Amount = TrustSet, usd("649810")
	list["trust"] = trust
	add("no trust", trust, func(t *Tx) { t.Amount.Value = Value{} })
	add("most trust", trust, func(t *Tx) { t.Amount.Value = Value{mostMantissa, mostExponent} })
	set := base
	set.Kind = AccountSet
	list["cancel"] = set
	add("require a tag", set, func(t *Tx) { t.SetFlag = Some(RequireDest) })
	add("no rippling", set, func(t *Tx) { t.ClearFlag = Some(DefaultRipple) })
	return list
}

func TestRoundTrip(t *testing.T) {
	for name, x := range sound() {
		raw := x.Encode()
		got, err := Decode(raw)
		if err != nil || !bytes.Equal(got.Encode(), raw) || got.Destination != x.Destination || got.Amount != x.Amount || got.Tag != x.Tag {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
	}
}

// Every byte of a transaction matters: with any bit flipped it is another one,
// or none; and no beginning of it is one.
func TestEveryBitCounts(t *testing.T) {
	for name, x := range sound() {
		raw := x.Encode()
		for i := range 8 * len(raw) {
			other := bytes.Clone(raw)
			other[i/8] ^= 1 << (i % 8)
			if got, err := Decode(other); err == nil && !bytes.Equal(got.Encode(), other) {
				t.Errorf("%s: bit %d: %x comes back as %x", name, i, other, got.Encode())
			}
		}
		for i := range raw {
			if got, err := Decode(raw[:i]); err == nil && len(x.Memos) == 0 {
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
		"escrow":                  {"payment", func(x *Tx) { x.Kind = 1 }, OtherType},
		"regular key":             {"payment", func(x *Tx) { x.Kind = 5 }, OtherType},
		"signer list":             {"payment", func(x *Tx) { x.Kind = 12 }, OtherType},
		"delete the account":      {"payment", func(x *Tx) { x.Kind = 21 }, OtherType},
		"unknown type":            {"payment", func(x *Tx) { x.Kind = 999 }, OtherType},
		"partial payment":         {"payment", func(x *Tx) { x.Flags = Some(0x20000) }, OtherFlags},
		"partial and canonical":   {"issued", func(x *Tx) { x.Flags = Some(FullyCanonical | 0x20000) }, OtherFlags},
		"no direct path":          {"payment", func(x *Tx) { x.Flags = Some(0x10000) }, OtherFlags},
		"freeze":                  {"trust", func(x *Tx) { x.Flags = Some(0x100000) }, OtherFlags},
		"authorise":               {"trust", func(x *Tx) { x.Flags = Some(0x10000) }, OtherFlags},
		"inner batch":             {"payment", func(x *Tx) { x.Flags = Some(0x40000000) }, OtherFlags},
		"no fee":                  {"payment", func(x *Tx) { x.Fee = 0 }, FeeRange},
		"fee":                     {"payment", func(x *Tx) { x.Fee = MaxFee + 1 }, FeeRange},
		"no sequence":             {"payment", func(x *Tx) { x.Sequence = 0 }, chain.Malformed},
		"sequence and ticket":     {"ticket", func(x *Tx) { x.Sequence = 7 }, chain.Malformed},
		"ticket 0":                {"ticket", func(x *Tx) { x.Ticket = Some(0) }, chain.Malformed},
		"last ledger 0":           {"payment", func(x *Tx) { x.LastLedger = Some(0) }, chain.Malformed},
		"from nobody":             {"payment", func(x *Tx) { x.Account = Account{} }, chain.Malformed},
		"from one":                {"payment", func(x *Tx) { x.Account = Account{19: 1} }, chain.Malformed},
		"to nobody":               {"payment", func(x *Tx) { x.Destination = Account{} }, chain.Malformed},
		"to one":                  {"payment", func(x *Tx) { x.Destination = Account{19: 1} }, chain.Malformed},
		"to self":                 {"payment", func(x *Tx) { x.Destination = payer }, ToSelf},
		"to self, issued":         {"issued", func(x *Tx) { x.Destination = payer }, ToSelf},
		"amount 0":                {"payment", func(x *Tx) { x.Amount.Drops = 0 }, chain.ValueOutOfRange},
		"issued 0":                {"issued", func(x *Tx) { x.Amount.Value = Value{} }, chain.ValueOutOfRange},
		"above all XRP":           {"payment", func(x *Tx) { x.Amount.Drops = MaxDrops + 1 }, chain.ValueOutOfRange},
		"finer than counted":      {"issued", func(x *Tx) { x.Amount.Value = Value{leastMantissa + 1, -31} }, chain.ValueOutOfRange},
		"more than counted":       {"issued", func(x *Tx) { x.Amount.Value = Value{mostMantissa, 80} }, chain.ValueOutOfRange},
		"not normal":              {"issued", func(x *Tx) { x.Amount.Value = Value{5, 0} }, chain.Malformed},
		"issued XRP":              {"issued", func(x *Tx) { x.Amount.Currency = Currency{12: 'X', 13: 'R', 14: 'P'} }, chain.Malformed},
		"no currency":             {"issued", func(x *Tx) { x.Amount.Currency = Currency{} }, chain.Malformed},
		"no issuer":               {"issued", func(x *Tx) { x.Amount.Issuer = Account{} }, chain.Malformed},
		"trust for XRP":           {"trust", func(x *Tx) { x.Amount = Amount{Drops: 5} }, chain.Malformed},
		"trust in self":           {"trust", func(x *Tx) { x.Amount.Issuer = payer }, ToSelf},
		"trust with destination":  {"trust", func(x *Tx) { x.Destination = payee }, OtherField},
		"trust with tag":          {"trust", func(x *Tx) { x.Tag = Some(0) }, OtherField},
		"trust with invoice":      {"trust", func(x *Tx) { x.Invoice = make([]byte, 32) }, OtherField},
		"trust with setting":      {"trust", func(x *Tx) { x.SetFlag = Some(1) }, OtherField},
		"payment with setting":    {"payment", func(x *Tx) { x.ClearFlag = Some(8) }, OtherField},
		"setting with amount":     {"cancel", func(x *Tx) { x.Amount = Amount{Drops: 5} }, OtherField},
		"disable the master key":  {"cancel", func(x *Tx) { x.SetFlag = Some(4) }, OtherFlags},
		"global freeze":           {"cancel", func(x *Tx) { x.SetFlag = Some(7) }, OtherFlags},
		"setting 0":               {"cancel", func(x *Tx) { x.SetFlag = Some(0) }, OtherFlags},
		"no freeze":               {"cancel", func(x *Tx) { x.ClearFlag = Some(6) }, OtherFlags},
		"two settings":            {"require a tag", func(x *Tx) { x.ClearFlag = Some(8) }, OtherFlags},
		"five memos":              {"payment", func(x *Tx) { x.Memos = make([]Memo, 5) }, chain.TooLarge},
		"empty memo":              {"payment", func(x *Tx) { x.Memos = make([]Memo, 1) }, chain.Malformed},
		"long memo":               {"payment", func(x *Tx) { x.Memos = []Memo{{Data: make([]byte, maxMemo+1)}} }, chain.TooLarge},
		"long memos":              {"payment", func(x *Tx) { x.Memos = []Memo{{Data: make([]byte, 600)}, {Data: make([]byte, 600)}} }, chain.TooLarge},
		"short invoice":           {"payment", func(x *Tx) { x.Invoice = make([]byte, 31) }, chain.Malformed},
		"a number half stated":    {"payment", func(x *Tx) { x.Tag = Number{Value: 5} }, chain.Malformed},
		"drops and value":         {"issued", func(x *Tx) { x.Amount.Drops = 5 }, chain.Malformed},
		"XRP with an issuer":      {"payment", func(x *Tx) { x.Amount.Issuer = issuer }, chain.ValueOutOfRange},
		"a mantissa of no digits": {"issued", func(x *Tx) { x.Amount.Value = Value{0, 5} }, chain.Malformed},
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

func TestDecodeRefusesForms(t *testing.T) {
	good := sound()["payment"].Encode()
	at := func(b ...byte) int { return bytes.Index(good, b) }
	insert := func(i int, b ...byte) []byte { return append(append(bytes.Clone(good[:i]), b...), good[i:]...) }
	fee, account := at(0x68, 0x40), at(0x81, 20)
	for name, c := range map[string]struct {
		raw  []byte
		code chain.Code
	}{
		"nothing":           {nil, chain.Malformed},
		"something follows": {append(bytes.Clone(good), 0), chain.Malformed},
		"network id":        {insert(3, 0x21, 0, 0, 0, 1), OtherField},
		"transfer rate":     {insert(fee, 0x2b, 0, 0, 0, 1), OtherField},
		"send max":          {insert(account, 0x69, 0x40, 0, 0, 0, 0, 0, 0, 5), OtherField},
		"deliver min":       {insert(account, 0x6a, 0x40, 0, 0, 0, 0, 0, 0, 5), OtherField},
		"a limit too":       {insert(fee, 0x63, 0x40, 0, 0, 0, 0, 0, 0, 5), chain.Malformed},
		"paths":             {insert(len(good), 0x01, 0x12, 0), OtherField},
		"signers":           {insert(len(good), 0xf3, 0xf1), OtherField},
		"no memos":          {insert(len(good), 0xf9, 0xf1), chain.Malformed},
		"delegate":          {insert(len(good), append([]byte{0x8c, 20}, payee[:]...)...), OtherField},
		"regular key":       {insert(len(good), append([]byte{0x88, 20}, payee[:]...)...), OtherField},
		"destination twice": {insert(len(good), append([]byte{0x83, 20}, payee[:]...)...), chain.Malformed},
		"padded header":     {append([]byte{0x00, 1, 2}, good[1:]...), chain.Malformed},
		"out of order":      {append(bytes.Clone(good[fee:]), good[:fee]...), chain.Malformed},
		"a key":             {insert(account, append([]byte{0x73, 33}, make([]byte, 33)...)...), chain.ForeignScript},
		"a signature":       {insert(account, 0x74, 1, 1), chain.ForeignScript},
		"an empty key":      {insert(account, 0x73, 0), chain.Malformed},
		"negative fee":      {bytes.Replace(good, []byte{0x68, 0x40}, []byte{0x68, 0x00}, 1), chain.Malformed},
		"negative amount":   {bytes.Replace(good, []byte{0x61, 0x40}, []byte{0x61, 0x00}, 1), chain.Malformed},
		"MPT amount":        {bytes.Replace(good, []byte{0x61, 0x40}, []byte{0x61, 0x60}, 1), chain.ValueOutOfRange},
		"short account":     {bytes.Replace(good, []byte{0x81, 20}, []byte{0x81, 19}, 1), chain.Malformed},
		"long":              {append(bytes.Clone(good), make([]byte, MaxBlob)...), chain.TooLarge},
		"longest blob":      {insert(len(good), 0x7d, 0xff, 0xff), OtherField},
	} {
		if got, err := Decode(c.raw); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
}

func TestDecodeSigned(t *testing.T) {
	x := sound()["payment"]
	key := PublicKey{0: 0xed, 5: 7}
	raw := x.Raw(key, []byte{1, 2, 3})
	got, k, signature, err := DecodeSigned(raw)
	if err != nil || k != key || !bytes.Equal(signature, []byte{1, 2, 3}) || !bytes.Equal(got.Encode(), x.Encode()) {
		t.Errorf("%v: %+v %x %x", err, got, k, signature)
	}
	for name, raw := range map[string][]byte{"nothing": x.Encode(), "no signature": x.Raw(key, nil), "no key": x.encode(nil, []byte{1}), "short key": x.encode(key[:32], []byte{1})} {
		if _, _, _, err := DecodeSigned(raw); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestRenewed(t *testing.T) {
	original := sound()["memos"]
	original.Tag, original.Invoice = Some(4), make([]byte, 32)
	renewed := original
	renewed.LastLedger = Some(9000)
	if err := renewed.CheckRenewed(original); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(x *Tx){
		"no end":       func(x *Tx) { x.LastLedger = Number{} },
		"amount":       func(x *Tx) { x.Amount.Drops++ },
		"asset":        func(x *Tx) { x.Amount = usd("5") },
		"destination":  func(x *Tx) { x.Destination = issuer },
		"tag":          func(x *Tx) { x.Tag.Value++ },
		"no tag":       func(x *Tx) { x.Tag = Number{} },
		"source tag":   func(x *Tx) { x.SourceTag = Some(1) },
		"fee":          func(x *Tx) { x.Fee++ },
		"sequence":     func(x *Tx) { x.Sequence++ },
		"ticket":       func(x *Tx) { x.Sequence, x.Ticket = 0, Some(7) },
		"flags":        func(x *Tx) { x.Flags = Some(FullyCanonical) },
		"flags absent": func(x *Tx) { x.Flags = Number{} },
		"account":      func(x *Tx) { x.Account = issuer },
		"memo":         func(x *Tx) { x.Memos = x.Memos[:1] },
		"invoice":      func(x *Tx) { x.Invoice = nil },
		"kind":         func(x *Tx) { x.Kind = AccountSet },
	} {
		x := renewed
		change(&x)
		if err := x.CheckRenewed(original); chain.CodeOf(err) != chain.ContentChanged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLedger(t *testing.T) {
	x := sound()["payment"]
	for _, c := range []struct {
		ledger, margin uint32
		ok             bool
	}{{1, 0, true}, {499, 0, true}, {500, 0, false}, {501, 0, false}, {490, 10, true}, {491, 10, false}, {1<<32 - 1, 0, false}} {
		if err := x.CheckLedger(c.ledger, c.margin); (err == nil) != c.ok || err != nil && chain.CodeOf(err) != Expired {
			t.Errorf("ledger %d, margin %d: %v", c.ledger, c.margin, err)
		}
	}
	if err := sound()["for ever"].CheckLedger(1<<32-1, 1<<32-1); err != nil {
		t.Error(err)
	}
}

func TestExclusiveID(t *testing.T) {
	list := sound()
	if a, b := list["payment"].ExclusiveID(), list["trust"].ExclusiveID(); a != b || a != payer.String()+":7" {
		t.Errorf("%s, %s", a, b)
	}
	if got := list["ticket"].ExclusiveID(); got != payer.String()+":ticket:9" {
		t.Error(got)
	}
}

func TestIssuer(t *testing.T) {
	x := sound()["issued"]
	if x.Burns() || x.Issues() {
		t.Error("neither")
	}
	x.Amount.Issuer = payee
	if !x.Burns() || x.Issues() {
		t.Error("burns")
	}
	x.Amount.Issuer = payer
	if x.Burns() || !x.Issues() {
		t.Error("issues")
	}
}

func FuzzTx(f *testing.F) {
	for _, x := range sound() {
		f.Add(x.Encode())
		f.Add(x.Raw(PublicKey{0: 2}, []byte{1}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := Decode(b); err == nil {
			if !bytes.Equal(x.Encode(), b) || x.Check() != nil || x.LastLedger.Stated && x.CheckRenewed(x) != nil {
				t.Errorf("%x comes back as %x", b, x.Encode())
			}
			_ = x.Amount.String()
		}
		if x, key, signature, err := DecodeSigned(b); err == nil && !bytes.Equal(x.Raw(key, signature), b) {
			t.Errorf("%x comes back as %x", b, x.Raw(key, signature))
		}
	})
}
