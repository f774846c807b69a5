package bundle

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/attestation"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

var update = flag.Bool("update", false, "rewrite the examples of docs/FORMAT.md")

const document = "../../docs/FORMAT.md"

// example is the guide's own transaction: 2000 sat in, 1000 sat out.
func example(t *testing.T) map[string][]byte {
	t.Helper()
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: wire.MaxTxInSequenceNum}}}
	prev.TxOut = []*wire.TxOut{{Value: 2000, PkScript: unhex(t, "76a914c8e668ee829837a2355c1e234a41f53f86b8156c88ac")}}
	var raw strings.Builder
	if err := prev.SerializeNoWitness(&raw); err != nil {
		t.Fatal(err)
	}
	msg := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash()}, Sequence: wire.MaxTxInSequenceNum}}}
	msg.TxOut = []*wire.TxOut{{Value: 1000, PkScript: unhex(t, "001487c70889f0a1d2f632d216a01472dde71f062aa7")}}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return 0 }, nil)

	relay, signer := key(t, 1), key(t, 2)
	request := Request{
		Signer: signer.Public(), Created: 1_790_000_000, Attachments: AttachmentsOf(utxo.Name, [][]byte{[]byte(raw.String())}),
		Items: []Item{{ID: "61fe7c68cf2fbc595cbb89dd", Family: utxo.Name, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: tx, Context: context,
			Keys: []chain.Key{{SignatureID: "b8eb99cd-ba04-4031-a65f-11d6420ebdd1", Index: chain.NoIndex}}}},
	}
	body, err := marshal(request.wire())
	if err != nil {
		t.Fatal(err)
	}
	req, err := SealRequest(request, relay)
	if err != nil {
		t.Fatal(err)
	}
	relayPub, signerPub := relay.Public(), signer.Public()
	approver := key(t, 3)
	content := vouchedFor(t, request)
	vouched := content.Sign(approver, 1_790_003_600)
	request.Items[0].Statements = []attestation.Statement{vouched}
	carried, err := marshal(request.wire())
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"approver public key": vouched.Approver[:], "signed text": content.Message(vouched.Expires),
		"statement": vouched.Bytes(), "request body with the statement": carried,
		"relay public key": relayPub[:], "signer public key": signerPub[:], "public identity file": relay.File(),
		"tx": tx, "context": context, "request body": body, "request digest": req.Digest[:],
	}
}

// vouchedFor is what an approver of the only item signs.
func vouchedFor(t *testing.T, r Request) attestation.Content {
	t.Helper()
	table, err := utxo.NewTable(r.Attached(utxo.Name))
	if err != nil {
		t.Fatal(err)
	}
	it := r.Items[0]
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, table)
	if err != nil {
		t.Fatal(err)
	}
	return attestation.Of(it.ID, tx.Explain(utxo.NoKeys{}))
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shown returns bytes as a block of the document has them.
func shown(language string, b []byte) string {
	if language == "text" {
		return strings.TrimSuffix(string(b), "\n")
	}
	s := hex.EncodeToString(b)
	var lines []string
	for len(s) > 64 {
		lines, s = append(lines, s[:64]), s[64:]
	}
	return strings.Join(append(lines, s), "\n")
}

// The worked example of docs/FORMAT.md is what the code makes.
func TestFormatDocument(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want := example(t)
	block := regexp.MustCompile("(?s)\n([a-z ]+):\n\n```(hex|text)\n(.*?)\n```")
	found, language := make(map[string]string), make(map[string]string)
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		language[m[1]], found[m[1]] = m[2], m[3]
	}
	if *update {
		out := block.ReplaceAllStringFunc(string(text), func(s string) string {
			m := block.FindStringSubmatch(s)
			if want[m[1]] == nil {
				return s
			}
			return fmt.Sprintf("\n%s:\n\n```%s\n%s\n```", m[1], m[2], shown(m[2], want[m[1]]))
		})
		if err := os.WriteFile(document, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, b := range want {
		if made := shown(language[name], b); found[name] != made {
			t.Errorf("%s: the document says\n%s\nthe code makes\n%s", name, found[name], made)
		}
	}
}
