package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/sandboxtest"
	"coldkms/shared/pending"
)

// The guide's loop, on a real node: fund an address, ask for a transaction,
// see it pending, sign, broadcast, mine, see it completed.
func testLoop(t *testing.T, s *sandboxtest.Sandbox) {
	key := testKey(t, 1)
	address := p2pkh(t, key)
	s.Fund(t, address, "0.0001")

	id := create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":%q}],
		"to":[{"address":%q,"value":0.00001},{"address":%q,"value":0.00007}]}`, address, sigID(t), p2wpkh(t, testKey(t, 2)), address))

	var list []json.RawMessage
	s.Want(t, "POST", "/v3/kms/pending/BTC", map[string]any{"signatureIds": []string{sigID(t), "other"}}, &list)
	if len(list) != 1 {
		t.Fatalf("%d pending, want 1", len(list))
	}
	p, err := pending.Parse(list[0])
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != id || p.Chain != "BTC" || len(p.Hashes) != 1 || p.Hashes[0] != sigID(t) {
		t.Errorf("pending: %+v", p)
	}
	for _, field := range []string{`"withdrawalId":null`, `"index":null`, `"withdrawalResponses":null`} {
		if !bytes.Contains(list[0], []byte(field)) {
			t.Errorf("%s is not in %s", field, list[0])
		}
	}
	if bytes.Contains(list[0], []byte("txId")) {
		t.Errorf("txId before completion: %s", list[0])
	}

	tx := signed(t, p.SerializedTransaction, key)
	var sent struct {
		TxID   string
		Failed bool
	}
	s.Want(t, "POST", "/v3/bitcoin/broadcast", map[string]string{"txData": serialize(t, tx), "signatureId": id}, &sent)
	if sent.TxID != tx.TxHash().String() || sent.Failed {
		t.Errorf("broadcast: %+v, want %s", sent, tx.TxHash())
	}
	s.Want(t, "POST", "/sandbox/mine", `{"blocks":1}`, nil)

	var done struct{ TxID string }
	s.Want(t, "GET", "/v3/kms/"+id, nil, &done)
	if done.TxID != sent.TxID {
		t.Errorf("completed with %q, want %q", done.TxID, sent.TxID)
	}
	var seen struct {
		Hex         string
		BlockNumber int64
		Fee         int64
		Inputs      []struct{ Coin struct{ Value int64 } }
	}
	s.Want(t, "GET", "/v3/bitcoin/transaction/"+sent.TxID, nil, &seen)
	if seen.Hex != serialize(t, tx) || seen.BlockNumber == 0 || seen.Fee != 2000 || seen.Inputs[0].Coin.Value != 10000 {
		t.Errorf("transaction: %+v", seen)
	}
	s.Want(t, "POST", "/v3/kms/pending/BTC", map[string]any{"signatureIds": []string{sigID(t)}}, &list)
	if len(list) != 0 {
		t.Errorf("still pending: %s", list)
	}
}

// sigID is a signature id of the running test.
func sigID(t *testing.T) string {
	sum := sha256.Sum256([]byte(t.Name()))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// create posts a transaction and returns the pending id.
func create(t *testing.T, s *sandboxtest.Sandbox, body string) string {
	t.Helper()
	var created struct{ SignatureID string }
	s.Want(t, "POST", "/v3/bitcoin/transaction", body, &created)
	if len(created.SignatureID) != 24 {
		t.Fatalf("pending id %q", created.SignatureID)
	}
	return created.SignatureID
}

// bitcoreJSON is the part of a serializedTransaction that a signer reads.
type bitcoreJSON struct {
	Hash    string
	Version int32
	Inputs  []struct {
		PrevTxID    string
		OutputIndex uint32
		Sequence    uint32 `json:"sequenceNumber"`
		Output      struct {
			Satoshis int64
			Script   string
		}
	}
	Outputs []struct {
		Satoshis int64
		Script   string
	}
	LockTime     uint32 `json:"nLockTime"`
	ChangeScript string
	ChangeIndex  *int
	Fee          *int64
}

// signed reads a serializedTransaction, checks its hash and signs every
// input, whose keys are all among keys.
func signed(t *testing.T, text string, keys ...*btcec.PrivateKey) *wire.MsgTx {
	t.Helper()
	var doc bitcoreJSON
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	tx, prevs := wire.NewMsgTx(doc.Version), txscript.NewMultiPrevOutFetcher(nil)
	tx.LockTime = doc.LockTime
	for _, in := range doc.Inputs {
		hash, err := chainhash.NewHashFromStr(in.PrevTxID)
		if err != nil {
			t.Fatal(err)
		}
		op := wire.OutPoint{Hash: *hash, Index: in.OutputIndex}
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: op, Sequence: in.Sequence})
		prevs.AddPrevOut(op, wire.NewTxOut(in.Output.Satoshis, unhex(t, in.Output.Script)))
	}
	for _, out := range doc.Outputs {
		tx.AddTxOut(wire.NewTxOut(out.Satoshis, unhex(t, out.Script)))
	}
	if got := tx.TxHash().String(); got != doc.Hash {
		t.Fatalf("hash %s, want the transaction's id %s", doc.Hash, got)
	}
	for i := range tx.TxIn {
		signInput(t, tx, i, prevs, keys)
	}
	return tx
}

func signInput(t *testing.T, tx *wire.MsgTx, i int, prevs *txscript.MultiPrevOutFetcher, keys []*btcec.PrivateKey) {
	t.Helper()
	prev := prevs.FetchPrevOutput(tx.TxIn[i].PreviousOutPoint)
	hashes := txscript.NewTxSigHashes(tx, prevs)
	for _, key := range keys {
		hash := btcaddr.Hash160(key.PubKey().SerializeCompressed())
		if !bytes.Contains(prev.PkScript, hash) {
			continue
		}
		var err error
		if txscript.IsPayToWitnessPubKeyHash(prev.PkScript) {
			tx.TxIn[i].Witness, err = txscript.WitnessSignature(tx, hashes, i, prev.Value, prev.PkScript, txscript.SigHashAll, key, true)
		} else {
			tx.TxIn[i].SignatureScript, err = txscript.SignatureScript(tx, i, prev.PkScript, txscript.SigHashAll, key, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no key for input %d: %x", i, prev.PkScript)
}

// testKey is a key of the running test.
func testKey(t *testing.T, n byte) *btcec.PrivateKey {
	sum := sha256.Sum256(append([]byte(t.Name()), n))
	key, _ := btcec.PrivKeyFromBytes(sum[:])
	return key
}

func p2pkh(t *testing.T, key *btcec.PrivateKey) string {
	a, err := btcaddr.NewAddressPubKeyHash(btcaddr.Hash160(key.PubKey().SerializeCompressed()), &chaincfg.TestNet3Params)
	if err != nil {
		t.Fatal(err)
	}
	return a.EncodeAddress()
}

func p2wpkh(t *testing.T, key *btcec.PrivateKey) string {
	a, err := btcaddr.NewAddressWitnessPubKeyHash(btcaddr.Hash160(key.PubKey().SerializeCompressed()), &chaincfg.TestNet3Params)
	if err != nil {
		t.Fatal(err)
	}
	return a.EncodeAddress()
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func serialize(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b.Bytes())
}
