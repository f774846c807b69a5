package tatum

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"coldkms/shared/chain"
)

// ListPage is how many transactions of an address one call lists at most.
const ListPage = 50

// Listed is a transaction in the list of an address: a claim, to be looked up
// by its txid. One that does not read has no TxID.
type Listed struct {
	TxID string
	Uses []string // exclusive ids: "txid:index" of outputs that it spends, "account:nonce"
}

// listedReply has both forms: BTC and LTC say hash and inputs, DOGE and BCH
// txid and vin.
type listedReply struct {
	transactionReply
	Inputs []struct {
		Prevout struct {
			Hash  string `json:"hash"`
			Index uint32 `json:"index"`
		} `json:"prevout"`
	} `json:"inputs"`
	From  string  `json:"from"` // with a nonce, of a chain with accounts
	Nonce *uint64 `json:"nonce"`
	Vin   []struct {
		TxID string `json:"txid"`
		Vout uint32 `json:"vout"`
	} `json:"vin"`
}

// Transactions lists transactions that pay to or spend from an address, some
// at a time, beginning with the one at offset; the newest come first.
func (c *Client) Transactions(ctx context.Context, id chain.ID, address string, offset int) ([]Listed, error) {
	name, err := segment(id)
	if err != nil {
		return nil, err
	}
	query := fmt.Sprintf("?pageSize=%d&offset=%d", ListPage, offset)
	if id == chain.BCH {
		query = fmt.Sprintf("?skip=%d", offset)
	}
	var reply []json.RawMessage
	err = c.do(ctx, call{
		kind: "address", line: lineOf(id), cost: dear(id, 1), purpose: Watch,
		op: "transactions of an address", method: http.MethodGet,
		path: "/v3/" + name + "/transaction/address/" + url.PathEscape(address) + query, into: &reply,
	})
	if err != nil {
		return nil, err
	}
	var list []Listed
	for _, raw := range reply[:min(len(reply), ListPage)] {
		var r listedReply
		if json.Unmarshal(raw, &r) != nil { // no reason to miss the others
			r = listedReply{}
		}
		list = append(list, r.listed())
	}
	return list, nil
}

func (r listedReply) listed() Listed {
	l := Listed{TxID: text(r.TxID)}
	if l.TxID == "" {
		l.TxID = text(r.Hash)
	}
	spends := func(txid string, index uint32) {
		if id := strings.ToLower(txid); isTxID(id) {
			l.Uses = append(l.Uses, fmt.Sprintf("%s:%d", id, index))
		}
	}
	if r.Nonce != nil {
		l.Uses = append(l.Uses, fmt.Sprintf("%s:%d", r.From, *r.Nonce))
	}
	for _, in := range r.Inputs {
		spends(in.Prevout.Hash, in.Prevout.Index)
	}
	for _, in := range r.Vin {
		spends(in.TxID, in.Vout)
	}
	return l
}
