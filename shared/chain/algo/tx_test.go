package algo

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldkms/shared/chain"
)

func mainnet() Genesis { g, _ := GenesisOf(chain.Mainnet); return g }

// sound returns transactions of each kind.
func sound() map[string]Tx {
	pay := Tx{
		Kind: Pay, Sender: Address{0xaa}, Receiver: Address{0xbb}, Amount: chain.NewAmount(5), Fee: chain.NewAmount(1000),
		First: 62_313_457, Last: 62_314_457, Genesis: mainnet(),
	}
	asset := pay
	asset.Kind, asset.Asset = AssetTransfer, 620_309_015
	list := map[string]Tx{"payment": pay, "asset": asset}
	with := func(name string, x Tx, change func(x *Tx)) {
		change(&x)
		list[name] = x
	}
	with("nothing", pay, func(x *Tx) { x.Amount = chain.Amount{} })
	with("most", pay, func(x *Tx) { x.Amount = chain.NewAmount(^uint64(0)) })
	with("note", pay, func(x *Tx) { x.Note = []byte("order 77") })
	with("long note", pay, func(x *Tx) { x.Note = bytes.Repeat([]byte{0}, MaxNote) })
	with("no name", pay, func(x *Tx) { x.Genesis.ID = "" })
	with("lease", pay, func(x *Tx) { x.Lease = [32]byte{31: 1} })
	with("one round", pay, func(x *Tx) { x.First, x.Last = 127, 127 })
	with("opt-in", asset, func(x *Tx) { x.Receiver, x.Amount = x.Sender, chain.Amount{} })
	with("asset note", asset, func(x *Tx) { x.Note, x.Lease = []byte{0xff}, [32]byte{1} })
	for i := range 9 { // sizes of numbers
		with(fmt.Sprintf("amount of %d bits", 7*i+1), pay, func(x *Tx) { x.Amount = chain.NewAmount(1 << (7 * i)) })
		with(fmt.Sprintf("asset of %d bits", 7*i+1), asset, func(x *Tx) { x.Asset = 1<<(7*i+1) - 1 })
	}
	return list
}

func TestRoundTrip(t *testing.T) {
	for name, x := range sound() {
		if err := x.Check(chain.Mainnet); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := Decode(x.Encode())
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", x) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
		s := Signature{1, 2, 3}
		got, again, err := DecodeSigned(x.Signed(s))
		if err != nil || again != s || !bytes.Equal(got.Encode(), x.Encode()) {
			t.Errorf("%s: signed: %v, %+v", name, err, got)
		}
		if got.IsOptIn() != (name == "opt-in") || got.HasLease() != (x.Lease != [32]byte{}) {
			t.Errorf("%s: opt-in %t, lease %t", name, got.IsOptIn(), got.HasLease())
		}
	}
}

