package vet

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/blake2b"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(s, err)
	}
	return b
}

const (
	transferCall = "a9059cbb000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000000000000000000000000000000000000000000000000000004d"
	approveCall  = "095ea7b3000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000000000000000000000000000000000000000000000000000004d"
	takeBackCall = "a457c2d7000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000000000000000000000000000000000000000000000000000004d"
	fromCall     = "23b872dd000000000000000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000000000000000000000000000000000000000000000000000004d"
)

// sound returns transactions of each kind.
func sound(t testing.TB) map[string]Tx {
	pay := Tx{
		ChainTag: 0x4a, BlockRef: BlockRef{0x01, 0x3e, 0x9f, 0x77, 0x52, 0x29, 0x26, 0x86}, Expiration: 720,
		To: evm.Address{0xbb}, Value: chain.NewAmount(5), Gas: gasBase, Nonce: 0xba8bdd9f65d258aa,
	}
	list := map[string]Tx{"payment": pay}
	with := func(name string, change func(x *Tx)) {
		x := pay
		change(&x)
		x.Gas = max(x.Gas, x.MinGas())
		list[name] = x
	}
	with("nothing", func(x *Tx) { x.Value = chain.Amount{} })
	with("large", func(x *Tx) { x.Value, _ = chain.ParseAmount("86000000000000000000000000000") })
	with("note", func(x *Tx) { x.Data = []byte("order 77") })
	with("note with accents", func(x *Tx) { x.Data = []byte("Grüße") })
	with("one byte", func(x *Tx) { x.Data = []byte("7") })
	with("tokens", func(x *Tx) { x.To, x.Value, x.Data = VTHO(), chain.Amount{}, unhex(t, transferCall) })
	with("nonce 0", func(x *Tx) { x.Nonce = 0 })
	with("nonce 1", func(x *Tx) { x.Nonce = 1 })
	with("early block", func(x *Tx) { x.BlockRef = BlockRef{3: 1} })
	with("a week", func(x *Tx) { x.Expiration = MaxExpiration })
	with("much gas", func(x *Tx) { x.Gas = maxGas })
	return list
}

