package sandbox

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// nodeTx is a transaction as the coins' own nodes write it, which is also
// Tatum's form for DOGE and BCH. Amounts are decimals of a coin, never floats.
type nodeTx struct {
	TxID          string     `json:"txid"`
	Hash          string     `json:"hash"`
	Hex           string     `json:"hex,omitempty"`
	Version       int32      `json:"version"`
	Size          int        `json:"size"`
	VSize         int        `json:"vsize"`
	Locktime      uint32     `json:"locktime"`
	Vin           []nodeVin  `json:"vin"`
	Vout          []nodeVout `json:"vout"`
	BlockHash     string     `json:"blockhash,omitempty"`
	Confirmations int64      `json:"confirmations"`
	Time          int64      `json:"time,omitempty"`
	BlockTime     int64      `json:"blocktime,omitempty"`
}

type nodeVin struct {
	Coinbase  string      `json:"coinbase,omitempty"`
	TxID      string      `json:"txid,omitempty"`
	Vout      *uint32     `json:"vout,omitempty"`
	ScriptSig *nodeScript `json:"scriptSig,omitempty"`
	Witness   []string    `json:"txinwitness,omitempty"`
	Sequence  uint32      `json:"sequence"`
}

type nodeVout struct {
	Value        json.Number `json:"value"`
	N            int         `json:"n"`
	ScriptPubKey nodeScript  `json:"scriptPubKey"`
}

type nodeScript struct {
	Asm       string   `json:"asm"`
	Hex       string   `json:"hex"`
	Type      string   `json:"type,omitempty"`
	ReqSigs   int      `json:"reqSigs,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
}

func (b *backend) nodeView(ctx context.Context, tx ChainTx) (nodeTx, error) {
	v := nodeTx{
		TxID: tx.Msg.TxHash().String(), Hash: tx.Msg.WitnessHash().String(), Version: tx.Msg.Version,
		Size: tx.Msg.SerializeSize(), VSize: vsize(tx.Msg), Locktime: tx.Msg.LockTime,
	}
	if tx.Height != Unconfirmed {
		tip, err := b.node.Tip(ctx)
		if err != nil {
			return nodeTx{}, err
		}
		v.BlockHash, v.Time, v.BlockTime, v.Confirmations = tx.Block, tx.Time, tx.Time, tip.Height-tx.Height+1
	}
	for _, in := range tx.Msg.TxIn {
		v.Vin = append(v.Vin, nodeInput(in, isCoinbase(tx.Msg)))
	}
	for i, out := range tx.Msg.TxOut {
		v.Vout = append(v.Vout, nodeVout{formatAmount(out.Value, b.Decimals), i, b.nodeScript(out.PkScript)})
	}
	return v, nil
}

func nodeInput(in *wire.TxIn, coinbase bool) nodeVin {
	if coinbase {
		return nodeVin{Coinbase: hex.EncodeToString(in.SignatureScript), Sequence: in.Sequence}
	}
	v := nodeVin{
		TxID: in.PreviousOutPoint.Hash.String(), Vout: &in.PreviousOutPoint.Index,
		ScriptSig: &nodeScript{Asm: asm(in.SignatureScript), Hex: hex.EncodeToString(in.SignatureScript)}, Sequence: in.Sequence,
	}
	for _, item := range in.Witness {
		v.Witness = append(v.Witness, hex.EncodeToString(item))
	}
	return v
}

func (b *backend) nodeScript(script []byte) nodeScript {
	v := nodeScript{Asm: asm(script), Hex: hex.EncodeToString(script), Type: txscript.GetScriptClass(script).String()}
	if a := b.Address(script); a != "" {
		v.ReqSigs, v.Addresses = 1, []string{a}
	}
	return v
}

func asm(script []byte) string {
	text, _ := txscript.DisasmString(script) // what was read before an error stays
	return text
}

// nodeOutput is an unspent output in the form of gettxout.
func (b *backend) nodeOutput(ctx context.Context, tx ChainTx, u unspent) (reply, error) {
	tip, err := b.node.Tip(ctx)
	if err != nil {
		return reply{}, err
	}
	confirmations := int64(0)
	if u.height != Unconfirmed {
		confirmations = tip.Height - u.height + 1
	}
	return ok(map[string]any{
		"bestblock": tip.Hash, "confirmations": confirmations, "value": formatAmount(u.value, b.Decimals),
		"scriptPubKey": b.nodeScript(u.script), "version": tx.Msg.Version, "coinbase": u.coinbase,
	})
}
