//go:build unix

package loop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
)

func script(t *testing.T, b *txscript.ScriptBuilder) []byte {
	t.Helper()
	s, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scriptsOf returns every script that a key can be paid to.
func scriptsOf(t *testing.T, public []byte) map[string][]byte {
	t.Helper()
	hash := btcaddr.Hash160(public)
	kinds := map[string][]byte{
		"P2PKH": script(t, txscript.NewScriptBuilder().AddOp(txscript.OP_DUP).AddOp(txscript.OP_HASH160).AddData(hash).AddOp(txscript.OP_EQUALVERIFY).AddOp(txscript.OP_CHECKSIG)),
		"P2PK":  script(t, txscript.NewScriptBuilder().AddData(public).AddOp(txscript.OP_CHECKSIG)),
	}
	if len(public) != 33 {
		return kinds
	}
	program := script(t, txscript.NewScriptBuilder().AddOp(txscript.OP_0).AddData(hash))
	kinds["P2WPKH"] = program
	kinds["P2SH-P2WPKH"] = script(t, txscript.NewScriptBuilder().AddOp(txscript.OP_HASH160).AddData(btcaddr.Hash160(program)).AddOp(txscript.OP_EQUAL))
	key, err := btcec.ParsePubKey(public)
	if err != nil {
		t.Fatal(err)
	}
	taproot, err := txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(key))
	if err != nil {
		t.Fatal(err)
	}
	kinds["P2TR"] = taproot
	return kinds
}

type coin struct {
	TxHash      string `json:"txHash"`
	Index       int    `json:"index"`
	SignatureID string `json:"signatureId"`
}

type payee struct {
	Address string      `json:"address"`
	Value   json.Number `json:"value"`
}

// fund pays 0.001 BTC to each script, mines, and returns the outputs.
func (w *world) fund(signatureID string, scripts ...[]byte) []coin {
	w.t.Helper()
	type output struct {
		Script string      `json:"script"`
		Amount json.Number `json:"amount"`
	}
	body := struct {
		Outputs []output `json:"outputs"`
		Mine    bool     `json:"mine"`
	}{Mine: true}
	for _, s := range scripts {
		body.Outputs = append(body.Outputs, output{hex.EncodeToString(s), "0.001"})
	}
	var reply struct{ TxID string }
	w.api("POST", "/sandbox/faucet", body, &reply)
	utxos := make([]coin, len(scripts))
	for i := range scripts {
		utxos[i] = coin{TxHash: reply.TxID, Index: i, SignatureID: signatureID}
	}
	return utxos
}

// pay asks Tatum for a transaction that spends these outputs to one address
// of each form that a wallet may pay to.
func (w *world) pay(from []coin) string {
	w.t.Helper()
	to := []string{
		"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
		"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
		"mrBszzyYeem8i9Sm7EJQ8K6EonCShLgUog",
		"2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
	}
	body := struct {
		FromUTXO []coin  `json:"fromUTXO"`
		To       []payee `json:"to"`
	}{FromUTXO: from}
	left := int64(len(from))*100_000 - 3_000
	for i, a := range to {
		value := left / int64(len(to)-i)
		left -= value
		body.To = append(body.To, payee{a, json.Number(fmt.Sprintf("0.%08d", value))})
	}
	var reply struct{ SignatureID string }
	w.api("POST", "/v3/bitcoin/transaction", body, &reply)
	return reply.SignatureID
}

// Every input type, alone and in mixes, with compressed and uncompressed
// keys, with derived keys and as a withdrawal: accepted by a real node,
// mined, and completed at Tatum.
func TestNodeAcceptsEveryInputType(t *testing.T) {
	w := newWorld(t)
	compressed := w.storeKey("cNnCNhgfdPymqPHPMs1WkXrKYSeqDB4QAVGaM5ra1sphbtNGBvaD")
	uncompressed := w.storeKey(uncompressedWIF(t))
	var mnemonic struct{ SignatureID, XPub string }
	w.run(w.offline("generatemanagedwallet", "BTC"), 0, &mnemonic)
	watch := w.pair()

	expected := 0
	pay := func(from []coin) { w.pay(from); expected++ }
	kinds := scriptsOf(t, entryOf(t, watch, compressed).PubKey)
	old := scriptsOf(t, entryOf(t, watch, uncompressed).PubKey)
	for _, s := range kinds {
		pay(w.fund(compressed, s))
	}
	for _, s := range old {
		pay(w.fund(uncompressed, s))
	}
	all := w.fund(compressed, kinds["P2PKH"], kinds["P2WPKH"], kinds["P2SH-P2WPKH"], kinds["P2PK"], kinds["P2TR"])
	both := append(all, w.fund(uncompressed, old["P2PKH"], old["P2PK"])...)
	pay(both)
	pay(append(w.fund(compressed, kinds["P2TR"], kinds["P2TR"], kinds["P2PKH"]), w.fund(uncompressed, old["P2PK"])...))
	w.mnemonicAndWithdrawal(mnemonic.SignatureID, mnemonic.XPub)
	expected += 2

	w.settled(w.cross(expected))
	var status []struct{ State string }
	w.run(w.online("status"), 0, &status)
	for _, s := range status {
		if s.State != "completed" {
			t.Errorf("an item is %s", s.State)
		}
	}
	if len(status) != expected {
		t.Errorf("%d items, want %d", len(status), expected)
	}
}

// mnemonicAndWithdrawal asks for a payment by mnemonic and index, and for a
// withdrawal that spends two derived keys.
func (w *world) mnemonicAndWithdrawal(id, xpub string) {
	w.t.Helper()
	address := func(index int) string {
		var reply struct{ Address string }
		w.run(w.offline("getaddress", id, fmt.Sprint(index)), 0, &reply)
		return reply.Address
	}
	for _, i := range []int{3, 4, 7} {
		w.api("POST", "/sandbox/faucet", map[string]any{"address": address(i), "amount": 0.001, "mine": true}, nil)
	}
	w.api("POST", "/v3/bitcoin/transaction", map[string]any{
		"fromAddress": []map[string]any{{"address": address(7), "signatureId": id, "index": 7}},
		"to":          []payee{{"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "0.00099"}},
	}, nil)
	w.api("POST", "/v3/offchain/bitcoin/transfer", map[string]any{
		"senderAccountId": "5fbaca3001421166273b3779", "address": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "amount": "0.0015", "fee": "0.00005",
		"signatureId": id, "xpub": xpub, "indices": []int{3, 4},
	}, nil)
}

func entryOf(t *testing.T, watch bundle.SealedWatch, id string) bundle.WatchEntry {
	t.Helper()
	for _, e := range watch.Entries {
		if e.SignatureID == id {
			return e
		}
	}
	t.Fatalf("%s is not in the watch file", id)
	return bundle.WatchEntry{}
}

// uncompressedWIF is a throw-away key whose public key is written in 65 bytes.
func uncompressedWIF(t *testing.T) string {
	t.Helper()
	p, err := chainutxo.ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Testnet})
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i + 1)
	}
	return base58.CheckEncode(secret, p.WIF)
}
