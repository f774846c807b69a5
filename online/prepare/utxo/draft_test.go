package utxo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online/prepare"
	"coldkms/online/prepare/utxo"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

type vector struct {
	Name    string            `json:"name"`
	Testnet bool              `json:"testnet"`
	Pending json.RawMessage   `json:"pending"`
	PrevTxs map[string]string `json:"prevTxs"`
}

func load(t testing.TB, name string) (vector, pending.Tx) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	tx, err := pending.Parse(v.Pending)
	if err != nil {
		t.Fatal(err)
	}
	return v, tx
}

// What a Request cannot carry is refused here; everything else arrives at
// the signer as Tatum gave it.
func TestVectors(t *testing.T) {
	for name, want := range map[string]chain.Code{
		"btc-testnet-02-1in-2out-change":       "",
		"btc-testnet-18-value-over-2^53":       "",
		"btc-testnet-25-p2wpkh-input":          "",
		"btc-testnet-30-p2tr-input":            "",
		"btc-testnet-36-hash-mismatch":         chain.HashMismatch,
		"btc-testnet-38-text-scripts":          chain.Malformed,
		"btc-testnet-39-wrong-amount-claimed":  chain.AmountMismatch,
		"btc-testnet-41-pre-signed-input":      chain.ForeignScript,
		"btc-testnet-42-duplicate-input":       "",
		"btc-testnet-43-no-outputs":            "",
		"btc-testnet-50-offchain-2addr-change": "",
	} {
		t.Run(name, func(t *testing.T) {
			v, tx := load(t, name)
			p, err := relaytest.Prepare(tx, chain.NetworkOf(v.Testnet), v.PrevTxs)
			if got := codeOf(err); got != want {
				t.Fatalf("got %q (%v), want %q", got, err, want)
			}
			if err == nil {
				carries(t, tx, p)
				restores(t, p, v)
			}
		})
	}
}

func codeOf(err error) chain.Code {
	if err == nil {
		return ""
	}
	return chain.CodeOf(err)
}