func TestRoundTrip(t *testing.T) {
	s := evm.Signature{R: [32]byte{1}, S: [32]byte{31: 2}, Recovery: 1}
	for name, x := range sound(t) {
		if err := x.Check(chain.Mainnet); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := Decode(x.Encode())
		if err != nil || !bytes.Equal(got.Encode(), x.Encode()) || got.To != x.To || got.Value != x.Value || got.Nonce != x.Nonce || got.BlockRef != x.BlockRef {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
		got, again, err := DecodeSigned(x.Signed(s))
		if err != nil || again != s || !bytes.Equal(got.Encode(), x.Encode()) {
			t.Errorf("%s: signed: %v, %+v", name, err, got)
		}
		if _, err := Decode(x.Signed(s)); err == nil {
			t.Errorf("%s: a signature is read as none", name)
		}
		if _, _, err := DecodeSigned(x.Encode()); err == nil {
			t.Errorf("%s: read as signed", name)
		}
	}
}

// Every byte of a transaction matters: with any bit flipped it is another one,
// or none.
func TestEveryBitCounts(t *testing.T) {
	for name, x := range sound(t) {
		raw := x.Signed(evm.Signature{R: [32]byte{9}})
		for i := range 8 * len(raw) {
			other := bytes.Clone(raw)
			other[i/8] ^= 1 << (i % 8)
			if got, s, err := DecodeSigned(other); err == nil && !bytes.Equal(got.Signed(s), other) {
				t.Errorf("%s: bit %d: %x comes back as %x", name, i, other, got.Signed(s))
			}
		}
		for i := range raw {
			if _, _, err := DecodeSigned(raw[:i]); err == nil {
				t.Errorf("%s: its first %d bytes are read", name, i)
			}
		}
		if _, _, err := DecodeSigned(append(raw, 0)); err == nil {
			t.Errorf("%s: a byte behind it is read", name)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	text := func(b ...byte) evm.Item { return evm.Item{Bytes: b} }
	list := func(items ...evm.Item) evm.Item { return evm.Item{IsList: true, Items: items} }
	clause := sound(t)["payment"].fields()[atClauses].Items[0]
	part := func(at int, to evm.Item) evm.Item {
		items := append([]evm.Item(nil), clause.Items...)
		items[at] = to
		return list(list(items...))
	}
	for name, c := range map[string]struct {
		at   int
		to   evm.Item
		code chain.Code
	}{
		"no clause":                  {atClauses, list(), Clauses},
		"two clauses":                {atClauses, list(clause, clause), Clauses},
		"clauses as text":            {atClauses, text(1), Clauses},
		"a clause as text":           {atClauses, list(text(1)), chain.Malformed},
		"a clause of four":           {atClauses, list(list(append(append([]evm.Item(nil), clause.Items...), text())...)), chain.Malformed},
		"creation":                   {atClauses, part(atTo, text()), Creation},
		"address of 19 bytes":        {atClauses, part(atTo, text(make([]byte, 19)...)), chain.Malformed},
		"address as list":            {atClauses, part(atTo, list()), chain.Malformed},
		"value as list":              {atClauses, part(atValue, list()), chain.Malformed},
		"value of 33 bytes":          {atClauses, part(atValue, text(bytes.Repeat([]byte{1}, 33)...)), chain.Malformed},
		"value with zeros":           {atClauses, part(atValue, text(0, 5)), chain.Malformed},
		"data as list":               {atClauses, part(atData, list(text(1))), chain.Malformed},
		"coefficient":                {atCoefficient, text(128), GasPrice},
		"coefficient 0 written out":  {atCoefficient, text(0), GasPrice},
		"coefficient as list":        {atCoefficient, list(), chain.Malformed},
		"depends on":                 {atDependsOn, text(bytes.Repeat([]byte{7}, 32)...), DependsOn},
		"depends on a list":          {atDependsOn, list(), chain.Malformed},
		"a payer of the gas":         {atReserved, list(text(1)), Reserved},
		"reserved as text":           {atReserved, text(), Reserved},
		"chain tag of two bytes":     {atChainTag, text(1, 0x4a), chain.Malformed},
		"chain tag with a zero":      {atChainTag, text(0, 0x4a), chain.Malformed},
		"block reference of 9 bytes": {atBlockRef, text(bytes.Repeat([]byte{1}, 9)...), chain.Malformed},
		"expiration of 5 bytes":      {atExpiration, text(1, 0, 0, 0, 0), chain.Malformed},
		"expiration with zeros":      {atExpiration, text(0, 1), chain.Malformed},
		"gas as list":                {atGas, list(), chain.Malformed},
		"nonce of 9 bytes":           {atNonce, text(bytes.Repeat([]byte{1}, 9)...), chain.Malformed},
		"nonce 0 written out":        {atNonce, text(0), chain.Malformed},
	} {
		fields := sound(t)["payment"].fields()
		fields[c.at] = c.to
		if got, err := Decode(list(fields...).Encode()); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
	fields := sound(t)["payment"].fields()
	for name, b := range map[string][]byte{
		"a field less":        list(fields[:atReserved]...).Encode(),
		"a field more":        list(append(fields, text())...).Encode(),
		"no list":             text(1).Encode(),
		"nothing":             nil,
		"a dynamic fee":       append([]byte{0x51}, list(fields...).Encode()...),
		"too long":            make([]byte, MaxRaw+1),
		"a byte behind":       append(list(fields...).Encode(), 0),
		"a long form of list": append([]byte{0xf9, 0}, list(fields...).Encode()[1:]...),
	} {
		if got, err := Decode(b); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
	// A signature of 130 bytes is the sender's and that of who pays the gas.
	for _, size := range []int{0, 64, 66, 130} {
		b := list(append(fields, text(bytes.Repeat([]byte{1}, size)...))...).Encode()
		if got, _, err := DecodeSigned(b); err == nil {
			t.Errorf("a signature of %d bytes: read as %+v", size, got)
		}
	}
}

// The transaction of thor's own tests. It has two clauses and a price
// coefficient, so it is not read; its hashes are those made here.
func TestThor(t *testing.T) {
	unsigned := unhex(t, "f8540184aabbccdd20f840df947567d83b7b8d80addcb281a71d54fc7b3364ffed82271086000000606060df947567d83b7b8d80addcb281a71d54fc7b3364ffed824e208600000060606081808252088083bc614ec0")
	signature := unhex(t, "f76f3c91a834165872aa9464fc55b03a13f46ea8d3b858e528fcceaf371ad6884193c3f313ff8effbb57fe4d1adc13dceb933bedbf9dbb528d2936203d5511df00")
	hash := blake2b.Sum256(unsigned)
	if hex.EncodeToString(hash[:]) != "2a1c25ce0d66f45276a5f308b99bf410e2fc7d5b6ea37a49f2ab9f1da9446478" {
		t.Errorf("hash %x", hash)
	}
	sender, err := evm.Signature{R: [32]byte(signature), S: [32]byte(signature[32:]), Recovery: signature[64]}.Recover(hash)
	if err != nil || sender.Hex() != "0xd989829d88b0ed1b06edf5c50174ecfa64f14a64" {
		t.Errorf("sender %s, %v", sender, err)
	}
	if id := txID(hash, sender); hex.EncodeToString(id[:]) != "da90eaea52980bc4bb8d40cb2ff84d78433b3b4a6e7d50b75736c5e3e77b71ec" {
		t.Errorf("id %x", id)
	}
	if _, err := Decode(unsigned); chain.CodeOf(err) != GasPrice {
		t.Errorf("%v", err)
	}
	list, err := evm.DecodeRLP(unsigned)
	if err != nil {
		t.Fatal(err)
	}
	list.Items[atCoefficient] = evm.Item{}
	if _, err := Decode(list.Encode()); chain.CodeOf(err) != Clauses {
		t.Errorf("%v", err)
	}
}

func TestCall(t *testing.T) {
	list := sound(t)
	call, err := list["tokens"].Call()
	if err != nil || call.Kind != evm.Transfer || call.Contract != VTHO() || call.Amount != chain.NewAmount(77) {
		t.Errorf("%+v, %v", call, err)
	}
	call, err = list["note"].Call()
	if err != nil || call.Kind != evm.Pay || string(call.Text) != "order 77" || call.Amount != chain.NewAmount(5) {
		t.Errorf("%+v, %v", call, err)
	}
	if got := VTHO().String(); got != "0x0000000000000000000000000000456E65726779" {
		t.Errorf("VTHO %s", got)
	}
	for name, c := range map[string]struct {
		value uint64
		data  string
		code  chain.Code
	}{
		"approve":             {0, approveCall, Allowance},
		"approve with value":  {5, approveCall, Allowance},
		"decrease":            {0, takeBackCall, BlindCall},
		"tokens of another":   {0, fromCall, BlindCall},
		"transfer with value": {5, transferCall, evm.ValueOnCall},
		"transfer, cut":       {0, transferCall[:len(transferCall)-2], chain.Malformed},
		"unknown call":        {5, "9892d98d" + strings.Repeat("00", 32), BlindCall},
		"unknown, no value":   {0, "9892d98d", BlindCall},
		"a note and no value": {0, hex.EncodeToString([]byte("order 77")), BlindCall},
		"a note of one byte":  {0, "37", BlindCall},
		"a note with a line":  {5, hex.EncodeToString([]byte("order\n77")), BlindCall},
		"a note, reversed":    {5, hex.EncodeToString([]byte("order \u202e77")), BlindCall},
		"no text":             {5, "ff", BlindCall},
	} {
		x := list["payment"]
		x.Value, x.Data = chain.NewAmount(c.value), unhex(t, c.data)
		if got, err := x.Call(); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		of     string
		change func(x *Tx)
		code   chain.Code
	}{
		"test network":     {"payment", func(x *Tx) { x.ChainTag = 0x27 }, WrongChainTag},
		"no network":       {"payment", func(x *Tx) { x.ChainTag = 0 }, WrongChainTag},
		"zero address":     {"payment", func(x *Tx) { x.To = evm.Address{} }, ZeroAddress},
		"more than exists": {"payment", func(x *Tx) { x.Value = chain.MaxAmount() }, chain.ValueOutOfRange},
		"little gas":       {"note", func(x *Tx) { x.Gas-- }, GasRange},
		"much gas":         {"payment", func(x *Tx) { x.Gas = maxGas + 1 }, GasRange},
		"long data":        {"payment", func(x *Tx) { x.Data = make([]byte, MaxData+1) }, chain.TooLarge},
		"expiration 0":     {"payment", func(x *Tx) { x.Expiration = 0 }, WindowRange},
		"over a week":      {"payment", func(x *Tx) { x.Expiration = MaxExpiration + 1 }, WindowRange},
		"no block":         {"payment", func(x *Tx) { x.BlockRef = BlockRef{} }, WindowRange},
		"past all blocks":  {"payment", func(x *Tx) { x.BlockRef = BlockRef{0xff, 0xff, 0xff, 0xff} }, WindowRange},
		"allowance":        {"tokens", func(x *Tx) { x.Data = unhex(t, approveCall); x.Gas = 100_000 }, Allowance},
		"tokens to nobody": {"tokens", func(x *Tx) { x.Data = append(x.Data[:4:4], make([]byte, 64)...) }, ZeroAddress},
	} {
		x := sound(t)[c.of]
		c.change(&x)
		if err := x.Check(chain.Mainnet); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if err := sound(t)["payment"].Check(chain.UnknownNetwork); chain.CodeOf(err) != WrongChainTag {
		t.Errorf("no network: %v", err)
	}
	if fee, ok := sound(t)["payment"].MaxFee(chain.NewAmount(1e15)); !ok || fee.String() != "21000000000000000000" {
		t.Errorf("fee %s, %t", fee, ok)
	}
}

func TestCheckBlock(t *testing.T) {
	x := Tx{BlockRef: BlockRef{3: 100}, Expiration: 720}
	for _, c := range []struct {
		best, margin uint32
		code         chain.Code // "" for none
	}{
		{1, 0, ""}, {819, 0, ""}, {819, 1, ""}, {819, 2, Expired}, {820, 0, Expired}, {821, 0, Expired}, {1<<32 - 1, 0, Expired},
	} {
		err := x.CheckBlock(c.best, c.margin)
		if (err == nil) != (c.code == "") || err != nil && chain.CodeOf(err) != c.code {
			t.Errorf("block %d, margin %d: %v, want %q", c.best, c.margin, err, c.code)
		}
	}
	if left := x.Left(100); left != 2*time.Hour {
		t.Errorf("left %s", left)
	}
}

func TestCheckReissued(t *testing.T) {
	for name, before := range sound(t) {
		after := func(n uint64) (r BlockRef) {
			last := before.Last() + n
			return BlockRef{byte(last >> 24), byte(last >> 16), byte(last >> 8), byte(last)}
		}
		x := before
		x.BlockRef, x.Expiration, x.Nonce = after(1), 100, 77
		if err := x.CheckReissued(before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, c := range map[string]struct {
			change func(x *Tx)
			code   chain.Code
		}{
			"the same":         {func(x *Tx) { *x = before }, WindowOverlap},
			"another nonce":    {func(x *Tx) { *x = before; x.Nonce++ }, WindowOverlap},
			"the last block":   {func(x *Tx) { x.BlockRef = after(0) }, WindowOverlap},
			"no expiration":    {func(x *Tx) { x.Expiration = 0 }, WindowRange},
			"a week and a bit": {func(x *Tx) { x.Expiration = MaxExpiration + 1 }, WindowRange},
			"value":            {func(x *Tx) { x.Value = x.Value.Plus(chain.NewAmount(1)) }, chain.ContentChanged},
			"payee":            {func(x *Tx) { x.To[0] ^= 1 }, chain.ContentChanged},
			"data":             {func(x *Tx) { x.Data = append(bytes.Clone(x.Data), 'x') }, chain.ContentChanged},
			"gas":              {func(x *Tx) { x.Gas++ }, chain.ContentChanged},
			"network":          {func(x *Tx) { x.ChainTag = 0x27 }, chain.ContentChanged},
		} {
			other := x
			c.change(&other)
			if err := other.CheckReissued(before); chain.CodeOf(err) != c.code {
				t.Errorf("%s: %s: %v, want %s", name, what, err, c.code)
			}
		}
	}
}

func FuzzTx(f *testing.F) {
	for _, x := range sound(f) {
		f.Add(x.Encode())
		f.Add(x.Signed(evm.Signature{R: [32]byte{1}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := Decode(b); err == nil {
			if !bytes.Equal(x.Encode(), b) {
				t.Errorf("%x comes back as %x", b, x.Encode())
			}
			if err := x.CheckReissued(x); err == nil {
				t.Errorf("%x can be paid twice", b)
			}
			_ = x.Check(chain.Mainnet)
		}
		if x, s, err := DecodeSigned(b); err == nil && !bytes.Equal(x.Signed(s), b) {
			t.Errorf("%x comes back as %x", b, x.Signed(s))
		}
	})
}

// Whatever JSON asks for, the transaction is one that decodes to itself.
