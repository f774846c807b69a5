package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"

	"github.com/btcsuite/btcd/wire"
)

// txView is a transaction in the shape of Tatum's BtcTx.
type txView struct {
	Hash        string       `json:"hash"`
	Hex         string       `json:"hex"`
	WitnessHash string       `json:"witnessHash"`
	Fee         int64        `json:"fee"`
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
	Value    int64   `json:"value"`
	Script   string  `json:"script"`
	Address  *string `json:"address"`
	Coinbase bool    `json:"coinbase"`
	Hash     string  `json:"hash,omitempty"`
	Index    *uint32 `json:"index,omitempty"`
}

type outputView struct {
	Value   int64   `json:"value"`
	Script  string  `json:"script"`
	Address *string `json:"address"`
}

func (b *backend) view(ctx context.Context, tx ChainTx) (txView, error) {
	var raw bytes.Buffer
	if err := tx.Msg.Serialize(&raw); err != nil {
		return txView{}, err
	}
	stripped := tx.Msg.SerializeSizeStripped()
	v := txView{
		Hash: tx.Msg.TxHash().String(), WitnessHash: tx.Msg.WitnessHash().String(), Hex: hex.EncodeToString(raw.Bytes()),
		Version: tx.Msg.Version, Locktime: tx.Msg.LockTime,
		Size: raw.Len(), VSize: (3*stripped + raw.Len() + 3) / 4,
	}
	if tx.Height != Unconfirmed {
		v.BlockNumber, v.Block, v.Time = &tx.Height, &tx.Block, &tx.Time
	}
	for _, in := range tx.Msg.TxIn {
		view, value, err := b.inputView(ctx, in, isCoinbase(tx.Msg))
		if err != nil {
			return txView{}, err
		}
		v.Inputs = append(v.Inputs, view)
		v.Fee += value
	}
	for _, out := range tx.Msg.TxOut {
		v.Outputs = append(v.Outputs, outputView{out.Value, hex.EncodeToString(out.PkScript), b.address(out.PkScript)})
		v.Fee -= out.Value
	}
	if isCoinbase(tx.Msg) {
		v.Fee = 0
	}
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
		Version: tx.Msg.Version, Height: u.height, Value: u.value, Script: hex.EncodeToString(u.script),
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
