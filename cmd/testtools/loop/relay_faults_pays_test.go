//go:build unix

package loop

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

func paysFaults() []fault {
	return []fault{
		{"46-what-leaves-is-without-change", whatLeaves},
	}
}

// paysTeller is paired with a signer that has a key of BTC, one of BCH and a
// mnemonic of BTC; index0 is that one's script at index 0.
func paysTeller(t *testing.T) (h *teller, index0 []byte) {
	h = newTeller(t)
	seed, err := hdkeychain.NewMaster(bytes.Repeat([]byte{3}, 32), &chaincfg.TestNet3Params)
	if err != nil {
		t.Fatal(err)
	}
	public, err := seed.Neuter()
	if err != nil {
		t.Fatal(err)
	}
	child, err := public.Derive(0)
	if err != nil {
		t.Fatal(err)
	}
	key, err := child.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	coin := h.signer.Coin.PubKey().SerializeCompressed()
	watch, err := bundle.SealWatch(bundle.Watch{Created: 2, Entries: []bundle.WatchEntry{
		{SignatureID: relaytest.SignatureID, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, PubKey: coin},
		{SignatureID: "bch", Coin: chain.Coin{Chain: chain.BCH, Network: chain.Testnet}, PubKey: coin},
		{SignatureID: "mnemonic", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, XPub: public.String()},
	}}, h.signer.Identity)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(h.dir, "newer.kmswatch")
	if err := os.WriteFile(path, watch.File, 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(0, "pair", path)
	return h, append([]byte{0x00, 0x14}, btcaddr.Hash160(key.SerializeCompressed())...)
}

// leaves wants status to say what leaves with a payment.
func (h *teller) leaves(n int, want string) {
	h.Helper()
	var list []struct{ Leaves, Change string }
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(n)), &list); err != nil {
		h.Fatal(err)
	}
	if got := list[0].Leaves + " " + list[0].Change; got != want {
		h.Errorf("%d: %s, want %s", n, got, want)
	}
}

// What comes back to the payer's own keys is not paid; what Tatum only says to
// come back is.
func whatLeaves(t *testing.T) {
	h, index0 := paysTeller(t)
	prev := h.signer.Funding(1)
	own := append(append([]byte{0x76, 0xa9, 0x14}, btcaddr.Hash160(h.signer.Coin.PubKey().SerializeCompressed())...), 0x88, 0xac)
	h.server.Add(h.signer.PaymentWithChange(1, prev, nil))

	tx := wire.NewMsgTx(2) // of BCH: its JSON has no script of any input
	id := prev.TxHash()
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, 1), nil, nil))
	tx.AddTxOut(wire.NewTxOut(30_000, append(bytes.Clone(own[:3]), append(relaytest.Payee(2)[2:], 0x88, 0xac)...)))
	tx.AddTxOut(wire.NewTxOut(60_000, own))
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	h.server.Add(h.signer.Payment(2, prev, func(p map[string]any) {
		p["chain"], p["hashes"], p["serializedTransaction"] = "BCH", []string{"bch"}, fmt.Sprintf("%x:[100000]", raw.Bytes())
	}))

	h.server.Add(h.signer.PaymentWithChange(3, prev, func(p map[string]any) { // a withdrawal of a mnemonic
		p["withdrawalId"], p["hashes"] = "w-3", []string{"mnemonic"}
		p["withdrawalResponses"] = []any{map[string]any{"vIn": id.String(), "vInIndex": 1, "amount": 0.001, "address": map[string]any{"derivationKey": 5}}, map[string]any{"vIn": "-1", "vInIndex": 0, "amount": 0.0005}}
		p["serializedTransaction"] = changeTo(t, p["serializedTransaction"].(string), index0)
	}))

	h.server.Add(h.signer.Payment(4, prev, func(p map[string]any) { // says that the input has the payee's script
		var body map[string]any
		if err := json.Unmarshal([]byte(p["serializedTransaction"].(string)), &body); err != nil {
			t.Fatal(err)
		}
		body["inputs"].([]any)[0].(map[string]any)["output"].(map[string]any)["script"] = hex.EncodeToString(relaytest.Payee(4))
		text, _ := json.Marshal(body)
		p["serializedTransaction"] = string(text)
	}))
	_ = h.says(3, "fetch")
	h.leaves(1, "0.00049000 by-keys")
	h.leaves(2, "0.00030000 by-keys")
	h.leaves(3, "0.00049000 by-keys")
	h.leaves(4, "0.00099000 by-keys")
	if words := h.says(0, "status"); strings.Contains(words, "only to itself") || !strings.Contains(words, "0.00030000 to ") || strings.Contains(words, "0.00060000") {
		t.Error(words)
	}
}

// changeTo sends output 1 of a transaction to a script, and takes away its
// claimed hash, which is another one then.
func changeTo(t *testing.T, text string, script []byte) string {
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatal(err)
	}
	body["outputs"].([]any)[1].(map[string]any)["script"] = hex.EncodeToString(script)
	delete(body, "hash")
	whole, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}
