package sandbox

import (
	"context"
	"encoding/hex"

	"github.com/btcsuite/btcd/wire/v2"
)

// txView is a transaction in the shape of Tatum's BtcTx and LtcTx. Amounts are
// what coin.amount gives.
type txView struct {
	Hash        string       `json:"hash"`
	Hex         string       `json:"hex,omitempty"`
	WitnessHash string       `json:"witnessHash"`
	Fee         any          `json:"fee"`
	BlockNumber *int64       `json:"blockNumber"`
	Block       *string      `json:"block"`
	Time        *int64       `json:"time"`
	Version     int32        `json:"version"`
	Locktime    uint32       `json:"locktime"`
	Size        int          `json:"size"`
	VSize       int          `json:"vsize"`
	Inputs      []inputView  `json:"inputs"`
	Outputs     []outputView `json:"outputs"`
}

type inputView struct {
	Prevout  prevoutView `json:"prevout"`
	Sequence uint32      `json:"sequence"`
	Script   string      `json:"script"`
	Coin     *coinView   `json:"coin,omitempty"`
}

type prevoutView struct {
	Hash  string `json:"hash"`
	Index uint32 `json:"index"`
}

// coinView is Tatum's BtcUTXO: an output and the transaction that made it.
type coinView struct {
	Version  int32   `json:"version"`
	Height   int64   `json:"height"` // -1 while unconfirmed
	Value    any     `json:"value"`
	Script   string  `json:"script"`
	Address  *string `json:"address"`
	Coinbase bool    `json:"coinbase"`
	Hash     string  `json:"hash,omitempty"`
	Index    *uint32 `json:"index,omitempty"`
}

type outputView struct {
	Value   any     `json:"value"`
	Script  string  `json:"script"`
	Address *string `json:"address"`
}

// view writes a transaction as Tatum does for the coin.
func (b *backend) view(ctx context.Context, tx ChainTx) (any, error) {
	if b.form == nodeForm {
		return b.nodeView(ctx, tx)
	}
	return b.txView(ctx, tx)
}

// amount is an integer for BTC and a decimal in a string for LTC.
func (c coin) amount(value int64) any {
	if c.form == bitcoinForm {
		return value
	}
	return formatAmount(value, c.Decimals).String()
}

// vsize is the virtual size (BIP 141).
func vsize(tx *wire.MsgTx) int { return (3*tx.SerializeSizeStripped() + tx.SerializeSize() + 3) / 4 }

func (b *backend) txView(ctx context.Context, tx ChainTx) (txView, error) {
	v := txView{
		Hash: tx.Msg.TxHash().String(), WitnessHash: tx.Msg.WitnessHash().String(),
		Version: tx.Msg.Version, Locktime: tx.Msg.LockTime, Size: tx.Msg.SerializeSize(), VSize: vsize(tx.Msg),
	}
	if b.form == bitcoinForm {
		text, err := toHex(tx.Msg)
		if err != nil {
			return txView{}, err
		}
		v.Hex = text
	}
	if tx.Height != Unconfirmed {
		v.BlockNumber, v.Block, v.Time = &tx.Height, &tx.Block, &tx.Time
	}
	var fee int64
	for _, in := range tx.Msg.TxIn {
		view, value, err := b.inputView(ctx, in, isCoinbase(tx.Msg))
		if err != nil {
			return txView{}, err
		}
		v.Inputs = append(v.Inputs, view)
		fee += value
	}
	for _, out := range tx.Msg.TxOut {
		v.Outputs = append(v.Outputs, outputView{b.amount(out.Value), hex.EncodeToString(out.PkScript), b.address(out.PkScript)})
		fee -= out.Value
	}
	if isCoinbase(tx.Msg) {
		fee = 0
	}
	v.Fee = b.amount(fee)
	return v, nil
}

// inputView shows an input with the output that it spends.
func (b *backend) inputView(ctx context.Context, in *wire.TxIn, coinbase bool) (inputView, int64, error) {
	op := in.PreviousOutPoint
	v := inputView{
		Prevout: prevoutView{op.Hash.String(), op.Index}, Sequence: in.Sequence,
		Script: hex.EncodeToString(in.SignatureScript),
	}
	if coinbase {
		return v, 0, nil
	}
	prev, err := b.node.Tx(ctx, op.Hash)
	if err != nil {
		return inputView{}, 0, err
	}
	u := unspentOf(prev, op)
	coin := b.coinView(prev, u)
	v.Coin = &coin
	return v, u.value, nil
}

func (b *backend) coinView(tx ChainTx, u unspent) coinView {
	return coinView{
		Version: tx.Msg.Version, Height: u.height, Value: b.amount(u.value), Script: hex.EncodeToString(u.script),
		Address: b.address(u.script), Coinbase: u.coinbase,
	}
}

// address is nil where a script has none.
func (b *backend) address(script []byte) *string {
	if a := b.Address(script); a != "" {
		return &a
	}
	return nil
}
