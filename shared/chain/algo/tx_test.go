package algo

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
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
func object(b []byte) map[string]any {
	out := map[string]any{}
	for i, c := range b {
		out[fmt.Sprint(i)] = c
	}
	return out
}

// buffer returns bytes as Node's Buffer writes them.
func buffer(b []byte) map[string]any {
	list := make([]int, len(b))
	for i, c := range b {
		list[i] = int(c)
	}
	return map[string]any{"type": "Buffer", "data": list}
}

func account(a Address) map[string]any {
	sum := a.Checksum()
	return map[string]any{"publicKey": object(a[:]), "checksum": object(sum[:])}
}

// asJSON returns the JSON of a transaction, as algosdk writes it.
func asJSON(x Tx) map[string]any {
	out := map[string]any{
		"name": "Transaction", "tag": buffer([]byte("TX")), "from": account(x.Sender), "to": account(x.Receiver),
		"amount": small(x.Amount), "note": object(x.Note), "type": x.Kind.String(), "flatFee": false,
		"genesisHash": buffer(x.Genesis.Hash[:]), "fee": small(x.Fee), "firstRound": x.First, "lastRound": x.Last,
		"appArgs": []int{}, "lease": map[string]any{},
	}
	if x.Genesis.ID != "" {
		out["genesisID"] = x.Genesis.ID
	}
	if x.Kind == AssetTransfer {
		out["assetIndex"] = x.Asset
	}
	if x.HasLease() {
		out["lease"] = object(x.Lease[:])
	}
	return out
}

func request(t testing.TB, fields map[string]any) (Request, error) {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return ReadRequest(chain.Coin{Chain: Name, Network: chain.Mainnet}, string(text))
}

func TestRequest(t *testing.T) {
	for name, x := range sound() {
		if x.Amount.Cmp(chain.NewAmount(maxExact)) > 0 || x.Asset > maxExact {
			continue
		}
		r, err := request(t, asJSON(x))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := r.Resolve(x.Sender, Quote{Round: x.First - 1, Margin: 1})
		if err != nil || !bytes.Equal(got.Encode(), x.Encode()) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
		if _, err := r.Resolve(Address{1}, Quote{}); chain.CodeOf(err) != OtherAccount {
			t.Errorf("%s: other account: %v", name, err)
		}
		if _, err := r.Resolve(x.Sender, Quote{Round: x.Last}); chain.CodeOf(err) != Expired {
			t.Errorf("%s: expired: %v", name, err)
		}
		little := x.MaxSpent().Minus(chain.NewAmount(1))
		if _, err := r.Resolve(x.Sender, Quote{Balance: &little}); chain.CodeOf(err) != AboveBalance {
			t.Errorf("%s: balance: %v", name, err)
		}
	}
}

func TestRequestRefuses(t *testing.T) {
	third := account(Address{0xcc})
	for name, c := range map[string]struct {
		field string
		value any
		code  chain.Code
	}{
		"close":               {"closeRemainderTo", third, CloseTo},
		"close as text":       {"closeRemainderTo", Address{0xcc}.String(), CloseTo},
		"rekey":               {"reKeyTo", third, Rekey},
		"clawback":            {"assetRevocationTarget", third, Clawback},
		"group":               {"group", object(make([]byte, 32)), Group},
		"key registration":    {"type", "keyreg", OtherType},
		"no type":             {"type", nil, OtherType},
		"program":             {"tag", buffer([]byte("Program")), OtherDomain},
		"bytes":               {"tag", buffer([]byte("MX")), OtherDomain},
		"no tag":              {"tag", nil, OtherDomain},
		"application":         {"appIndex", 77, chain.Malformed},
		"arguments":           {"appArgs", []any{object([]byte{1})}, chain.Malformed},
		"manager":             {"assetManager", third, chain.Malformed},
		"freeze":              {"freezeState", true, chain.Malformed},
		"asset id of a pay":   {"assetIndex", 5, chain.Malformed},
		"non-participation":   {"nonParticipation", true, chain.Malformed},
		"unknown":             {"remark", "x", chain.Malformed},
		"amount as text":      {"amount", "5", chain.Malformed},
		"amount 1.5":          {"amount", 1.5, chain.Malformed},
		"amount -1":           {"amount", -1, chain.Malformed},
		"amount 2^53":         {"amount", uint64(1 << 53), chain.Malformed},
		"no amount":           {"amount", nil, chain.Malformed},
		"fee as text":         {"fee", "1000", chain.Malformed},
		"no payee":            {"to", nil, chain.Malformed},
		"payee as text":       {"to", Address{1}.String(), chain.Malformed},
		"key of 31 bytes":     {"to", map[string]any{"publicKey": object(make([]byte, 31)), "checksum": object(make([]byte, 4))}, chain.Malformed},
		"checksum":            {"to", map[string]any{"publicKey": object(bytes.Repeat([]byte{1}, 32)), "checksum": object(make([]byte, 4))}, chain.Malformed},
		"more in an address":  {"to", map[string]any{"publicKey": third["publicKey"], "checksum": third["checksum"], "x": 1}, chain.Malformed},
		"byte 256":            {"note", map[string]any{"0": 256}, chain.Malformed},
		"byte as text":        {"note", map[string]any{"0": "1"}, chain.Malformed},
		"a gap in the bytes":  {"note", map[string]any{"0": 1, "2": 1}, chain.Malformed},
		"another byte's name": {"note", map[string]any{"00": 1}, chain.Malformed},
		"note as text":        {"note", "x", chain.Malformed},
		"long note":           {"note", object(make([]byte, MaxNote+1)), chain.Malformed},
		"short lease":         {"lease", object(make([]byte, 31)), chain.Malformed},
		"lease of zeros":      {"lease", object(make([]byte, 32)), chain.Malformed},
		"no genesis hash":     {"genesisHash", nil, chain.Malformed},
		"empty genesis id":    {"genesisID", "", chain.Malformed},
		"other name":          {"name", "Other", chain.Malformed},
		"flatFee as text":     {"flatFee", "true", chain.Malformed},
		"rounds as text":      {"lastRound", "5", chain.Malformed},
	} {
		fields := asJSON(sound()["payment"])
		if fields[c.field] = c.value; c.value == nil {
			delete(fields, c.field)
		}
		if got, err := request(t, fields); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, got)
		}
	}
	if _, err := ReadRequest(chain.Coin{Chain: "SOL", Network: chain.Mainnet}, "{}"); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("another chain: %v", err)
	}
	for name, text := range map[string]string{"not JSON": "82a3", "an array": "[]", "twice": `{"type":"pay","type":"pay"}`} {
		if _, err := ReadRequest(chain.Coin{Chain: Name, Network: chain.Mainnet}, text); chain.CodeOf(err) != chain.Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

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
func FuzzRequest(f *testing.F) {
	for _, name := range []string{"payment", "asset", "lease", "note"} {
		text, err := json.Marshal(asJSON(sound()[name]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadRequest(chain.Coin{Chain: Name, Network: chain.Mainnet}, text)
		if err != nil {
			return
		}
		x, err := r.Resolve(r.Tx.Sender, Quote{})
		if err != nil {
			return
		}
		if got, err := Decode(x.Encode()); err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", x) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", text, err, got, x)
		}
	})
}