// Every byte of a transaction matters: with any bit flipped it is another one,
// or none.
func TestEveryBitCounts(t *testing.T) {
	for _, name := range []string{"payment", "note", "lease", "opt-in", "asset note"} {
		x := sound()[name]
		raw := x.Signed(Signature{9})
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

// insert puts a field in its place.
func insert(t *testing.T, x Tx, f field) []byte {
	t.Helper()
	var list []field
	placed := false
	for _, have := range x.fields() {
		if !placed && f.name < have.name {
			list, placed = append(list, f), true
		}
		list = append(list, have)
	}
	if !placed {
		list = append(list, f)
	}
	return appendMap(nil, list)
}

func TestDecodeRefusesFields(t *testing.T) {
	other := bytes.Repeat([]byte{7}, 32)
	for name, c := range map[string]struct {
		of   string
		f    field
		code chain.Code
	}{
		"close":                  {"payment", binaryOf("close", other), CloseTo},
		"close an asset":         {"asset", binaryOf("aclose", other), CloseTo},
		"rekey":                  {"payment", binaryOf("rekey", other), Rekey},
		"rekey an asset's":       {"asset", binaryOf("rekey", other), Rekey},
		"clawback":               {"asset", binaryOf("asnd", other), Clawback},
		"group":                  {"payment", binaryOf("grp", other), Group},
		"asset fields of a pay":  {"payment", binaryOf("arcv", other), chain.Malformed},
		"an asset's id in a pay": {"payment", number("xaid", 1), chain.Malformed},
		"pay fields of an asset": {"asset", binaryOf("rcv", other), chain.Malformed},
		"an application":         {"payment", number("apid", 1), chain.Malformed},
		"a vote key":             {"payment", binaryOf("votekey", other), chain.Malformed},
		"an unknown field":       {"payment", number("x", 1), chain.Malformed},
		"a short lease":          {"payment", binaryOf("lx", other[:31]), chain.Malformed},
		"a long lease":           {"payment", binaryOf("lx", append(other, 1)), chain.Malformed},
		"a lease of zeros":       {"payment", binaryOf("lx", make([]byte, 32)), chain.Malformed},
		"a lease as text":        {"payment", textOf("lx", string(other)), chain.Malformed},
		"a note as text":         {"payment", textOf("note", "x"), chain.Malformed},
		"a note as number":       {"payment", number("note", 1), chain.Malformed},
	} {
		x := sound()[c.of]
		if got, err := Decode(insert(t, x, c.f)); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
	for _, kind := range []string{"acfg", "afrz", "appl", "keyreg", "stpf", "hb", "PAY", "pay "} {
		list := sound()["payment"].fields()
		list[len(list)-1] = textOf("type", kind)
		if got, err := Decode(appendMap(nil, list)); chain.CodeOf(err) != OtherType {
			t.Errorf("type %s: %v (%+v)", kind, err, got)
		}
	}
	list := sound()["payment"].fields()
	if _, err := Decode(appendMap(nil, list[:len(list)-1])); err == nil {
		t.Error("no type is read")
	}
}

// Each of these is a map to another reader of MessagePack.
func TestReadMapRefuses(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(s, err)
		}
		return b
	}
	if list, rest, err := readMap(unhex("83a16101a162c40107a163a178")); err != nil || len(list) != 3 || len(rest) != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	for name, s := range map[string]string{
		"nothing":             "",
		"map of 16 bits":      "de0001a16101",
		"array":               "91a16101",
		"out of order":        "82a16201a16101",
		"twice":               "82a16101a16101",
		"ends early":          "82a16101",
		"zero":                "81a16100",
		"negative":            "81a161ff",
		"int8":                "81a161d001",
		"float":               "81a161ca3f800000",
		"nil":                 "81a161c0",
		"true":                "81a161c3",
		"uint8 of 7 bits":     "81a161cc7f",
		"uint16 of 8 bits":    "81a161cd00ff",
		"uint32 of 16 bits":   "81a161ce0000ffff",
		"uint64 of 32 bits":   "81a161cf00000000ffffffff",
		"uint64 ends early":   "81a161cf000000",
		"bin of nothing":      "81a161c400",
		"bin16 of 255":        "81a161c500ff" + strings.Repeat("01", 255),
		"bin32":               "81a161c60000000101",
		"bin ends early":      "81a161c40201",
		"bin16 without size":  "81a161c501",
		"text of nothing":     "81a161a0",
		"str8 of 31":          "81a161d91f" + strings.Repeat("61", 31),
		"str16":               "81a161da000161",
		"a number as name":    "810101",
		"bytes as name":       "81c4016101",
		"a map inside":        "81a16181a16101",
		"extension":           "81a161d40101",
		"text ends early":     "81a161a261",
		"bin of 4 GB":         "81a161c6ffffffff",
		"text of 255, no end": "81a161d9ff61",
	} {
		if list, rest, err := readMap(unhex(s)); err == nil && len(rest) == 0 {
			t.Errorf("%s: read as %v", name, list)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	test, _ := GenesisOf(chain.Testnet)
	for name, c := range map[string]struct {
		of     string
		change func(x *Tx)
		code   chain.Code
	}{
		"no kind":         {"payment", func(x *Tx) { x.Kind = UnknownKind }, OtherType},
		"other network":   {"payment", func(x *Tx) { x.Genesis = test }, chain.WrongNetwork},
		"other hash":      {"payment", func(x *Tx) { x.Genesis.Hash = test.Hash }, chain.WrongNetwork},
		"no hash":         {"payment", func(x *Tx) { x.Genesis.Hash = [32]byte{} }, chain.WrongNetwork},
		"other name":      {"payment", func(x *Tx) { x.Genesis.ID = test.ID }, GenesisMismatch},
		"to zero":         {"payment", func(x *Tx) { x.Receiver = Address{} }, ZeroAddress},
		"from zero":       {"payment", func(x *Tx) { x.Sender = Address{} }, ZeroAddress},
		"asset to zero":   {"asset", func(x *Tx) { x.Receiver = Address{} }, ZeroAddress},
		"asset 0":         {"asset", func(x *Tx) { x.Asset = 0 }, chain.Malformed},
		"asset in a pay":  {"payment", func(x *Tx) { x.Asset = 1 }, chain.Malformed},
		"2^64":            {"payment", func(x *Tx) { x.Amount, _ = chain.NewAmount(^uint64(0)).Add(chain.NewAmount(1)) }, chain.ValueOutOfRange},
		"fee 0":           {"payment", func(x *Tx) { x.Fee = chain.Amount{} }, FeeRange},
		"fee 999":         {"payment", func(x *Tx) { x.Fee = chain.NewAmount(999) }, FeeRange},
		"fee over 1 ALGO": {"payment", func(x *Tx) { x.Fee = chain.NewAmount(1_000_001) }, FeeRange},
		"fee 2^64":        {"payment", func(x *Tx) { x.Fee, _ = chain.NewAmount(^uint64(0)).Add(chain.NewAmount(1001)) }, FeeRange},
		"long note":       {"payment", func(x *Tx) { x.Note = make([]byte, MaxNote+1) }, chain.TooLarge},
		"round 0":         {"payment", func(x *Tx) { x.First, x.Last = 0, 1000 }, WindowRange},
		"reversed":        {"payment", func(x *Tx) { x.Last = x.First - 1 }, WindowRange},
		"1001 rounds":     {"payment", func(x *Tx) { x.Last++ }, WindowRange},
	} {
		x := sound()[c.of]
		c.change(&x)
		if err := x.Check(chain.Mainnet); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if err := sound()["payment"].Check(chain.UnknownNetwork); err == nil {
		t.Error("no network")
	}
}

func TestCheckRound(t *testing.T) {
	x := Tx{First: 100, Last: 1100}
	for _, c := range []struct {
		round, margin uint64
		code          chain.Code // "" for none
	}{
		{1, 0, ""}, {1099, 0, ""}, {1099, 1, ""}, {1099, 2, Expired}, {1100, 0, Expired}, {1101, 0, Expired}, {^uint64(0), 0, Expired},
	} {
		err := x.CheckRound(c.round, c.margin)
		if (err == nil) != (c.code == "") || err != nil && chain.CodeOf(err) != c.code {
			t.Errorf("round %d, margin %d: %v, want %q", c.round, c.margin, err, c.code)
		}
	}
	if left := x.Left(100); left != 2800*time.Second {
		t.Errorf("left %s", left)
	}
	if left := (Tx{Last: 1<<63 - 1}).Left(0); left <= 0 {
		t.Errorf("left %s", left)
	}
}

func TestCheckReissued(t *testing.T) {
	for name, before := range sound() {
		x := before
		x.First, x.Last = before.Last+1, before.Last+501
		if err := x.CheckReissued(before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, c := range map[string]struct {
			change func(x *Tx)
			code   chain.Code
		}{
			"the same rounds": {func(x *Tx) { x.First, x.Last = before.First, before.Last }, WindowOverlap},
			"the last round":  {func(x *Tx) { x.First-- }, WindowOverlap},
			"before":          {func(x *Tx) { x.First, x.Last = 1, 2 }, WindowOverlap},
			"1001 rounds":     {func(x *Tx) { x.Last = x.First + 1001 }, WindowRange},
			"reversed":        {func(x *Tx) { x.Last = x.First - 1 }, WindowRange},
			"amount":          {func(x *Tx) { x.Amount = x.Amount.Minus(chain.NewAmount(1)).Plus(chain.NewAmount(3)) }, chain.ContentChanged},
			"fee":             {func(x *Tx) { x.Fee = chain.NewAmount(1001) }, chain.ContentChanged},
			"receiver":        {func(x *Tx) { x.Receiver[31] ^= 1 }, chain.ContentChanged},
			"sender":          {func(x *Tx) { x.Sender[31] ^= 1 }, chain.ContentChanged},
			"note":            {func(x *Tx) { x.Note = append(bytes.Clone(x.Note), 'x') }, chain.ContentChanged},
			"lease":           {func(x *Tx) { x.Lease[5] ^= 1 }, chain.ContentChanged},
			"genesis":         {func(x *Tx) { x.Genesis.Hash[0] ^= 1 }, chain.ContentChanged},
			"kind":            {func(x *Tx) { x.Kind = 3 - x.Kind }, chain.ContentChanged},
		} {
			other := x
			c.change(&other)
			if what == "before" && before.First <= 2 {
				continue
			}
			if err := other.CheckReissued(before); chain.CodeOf(err) != c.code {
				t.Errorf("%s: %s: %v, want %s", name, what, err, c.code)
			}
		}
	}
	asset, other := sound()["asset"], sound()["asset"]
	other.Asset++
	other.First, other.Last = asset.Last+1, asset.Last+2
	if err := other.CheckReissued(asset); chain.CodeOf(err) != chain.ContentChanged {
		t.Errorf("another asset: %v", err)
	}
}

func TestAddress(t *testing.T) {
	const text = "SEX7UL3QOP6RL3CUUZ5SF4WPOLKED7ZLUDPWY4DVGEXMOLWYFEGWTAXJRQ" // made by Tatum's library
	a, err := ParseAddress(text)
	if err != nil || a.String() != text {
		t.Fatalf("%s, %v", a, err)
	}
	for name, text := range map[string]string{
		"nothing":       "",
		"small letters": strings.ToLower(text),
		"a blank":       text + " ",
		"padding":       text + "======",
		"letter less":   text[:57],
		"checksum":      "T" + text[1:],
		"bits behind":   text[:57] + "R",
	} {
		if a, err := ParseAddress(text); err == nil {
			t.Errorf("%s: read as %s", name, a)
		}
	}
}

// object returns bytes as algosdk's JSON has them.
// buffer returns bytes as Node's Buffer writes them.
// asJSON returns the JSON of a transaction, as algosdk writes it.
func FuzzTx(f *testing.F) {
	for _, x := range sound() {
		f.Add(x.Encode())
		f.Add(x.Signed(Signature{1}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if fields, rest, err := readMap(b); err == nil && !bytes.Equal(appendMap(nil, fields), b[:len(b)-len(rest)]) {
			t.Errorf("map %x comes back as %x", b, appendMap(nil, fields))
		}
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