// carries checks that the item, once through a Request, is the transaction
// whose hash the JSON claims.
func carries(t *testing.T, tx pending.Tx, p prepare.Prepared) {
	t.Helper()
	items, attached := prepare.Bundle([]prepare.Prepared{p})
	relay, _ := identity.FromSeed(make([]byte, identity.SeedSize))
	sealed, err := bundle.SealRequest(bundle.Request{Signer: relay.Public(), Items: items, Attachments: attached}, relay)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := bundle.OpenRequest(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	prev, err := chainutxo.NewTable(opened.Attached(chainutxo.Name))
	if err != nil {
		t.Fatal(err)
	}
	it := opened.Items[0]
	decoded, err := chainutxo.Decode(it.Coin, it.Tx, it.Context, prev)
	switch codeOf(err) {
	case chain.DuplicateInput, chain.NoOutputs, chain.ValueOutOfRange:
		return // the signer's to refuse
	case "":
	default:
		t.Fatal(err)
	}
	var claimed struct{ Hash string }
	if err := json.Unmarshal([]byte(tx.SerializedTransaction), &claimed); err != nil {
		t.Fatal(err)
	}
	if decoded.UnsignedID() != claimed.Hash {
		t.Errorf("arrived as %s, was %s", decoded.UnsignedID(), claimed.Hash)
	}
	for i, s := range decoded.Spent() {
		if !s.Proven {
			t.Errorf("input %d is not proven", i)
		}
	}
}

// restores checks that the form in the journal is the transaction that was proven.
func restores(t *testing.T, p prepare.Prepared, v vector) {
	t.Helper()
	form, err := prepare.Form(p)
	if err != nil {
		t.Fatal(err)
	}
	family, d, err := relaytest.Families().Restore(p.ID(), form)
	if err != nil {
		t.Fatal(err)
	}
	again, err := relaytest.Prove(family, d, v.PrevTxs)
	if err != nil {
		t.Fatal(err)
	}
	want, parts := prepare.Bundle([]prepare.Prepared{p})
	got, same := prepare.Bundle([]prepare.Prepared{again})
	if !reflect.DeepEqual(want, got) || !reflect.DeepEqual(parts, same) {
		t.Errorf("restored as %+v, was %+v", got, want)
	}
}

const good = `{"version":2,"inputs":[{"prevTxId":"1e59c126475a8ca745ad70a7cff0e3e1664b5569f9bfc1bde19ae540338660c1","outputIndex":2,"sequenceNumber":4294967295,"script":"","scriptString":"","output":{"satoshis":223412,"script":"76a914a8bd85b82b29d588d015d3bbd9fdc43d028ca6cd88ac"}}],"outputs":[{"satoshis":74470,"script":"76a91488aae470854468def628ac131c50371aaf94ade988ac"}],"nLockTime":0}`

func TestJSON(t *testing.T) {
	v, tx := load(t, "btc-testnet-02-1in-2out-change")
	for name, c := range map[string]struct {
		old, new string
		want     chain.Code
	}{
		"as it is":             {"", "", ""},
		"amount as text":       {`"satoshis":74470`, `"satoshis":"74470"`, ""},
		"unknown field":        {`"version":2`, `"version":2,"colour":{"x":[1]}`, ""},
		"change fields":        {`"version":2`, `"version":2,"changeScript":"OP_DUP","changeIndex":1,"fee":7`, ""},
		"hash null":            {`"version":2`, `"version":2,"hash":null`, ""},
		"no witness":           {`"scriptString":""`, `"witnesses":[]`, ""},
		"fraction":             {`"satoshis":74470`, `"satoshis":74470.0`, chain.Malformed},
		"exponent":             {`"satoshis":74470`, `"satoshis":7e4`, chain.Malformed},
		"negative":             {`"satoshis":74470`, `"satoshis":-1`, chain.Malformed},
		"plus":                 {`"satoshis":74470`, `"satoshis":"+74470"`, chain.Malformed},
		"leading zero":         {`"satoshis":74470`, `"satoshis":"074470"`, chain.Malformed},
		"space":                {`"satoshis":74470`, `"satoshis":" 74470"`, chain.Malformed},
		"hex amount":           {`"satoshis":74470`, `"satoshis":"0x10"`, chain.Malformed},
		"2^63":                 {`"satoshis":74470`, `"satoshis":9223372036854775808`, chain.Malformed},
		"2^63-1":               {`"satoshis":74470`, `"satoshis":9223372036854775807`, ""},
		"amount null":          {`"satoshis":74470`, `"satoshis":null`, chain.Malformed},
		"amount missing":       {`"satoshis":74470,`, ``, chain.Malformed},
		"amount twice":         {`"satoshis":74470`, `"satoshis":1,"satoshis":74470`, chain.Malformed},
		"name in other case":   {`"satoshis":74470`, `"Satoshis":74470`, chain.Malformed},
		"other case beside":    {`"satoshis":74470`, `"satoshis":74470,"Satoshis":1`, ""},
		"hash wrong":           {`"version":2`, `"version":2,"hash":"00"`, chain.HashMismatch},
		"hash a number":        {`"version":2`, `"version":2,"hash":7`, chain.Malformed},
		"version above int32":  {`"version":2`, `"version":2147483648`, chain.Malformed},
		"lock time above":      {`"nLockTime":0`, `"nLockTime":4294967296`, chain.Malformed},
		"sequence missing":     {`"sequenceNumber":4294967295,`, ``, chain.Malformed},
		"claimed amount":       {`"satoshis":223412`, `"satoshis":223413`, chain.AmountMismatch},
		"claimed script":       {`"script":"76a914a8bd`, `"script":"76a914a9bd`, chain.AmountMismatch},
		"claimed script empty": {`"script":"76a914a8bd85b82b29d588d015d3bbd9fdc43d028ca6cd88ac"`, `"script":""`, chain.AmountMismatch},
		"no such output":       {`"outputIndex":2`, `"outputIndex":3`, chain.UnprovenAmount},
		"no such previous":     {`1e59c126`, `1e59c127`, chain.UnprovenAmount},
		"txid too short":       {`1e59c126`, `c126`, chain.Malformed},
		"script there":         {`"script":"","scriptString":""`, `"script":"51"`, chain.ForeignScript},
		"script string there":  {`"scriptString":""`, `"scriptString":"OP_1"`, chain.ForeignScript},
		"witness there":        {`"scriptString":""`, `"witnesses":["30"]`, chain.ForeignScript},
		"text script":          {`76a91488aae470854468def628ac131c50371aaf94ade988ac`, `OP_DUP OP_HASH160`, chain.Malformed},
		"odd hex":              {`76a91488aae470854468def628ac131c50371aaf94ade988ac`, `76a`, chain.Malformed},
		"inputs no list":       {`"inputs":[`, `"inputs":7,"x":[`, chain.Malformed},
		"inputs null":          {`"inputs":[`, `"inputs":null,"x":[`, chain.Malformed},
		"no inputs":            {`"inputs":[`, `"inputs":[],"x":[`, ""},
		"input no object":      {`"inputs":[{`, `"inputs":[7,{`, chain.Malformed},
		"output of input null": {`"output":{"satoshis":223412,`, `"output":null,"x":{`, chain.Malformed},
		"something after":      {`"nLockTime":0}`, `"nLockTime":0}{}`, chain.Malformed},
		"cut short":            {`"nLockTime":0}`, ``, chain.Malformed},
		"an array":             {good, `[]`, chain.Malformed},
		"nothing":              {good, ``, chain.Malformed},
		"beyond what fits":     {`76a91488aae470854468def628ac131c50371aaf94ade988ac`, strings.Repeat("00", chainutxo.MaxTxSize), chain.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			tx.SerializedTransaction = strings.Replace(good, c.old, c.new, 1)
			_, err := relaytest.Prepare(tx, chain.Testnet, v.PrevTxs)
			if got := codeOf(err); got != c.want {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestOtherRefusals(t *testing.T) {
	v, tx := load(t, "btc-testnet-02-1in-2out-change")
	for name, c := range map[string]struct {
		change func(*pending.Tx)
		want   chain.Code
	}{
		"chain not built": {func(tx *pending.Tx) { tx.Chain = "ETH" }, chain.UnsupportedChain},
		"no chain":        {func(tx *pending.Tx) { tx.Chain = "" }, chain.UnsupportedChain},
		"no keys":         {func(tx *pending.Tx) { tx.Hashes = nil }, chain.UnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			changed := tx
			c.change(&changed)
			if _, err := relaytest.Prepare(changed, chain.Testnet, v.PrevTxs); codeOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// What is not the previous transaction proves nothing.
func TestAlteredPrevious(t *testing.T) {
	v, tx := load(t, "btc-testnet-02-1in-2out-change")
	for id, raw := range v.PrevTxs {
		at := len(raw) - 20
		v.PrevTxs[id] = raw[:at] + strings.Repeat("5", 2) + raw[at+2:]
	}
	if _, err := relaytest.Prepare(tx, chain.Testnet, v.PrevTxs); codeOf(err) != chain.UnprovenAmount {
		t.Errorf("altered previous transaction: %v", err)
	}
}

// Items that spend from one transaction share it in the Request.
func TestPreviousOnce(t *testing.T) {
	v, tx := load(t, "btc-testnet-02-1in-2out-change")
	var list []prepare.Prepared
	for i := range 3 {
		tx.ID = fmt.Sprintf("item%d", i)
		p, err := relaytest.Prepare(tx, chain.Testnet, v.PrevTxs)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	items, attached := prepare.Bundle(list)
	if len(items) != 3 || len(attached) != 1 || len(attached[0].Parts) != 1 {
		t.Errorf("%d items, attached %v", len(items), attached)
	}
}

// Whatever the JSON is, it is refused or it survives the crossing.
func FuzzBitcore(f *testing.F) {
	f.Add(good)
	for _, name := range []string{"btc-testnet-50-offchain-2addr-change", "btc-testnet-41-pre-signed-input", "btc-testnet-38-text-scripts"} {
		_, tx := load(f, name)
		f.Add(tx.SerializedTransaction)
	}
	_, tx := load(f, "btc-testnet-02-1in-2out-change")
	f.Fuzz(func(t *testing.T, text string) {
		tx.SerializedTransaction = text
		d, err := utxo.New().Parse(tx, chain.Testnet)
		if err != nil {
			if codeOf(err) == chain.InternalFailure {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		again, err := utxo.New().Parse(tx, chain.Testnet)
		if err != nil || len(again.Needs()) != len(d.Needs()) {
			t.Fatal("read differently the second time")
		}
	})
}

// Sources give transactions with witness; the id is that of the bytes without.
func TestCheckStripsWitness(t *testing.T) {
	msg := wire.NewMsgTx(2)
	for range 2 {
		msg.AddTxIn(&wire.TxIn{SignatureScript: []byte{0x51}, Witness: wire.TxWitness{{1, 2, 3}, {}}})
	}
	msg.AddTxOut(wire.NewTxOut(7, []byte{0x51, 0x52}))
	var full, plain bytes.Buffer
	if err := errors.Join(msg.Serialize(&full), msg.SerializeNoWitness(&plain)); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"with": full.Bytes(), "without": plain.Bytes()} {
		p, err := utxo.New().Check(msg.TxHash().String(), raw)
		if err != nil || !bytes.Equal(p, plain.Bytes()) {
			t.Errorf("%s witness: %x, %v", name, p, err)
		}
	}
	if _, err := utxo.New().Check(chainhash.Hash{1}.String(), plain.Bytes()); err == nil {
		t.Error("another transaction is taken")
	}
	for cut := range full.Len() {
		if _, err := utxo.New().Check(msg.TxHash().String(), full.Bytes()[:cut]); err == nil {
			t.Errorf("cut to %d bytes is taken", cut)
		}
	}
	if _, err := utxo.New().Check(msg.TxHash().String(), append(full.Bytes(), 0)); err == nil {
		t.Error("a byte more is taken")
	}
}
