package tron

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strconv"

	"coldkms/shared/chain"
	"coldkms/shared/strictjson"
)

// Request is a pending transaction's JSON, in the form that java-tron and
// tronweb write: visible, txID, raw_data, raw_data_hex.
type Request struct {
	Tx   Tx
	Raw  []byte // Transaction.raw, which is signed
	TxID [32]byte
	text string // the JSON without blanks
}

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's.
// raw_data_hex is the transaction; raw_data, which a person or another program
// may have looked at, and txID must say the same. Other fields, a signature,
// and base58 addresses (visible: true) are refused.
func ReadRequest(text string) (Request, error) {
	fields, err := strictjson.Object(text)
	if err != nil {
		return Request{}, malformed("the transaction is not of TRON's form: %v", err)
	}
	if _, signed := fields["signature"]; signed {
		return Request{}, chain.Refuse(chain.ForeignScript, "the transaction has a signature already")
	}
	if visible, ok := fields["visible"]; ok && visible != false {
		return Request{}, malformed("visible: only false is read, with addresses in hex")
	}
	raw, err := lowerHex(fields["raw_data_hex"])
	if err != nil {
		return Request{}, malformed("raw_data_hex: %v", err)
	}
	r := Request{Raw: raw, TxID: TxID(raw)}
	if fields["txID"] != hex.EncodeToString(r.TxID[:]) {
		return Request{}, chain.Refuse(chain.HashMismatch, "txID is not the SHA-256 of raw_data_hex")
	}
	if r.Tx, err = Decode(raw); err != nil {
		return Request{}, err
	}
	for name := range fields {
		switch name {
		case "visible", "txID", "raw_data", "raw_data_hex":
		default:
			return Request{}, malformed("a field beside visible, txID, raw_data and raw_data_hex")
		}
	}
	if err := checkExact(fields["raw_data"]); err != nil {
		return Request{}, err
	}
	if !reflect.DeepEqual(bare(fields["raw_data"]), bare(r.Tx.json())) {
		return Request{}, chain.Refuse(chain.ContentChanged, "raw_data says something else than raw_data_hex")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return Request{}, malformed("the transaction is not of TRON's form: %v", err)
	}
	r.text = compact.String()
	return r, nil
}

// lowerHex reads pairs of hex digits in lower case.
func lowerHex(v any) ([]byte, error) {
	text, ok := v.(string)
	if !ok || len(text) > 2*MaxRaw {
		return nil, strconv.ErrSyntax
	}
	b, err := hex.DecodeString(text)
	if err != nil || hex.EncodeToString(b) != text {
		return nil, strconv.ErrSyntax
	}
	return b, nil
}

// SignedJSON returns what is broadcast: the request's JSON with the signature
// of 65 bytes (R, S, 27 plus the recovery id) at its end, as tronweb writes it:
// hex digits in lower case, the last two in upper case.
func (r Request) SignedJSON(signature []byte) string {
	last := len(signature) - 1
	text := hex.EncodeToString(signature[:last]) + string(bytes.ToUpper([]byte(hex.EncodeToString(signature[last:]))))
	return r.text[:len(r.text)-1] + `,"signature":["` + text + `"]}`
}

// object is a JSON object.
type object = map[string]any

func number(v int64) json.Number { return json.Number(strconv.FormatInt(v, 10)) }

// json returns raw_data as java-tron writes it.
func (t Tx) json() object {
	c := t.Contract
	return object{
		"contract": []any{object{
			"parameter": object{"value": c.json(), "type_url": c.Kind.url()},
			"type":      c.Kind.String() + typeSuffix,
		}},
		"ref_block_bytes": hex.EncodeToString(t.RefBlockBytes[:]),
		"ref_block_hash":  hex.EncodeToString(t.RefBlockHash[:]),
		"expiration":      number(t.Expiration),
		"timestamp":       number(t.Timestamp),
		"fee_limit":       number(t.FeeLimit),
		"data":            hex.EncodeToString(t.Memo),
	}
}

func (c Contract) json() object {
	v := object{"owner_address": c.Owner.Hex()}
	switch c.Kind {
	case Transfer:
		v["to_address"], v["amount"] = c.To.Hex(), number(c.Amount)
	case TransferAsset:
		v["to_address"], v["amount"] = c.To.Hex(), number(c.Amount)
		v["asset_name"] = hex.EncodeToString([]byte(c.Asset))
	case TriggerSmartContract:
		v["contract_address"], v["data"] = c.To.Hex(), hex.EncodeToString(c.Data)
		v["call_value"], v["call_token_value"], v["token_id"] = number(c.Value), number(c.Token), number(c.TokenID)
	case FreezeBalance, FreezeBalanceV2:
		v["frozen_balance"], v["frozen_duration"], v["resource"] = number(c.Amount), number(c.Days), c.Resource.String()
	case UnfreezeBalance, UnfreezeBalanceV2:
		v["unfreeze_balance"], v["resource"] = number(c.Amount), c.Resource.String()
	case DelegateResource, UndelegateResource:
		v["balance"], v["resource"], v["receiver_address"] = number(c.Amount), c.Resource.String(), c.To.Hex()
		v["lock"], v["lock_period"] = c.Lock, number(c.LockTime)
	}
	if (c.Kind == FreezeBalance || c.Kind == UnfreezeBalance) && !c.To.IsZero() {
		v["receiver_address"] = c.To.Hex()
	}
	return v
}

// maxExact is 2^53-1: JavaScript rounds JSON numbers above it.
const maxExact = 1<<53 - 1

// checkExact refuses numbers that JavaScript does not read as they are written.
func checkExact(v any) error {
	switch v := v.(type) {
	case object:
		for _, field := range v {
			if err := checkExact(field); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range v {
			if err := checkExact(element); err != nil {
				return err
			}
		}
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err != nil || n > maxExact || n < -maxExact {
			return malformed("raw_data has the number %.40s, which JavaScript rounds", v)
		}
	}
	return nil
}

// bare returns a JSON value without the fields that have their default value,
// which some writers leave out, in a form to compare.
func bare(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, field := range v {
			switch field {
			case json.Number("0"), "", false, Bandwidth.String():
			default:
				out[name] = bare(field)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = bare(v[i])
		}
		return out
	}
	return v
}
