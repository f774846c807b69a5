package algo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"coldkms/shared/chain"
)

func object(b []byte) map[string]any {
	out := map[string]any{}
	for i, c := range b {
		out[fmt.Sprint(i)] = c
	}
	return out
}

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
