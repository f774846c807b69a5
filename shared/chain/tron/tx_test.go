package tron

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	owner = Address(bytes.Repeat([]byte{0xaa}, 20))
	payee = Address(bytes.Repeat([]byte{0xbb}, 20))
	token = Address(bytes.Repeat([]byte{0xcc}, 20))
)

const transferCall = "a9059cbb000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000000000000000000000000000000000000000000000000000004d"

// sound returns a transaction of each kind.
func sound(t testing.TB) map[string]Tx {
	list := map[string]Tx{}
	for name, c := range map[string]Contract{
		"transfer":        {Kind: Transfer, To: payee, Amount: 5},
		"most TRX":        {Kind: Transfer, To: payee, Amount: 1<<63 - 1},
		"TRC-10":          {Kind: TransferAsset, To: payee, Amount: 5, Asset: "1002000"},
		"TRC-20":          {Kind: TriggerSmartContract, To: token, Data: unhex(t, transferCall)},
		"call with value": {Kind: TriggerSmartContract, To: token, Data: unhex(t, transferCall), Value: 1, Token: 2, TokenID: 1002000},
		"freeze v1":       {Kind: FreezeBalance, Amount: 5, Days: 3, Resource: Energy},
		"freeze v1 for":   {Kind: FreezeBalance, Amount: 5, Days: 3, To: payee},
		"unfreeze v1":     {Kind: UnfreezeBalance, Resource: Energy},
		"unfreeze v1 for": {Kind: UnfreezeBalance, To: payee},
		"freeze":          {Kind: FreezeBalanceV2, Amount: 5},
		"unfreeze":        {Kind: UnfreezeBalanceV2, Amount: 5, Resource: Energy},
		"withdraw":        {Kind: WithdrawExpireUnfreeze},
		"delegate":        {Kind: DelegateResource, To: payee, Amount: 5, Resource: Energy, Lock: true, LockTime: 86400},
		"undelegate":      {Kind: UndelegateResource, To: payee, Amount: 5},
	} {
		c.Owner = owner
		x := Tx{RefBlockBytes: [2]byte{1, 2}, RefBlockHash: [8]byte{3}, Expiration: 1_800_000_060_000, Timestamp: 1_800_000_000_000, Contract: c}
		if c.Kind == TriggerSmartContract {
			x.FeeLimit = 100 * Sun
		}
		list[name] = x
	}
	memo := list["transfer"]
	memo.Memo, memo.FeeLimit, memo.Timestamp = []byte("hello"), 5, 0
	list["memo"] = memo
	return list
}

