package utxo

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// parseBCH reads what Tatum sends for BCH: the unsigned transaction in hex, a
// colon, and a JSON array with the value that each input spends.
func parseBCH(text string) (parsed, error) {
	head, list, ok := strings.Cut(text, ":")
	if !ok {
		return parsed{}, malformed("transaction", "hex, a colon and an array of amounts are expected")
	}
	raw, err := hex.DecodeString(head)
	if err != nil {
		return parsed{}, malformed("transaction", "what stands before the colon is not hex")
	}
	msg, err := utxo.ParseUnsigned(raw)
	if err != nil {
		return parsed{}, err
	}
	amounts, err := amountList(list)
	if err != nil {
		return parsed{}, err
	}
	if len(amounts) != len(msg.TxIn) {
		return parsed{}, malformed("transaction", "%d amounts for %d inputs", len(amounts), len(msg.TxIn))
	}
	p := parsed{msg: msg}
	for i, in := range msg.TxIn {
		if len(in.SignatureScript) > 0 {
			return parsed{}, chain.Refuse(chain.ForeignScript, "input %d carries a script already", i)
		}
		p.claims = append(p.claims, utxo.Claim{Value: amounts[i]})
	}
	return p, nil
}

// amountList reads an array of integers, as numbers or as decimal strings.
func amountList(text string) ([]int64, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var list []any
	if err := dec.Decode(&list); err != nil || dec.More() {
		return nil, malformed("amounts", "not an array of integers")
	}
	amounts := make([]int64, len(list))
	for i, v := range list {
		var digits string
		switch v := v.(type) {
		case json.Number:
			digits = v.String()
		case string:
			digits = v
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil {
			return nil, malformed(at("amount", i), "%.40q is not an integer of the smallest unit", digits)
		}
		amounts[i] = int64(n)
	}
	return amounts, nil
}
