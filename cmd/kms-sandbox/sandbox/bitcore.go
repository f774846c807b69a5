package sandbox

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// bitcoreTx is the JSON form that bitcore-lib gives a transaction, field for
// field in its order: what Tatum stores as serializedTransaction.
type bitcoreTx struct {
	Hash         string          `json:"hash"`
	Version      int32           `json:"version"`
	Inputs       []bitcoreInput  `json:"inputs"`
	Outputs      []bitcoreOutput `json:"outputs"`
	LockTime     uint32          `json:"nLockTime"`
	ChangeScript string          `json:"changeScript,omitempty"`
	ChangeIndex  *int            `json:"changeIndex,omitempty"`
	Fee          *int64          `json:"fee,omitempty"`
}

type bitcoreInput struct {
	PrevTxID     string        `json:"prevTxId"`
	OutputIndex  uint32        `json:"outputIndex"`
	Sequence     uint32        `json:"sequenceNumber"`
	Script       string        `json:"script"`
	ScriptString string        `json:"scriptString"`
	Output       bitcoreOutput `json:"output"`
}

type bitcoreOutput struct {
	Satoshis int64  `json:"satoshis"`
	Script   string `json:"script"`
}

// serialized writes a draft as Tatum stores it for a coin.
func (d draft) serialized(c coin) (string, error) {
	if c.ForkID {
		return d.hexAndAmounts()
	}
	return d.bitcoreJSON()
}

// hexAndAmounts is what Tatum stores for BCH: the transaction in hex, and what
// each input spends.
func (d draft) hexAndAmounts() (string, error) {
	text, err := toHex(d.msg())
	if err != nil {
		return "", err
	}
	amounts := make([]int64, len(d.inputs))
	for i, in := range d.inputs {
		amounts[i] = in.value
	}
	list, err := json.Marshal(amounts)
	return text + ":" + string(list), err
}

func toHex(msg *wire.MsgTx) (string, error) {
	var raw bytes.Buffer
	if err := msg.Serialize(&raw); err != nil {
		return "", fmt.Errorf("sandbox: write transaction: %w", err)
	}
	return hex.EncodeToString(raw.Bytes()), nil
}

// bitcoreJSON writes a draft as bitcore-lib would.
func (d draft) bitcoreJSON() (string, error) {
	msg := d.msg()
	doc := bitcoreTx{Hash: msg.TxHash().String(), Version: msg.Version, LockTime: msg.LockTime}
	for i, in := range msg.TxIn {
		doc.Inputs = append(doc.Inputs, bitcoreInput{
			PrevTxID:    in.PreviousOutPoint.Hash.String(),
			OutputIndex: in.PreviousOutPoint.Index,
			Sequence:    in.Sequence,
			Output:      bitcoreOutput{d.inputs[i].value, hex.EncodeToString(d.inputs[i].script)},
		})
	}
	for _, out := range msg.TxOut {
		doc.Outputs = append(doc.Outputs, bitcoreOutput{out.Value, hex.EncodeToString(out.PkScript)})
	}
	if d.change != nil {
		doc.ChangeScript, doc.Fee = bitcoreScript(d.change.script), &d.change.fee
		if d.change.value > 0 {
			index := len(msg.TxOut) - 1
			doc.ChangeIndex = &index
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return "", fmt.Errorf("sandbox: write transaction: %w", err)
	}
	return string(b), nil
}

// bitcoreScript writes a script as bitcore-lib's text: operators by name,
// data as its length and 0x hex.
func bitcoreScript(script []byte) string {
	var words []string
	tokens := txscript.MakeScriptTokenizer(0, script)
	for tokens.Next() {
		if data := tokens.Data(); len(data) > 0 {
			words = append(words, fmt.Sprintf("%d 0x%x", len(data), data))
			continue
		}
		words = append(words, opName(tokens.Opcode()))
	}
	return strings.Join(words, " ")
}

func opName(op byte) string {
	name, err := txscript.DisasmString([]byte{op})
	if err != nil {
		return fmt.Sprintf("%d", op)
	}
	if !strings.HasPrefix(name, "OP_") {
		return "OP_" + name // DisasmString writes small numbers bare
	}
	return name
}

// msg is the unsigned transaction.
func (d draft) msg() *wire.MsgTx {
	msg := wire.NewMsgTx(d.version)
	for _, in := range d.inputs {
		msg.AddTxIn(wire.NewTxIn(&in.outpoint, nil, nil))
	}
	for _, out := range d.outputs {
		msg.AddTxOut(out)
	}
	if d.change != nil && d.change.value > 0 {
		msg.AddTxOut(wire.NewTxOut(d.change.value, d.change.script))
	}
	return msg
}