func TestRoundTrip(t *testing.T) {
	for name, x := range sound(t) {
		raw := x.Encode()
		got, err := Decode(raw)
		if err != nil || !bytes.Equal(got.Encode(), raw) || got.Contract.To != x.Contract.To || got.Contract.Kind != x.Contract.Kind || got.Contract.Amount != x.Contract.Amount {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
	}
}

// Every byte of a transaction matters: with any bit flipped it is another one,
// or none.
func TestEveryBitCounts(t *testing.T) {
	for name, x := range sound(t) {
		raw := x.Encode()
		for i := range 8 * len(raw) {
			other := bytes.Clone(raw)
			other[i/8] ^= 1 << (i % 8)
			if got, err := Decode(other); err == nil && !bytes.Equal(got.Encode(), other) {
				t.Errorf("%s: bit %d: %x comes back as %x", name, i, other, got.Encode())
			}
		}
		for i := range raw {
			got, err := Decode(raw[:i])
			bare := x // what may be missing: a timestamp, and what follows it
			bare.Timestamp, bare.FeeLimit = 0, 0
			if err == nil && !bytes.Equal(got.Encode(), bare.Encode()) {
				t.Errorf("%s: its first %d bytes are read", name, i)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		of     string
		change func(x *Tx)
		code   chain.Code
	}{
		"no expiration":      {"transfer", func(x *Tx) { x.Expiration = 0 }, chain.Malformed},
		"expiration below 0": {"transfer", func(x *Tx) { x.Expiration = -1 }, chain.Malformed},
		"timestamp below 0":  {"transfer", func(x *Tx) { x.Timestamp = -1 }, chain.Malformed},
		"fee limit":          {"TRC-20", func(x *Tx) { x.FeeLimit = MaxFeeLimit + 1 }, FeeLimit},
		"fee limit below 0":  {"transfer", func(x *Tx) { x.FeeLimit = -1 }, FeeLimit},
		"no fee limit":       {"TRC-20", func(x *Tx) { x.FeeLimit = 0 }, FeeLimit},
		"long memo":          {"transfer", func(x *Tx) { x.Memo = make([]byte, maxMemo+1) }, chain.TooLarge},
		"long call":          {"TRC-20", func(x *Tx) { x.Contract.Data = make([]byte, maxData+1) }, chain.TooLarge},
		"long":               {"transfer", func(x *Tx) { x.Memo = make([]byte, MaxRaw+1) }, chain.TooLarge},
		"amount 0":           {"transfer", func(x *Tx) { x.Contract.Amount = 0 }, chain.ValueOutOfRange},
		"amount below 0":     {"TRC-10", func(x *Tx) { x.Contract.Amount = -5 }, chain.ValueOutOfRange},
		"freeze 0":           {"freeze", func(x *Tx) { x.Contract.Amount = 0 }, chain.ValueOutOfRange},
		"to zero":            {"transfer", func(x *Tx) { x.Contract.To = Address{} }, ZeroAddress},
		"to self":            {"TRC-10", func(x *Tx) { x.Contract.To = owner }, ToSelf},
		"call of zero":       {"TRC-20", func(x *Tx) { x.Contract.To = Address{} }, ZeroAddress},
		"lend to zero":       {"delegate", func(x *Tx) { x.Contract.To = Address{} }, ZeroAddress},
		"resource 2":         {"freeze", func(x *Tx) { x.Contract.Resource = 2 }, chain.ValueOutOfRange},
		"lock below 0":       {"delegate", func(x *Tx) { x.Contract.LockTime = -1 }, chain.ValueOutOfRange},
		"days below 0":       {"freeze v1", func(x *Tx) { x.Contract.Days = -1 }, chain.ValueOutOfRange},
		"value below 0":      {"call with value", func(x *Tx) { x.Contract.Value = -1 }, chain.ValueOutOfRange},
		"token below 0":      {"call with value", func(x *Tx) { x.Contract.Token = -1 }, chain.ValueOutOfRange},
		"token of nothing":   {"call with value", func(x *Tx) { x.Contract.Token = 0 }, chain.Malformed},
		"asset of letters":   {"TRC-10", func(x *Tx) { x.Contract.Asset = "USDT" }, chain.Malformed},
		"no asset":           {"TRC-10", func(x *Tx) { x.Contract.Asset = "" }, chain.Malformed},
		"vote":               {"transfer", func(x *Tx) { x.Contract = Contract{Kind: 4, Owner: owner} }, OtherContract},
		"create a contract":  {"transfer", func(x *Tx) { x.Contract = Contract{Kind: 30, Owner: owner} }, OtherContract},
		"permission update":  {"transfer", func(x *Tx) { x.Contract = Contract{Kind: 46, Owner: owner} }, Permission},
		"unknown kind":       {"transfer", func(x *Tx) { x.Contract = Contract{Kind: 99, Owner: owner} }, chain.Malformed},
	} {
		x := sound(t)[c.of]
		c.change(&x)
		if got, err := Decode(x.Encode()); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
}

// wrap puts a contract's fields into a transaction.
func wrap(contract ...field) message {
	return message{
		{rawRefBytes, wireBytes, 0, []byte{1, 2}}, {rawRefHash, wireBytes, 0, make([]byte, 8)}, {rawExpiration, wireVarint, 1, nil},
		{rawContract, wireBytes, 0, message(contract).encode()},
	}
}

func anyOf(url string, value ...field) []byte {
	return message{{anyURL, wireBytes, 0, []byte(url)}, {anyValue, wireBytes, 0, message(value).encode()}}.encode()
}

func TestDecodeRefusesForms(t *testing.T) {
	from, to, amount := field{1, wireBytes, 0, owner.Bytes()}, field{2, wireBytes, 0, payee.Bytes()}, field{3, wireVarint, 5, nil}
	kind := field{contractType, wireVarint, 1, nil}
	url := Transfer.url()
	parameter := func(b []byte) field { return field{contractParameter, wireBytes, 0, b} }
	good := wrap(kind, parameter(anyOf(url, from, to, amount)))
	if _, err := Decode(good.encode()); err != nil {
		t.Fatal(err)
	}
	prefixed := func(b ...byte) field { return field{2, wireBytes, 0, b} }
	for name, m := range map[string]message{
		"permission 2":         wrap(kind, parameter(anyOf(url, from, to, amount)), field{contractPermission, wireVarint, 2, nil}),
		"permission -1":        wrap(kind, parameter(anyOf(url, from, to, amount)), field{contractPermission, wireVarint, ^uint64(0), nil}),
		"provider":             wrap(kind, parameter(anyOf(url, from, to, amount)), field{3, wireBytes, 0, []byte{1}}),
		"type of another url":  wrap(kind, parameter(anyOf(TransferAsset.url(), from, to, amount))),
		"other prefix":         wrap(kind, parameter(anyOf("example.com/protocol.TransferContract", from, to, amount))),
		"no type":              wrap(parameter(anyOf(url, from, to, amount))),
		"no parameter":         wrap(kind),
		"no value":             wrap(kind, parameter(anyOf(url))),
		"no owner":             wrap(kind, parameter(anyOf(url, to, amount))),
		"fields out of order":  wrap(kind, parameter(anyOf(url, to, from, amount))),
		"an amount twice":      wrap(kind, parameter(anyOf(url, from, to, amount, amount))),
		"an unknown field":     wrap(kind, parameter(anyOf(url, from, to, amount, field{4, wireVarint, 1, nil}))),
		"a zero written out":   wrap(kind, parameter(anyOf(url, from, to, field{3, wireVarint, 0, nil}))),
		"address of 20 bytes":  wrap(kind, parameter(anyOf(url, from, prefixed(payee[:]...), amount))),
		"address with a0":      wrap(kind, parameter(anyOf(url, from, prefixed(append([]byte{0xa0}, payee[:]...)...), amount))),
		"amount as bytes":      wrap(kind, parameter(anyOf(url, from, to, field{3, wireBytes, 0, []byte{5}}))),
		"type as fixed32":      wrap(field{contractType, 5, 1, nil}, parameter(anyOf(url, from, to, amount))),
		"a second contract":    append(good, field{rawContract, wireBytes, 0, []byte{8, 1}}),
		"authority":            append(message{good[0], good[1], good[2], {9, wireBytes, 0, []byte{1}}}, good[3]),
		"scripts":              append(append(message{}, good...), field{12, wireBytes, 0, []byte{1}}),
		"block number":         append(message{good[0], {3, wireVarint, 1, nil}}, good[1:]...),
		"an unknown raw field": append(append(message{}, good...), field{20, wireVarint, 1, nil}),
		"field 0":              append(message{{0, wireVarint, 1, nil}}, good...),
		"ref block of 3 bytes": append(message{{rawRefBytes, wireBytes, 0, []byte{1, 2, 3}}}, good[1:]...),
		"no ref block hash":    append(message{good[0]}, good[2:]...),
		"no contract":          good[:3],
	} {
		got, err := Decode(m.encode())
		want := chain.Malformed
		if strings.HasPrefix(name, "permission") {
			want = Permission
		}
		if chain.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s (%+v)", name, err, want, got)
		}
	}
	raw := good.encode()
	at := bytes.Index(raw, []byte{rawExpiration << 3, 1})
	padded := append(append(bytes.Clone(raw[:at+1]), 0x81, 0x00), raw[at+2:]...)
	if _, err := Decode(padded); err == nil {
		t.Error("a padded number is read")
	}
	if _, err := Decode(append(raw, 0)); err == nil {
		t.Error("a byte behind is read")
	}
}

// Each of these is a message to a reader of the network.
func TestReadMessageRefuses(t *testing.T) {
	if m, err := readMessage(unhex(t, "0801120161")); err != nil || len(m) != 2 {
		t.Fatalf("%v, %v", m, err)
	}
	for name, s := range map[string]string{
		"out of order":         "1201610801",
		"twice":                "08010801",
		"a zero":               "0800",
		"no bytes":             "0a00",
		"padded number":        "088100",
		"padded tag":           "888000" + "01",
		"padded length":        "0a810061",
		"number of 65 bits":    "08ffffffffffffffffff02",
		"number of 11 bytes":   "08ffffffffffffffffffff01",
		"number without end":   "0880",
		"no number":            "08",
		"bytes that end early": "0a0261",
		"bytes of 2^63":        "0a80808080808080808001",
		"field 0":              "0001",
		"fixed64":              "090100000000000000",
		"group":                "0b01",
		"end of group":         "0c01",
		"fixed32":              "0d01000000",
		"wire type 6":          "0e01",
		"wire type 7":          "0f01",
	} {
		if m, err := readMessage(unhex(t, s)); err == nil {
			t.Errorf("%s: read as %v", name, m)
		}
	}
}

func TestCall(t *testing.T) {
	list := sound(t)
	call, err := list["TRC-20"].Call()
	if err != nil || call.Kind != evm.Transfer || Address(call.To) != payee || Address(call.Contract) != token || call.Amount != chain.NewAmount(77) {
		t.Errorf("%+v, %v", call, err)
	}
	if _, err := list["call with value"].Call(); chain.CodeOf(err) != evm.ValueOnCall {
		t.Errorf("value on a call: %v", err)
	}
	if _, err := list["transfer"].Call(); err == nil {
		t.Error("a transfer is a call")
	}
	for _, only := range []func(c *Contract){func(c *Contract) { c.Value = 0 }, func(c *Contract) { c.Token, c.TokenID = 0, 0 }} {
		x := list["call with value"]
		only(&x.Contract)
		if _, err := x.Call(); chain.CodeOf(err) != evm.ValueOnCall {
			t.Errorf("%+v: %v", x.Contract, err)
		}
	}
}

func TestCheckTime(t *testing.T) {
	x := sound(t)["transfer"]
	end := time.UnixMilli(x.Expiration)
	for _, c := range []struct {
		now    time.Time
		margin time.Duration
		code   chain.Code // "" for none
	}{
		{end, 0, Expired},
		{end.Add(time.Hour), 0, Expired},
		{end.Add(-time.Millisecond), 0, ""},
		{end.Add(-time.Minute), time.Minute, ""},
		{end.Add(-time.Minute + 1), time.Minute, Expired},
		{end.Add(-MaxLife), time.Minute, ""},
		{end.Add(-MaxLife - skew - 1), 0, TooFarAhead},
		{time.Time{}, 0, TooFarAhead},
	} {
		err := x.CheckTime(c.now, c.margin)
		if (err == nil) != (c.code == "") || err != nil && chain.CodeOf(err) != c.code {
			t.Errorf("%s, margin %s: %v, want %q", c.now, c.margin, err, c.code)
		}
	}
	err := x.CheckTime(end.Add(9*time.Minute), 0)
	if err == nil || !strings.Contains(err.Error(), "expired 9m0s ago") {
		t.Errorf("words: %v", err)
	}
}

func TestCheckRefreshed(t *testing.T) {
	for name, original := range sound(t) {
		fresh := original
		fresh.RefBlockBytes, fresh.RefBlockHash = [2]byte{9, 9}, [8]byte{9}
		fresh.Expiration += 3_600_000
		fresh.Timestamp += 3_500_000
		if err := fresh.CheckRefreshed(original); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, change := range map[string]func(x *Tx){
			"fee limit": func(x *Tx) { x.FeeLimit++ },
			"memo":      func(x *Tx) { x.Memo = append(bytes.Clone(x.Memo), 'x') },
			"owner":     func(x *Tx) { x.Contract.Owner[0] ^= 1 },
			"kind":      func(x *Tx) { x.Contract.Kind ^= 1 },
		} {
			other := fresh
			change(&other)
			if err := other.CheckRefreshed(original); chain.CodeOf(err) != chain.ContentChanged {
				t.Errorf("%s: another %s: %v", name, what, err)
			}
		}
	}
	original := sound(t)["TRC-20"]
	other := original
	other.Contract.Data = bytes.Clone(original.Contract.Data)
	other.Contract.Data[67]++
	if err := other.CheckRefreshed(original); err == nil {
		t.Error("another call is the original")
	}
}

func FuzzTx(f *testing.F) {
	for _, x := range sound(f) {
		f.Add(x.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(b)
		if err == nil && !bytes.Equal(m.encode(), b) {
			t.Errorf("message %x comes back as %x", b, m.encode())
		}
		x, err := Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(x.Encode(), b) {
			t.Errorf("%x comes back as %x", b, x.Encode())
		}
		if err := x.CheckRefreshed(x); err != nil {
			t.Errorf("%x is not itself: %v", b, err)
		}
		if x.Contract.Kind == TriggerSmartContract {
			_, _ = x.Call()
		}
	})
}
