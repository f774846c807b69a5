package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// maxCalls bounds a JSON-RPC batch.
const maxCalls = 1_000

// passedOn are the methods that go to the node as they are.
func passedOn() []string {
	return []string{
		"getrawtransaction", "getblockcount", "getbestblockhash", "getblockhash", "getblock", "getblockheader",
		"getblockchaininfo", "getrawmempool", "getmempoolinfo", "gettxout", "decoderawtransaction", "decodescript",
		"validateaddress", "getdifficulty",
	}
}

type rpcRequest struct {
	Method string          `json:"method"`
	Params []any           `json:"params"`
	ID     json.RawMessage `json:"id"`
}

type rpcReply struct {
	Version string          `json:"jsonrpc"`
	Result  any             `json:"result"`
	Error   *NodeError      `json:"error"`
	ID      json.RawMessage `json:"id"`
}

// nodeCall passes JSON-RPC on, one call or an array of them.
func (s *Server) nodeCall(r *http.Request) (reply, error) {
	b, err := s.backend(r.PathValue("chain"), "chain")
	if err != nil {
		return reply{}, err
	}
	var raw json.RawMessage
	if err := decode(r, &raw); err != nil {
		return reply{}, err
	}
	if !bytes.HasPrefix(raw, []byte("[")) {
		one, err := s.oneCall(r, b, raw)
		if err != nil {
			return reply{}, err
		}
		return ok(one)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) > maxCalls {
		return reply{}, invalid("body", "must be an array of at most %d calls", maxCalls)
	}
	replies := []rpcReply{}
	for _, raw := range list {
		one, err := s.oneCall(r, b, raw)
		if err != nil {
			return reply{}, err
		}
		replies = append(replies, one)
	}
	return ok(replies)
}

// JSON-RPC 2.0's own error codes.
const (
	rpcInvalidRequest = -32600
	rpcUnknownMethod  = -32601
)

func (s *Server) oneCall(r *http.Request, b *backend, raw json.RawMessage) (rpcReply, error) {
	var call rpcRequest
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&call); err != nil {
		return rpcReply{Version: "2.0", Error: &NodeError{rpcInvalidRequest, "Invalid request: params must be an array"}}, nil
	}
	answer := rpcReply{Version: "2.0", ID: call.ID}
	result, err := s.callNode(r, b, call)
	var refused *NodeError
	if errors.As(err, &refused) {
		answer.Error = refused
		return answer, nil
	}
	answer.Result = result
	return answer, err
}

func (s *Server) callNode(r *http.Request, b *backend, call rpcRequest) (any, error) {
	caller, can := b.node.(Caller)
	switch {
	case call.Method == "sendrawtransaction":
		return s.sendByCall(r, b, call.Params)
	case !can:
		return b.answer(r.Context(), call)
	case !slices.Contains(passedOn(), call.Method):
		return nil, &NodeError{rpcUnknownMethod, "Method not found"}
	}
	// Bitcoin Core takes true and false for the verbosity, btcd numbers.
	if (call.Method == "getrawtransaction" || call.Method == "getblock") && len(call.Params) > 1 {
		if verbose, isBool := call.Params[1].(bool); isBool {
			call.Params[1] = 0
			if verbose {
				call.Params[1] = 1
			}
		}
	}
	return caller.Call(r.Context(), call.Method, call.Params...)
}

// sendByCall keeps a copy of what the node took, as a broadcast does.
func (s *Server) sendByCall(r *http.Request, b *backend, params []any) (any, error) {
	var text string
	if len(params) > 0 {
		text, _ = params[0].(string)
	}
	tx, err := parseTx(text)
	if err != nil {
		return nil, &NodeError{-22, "TX decode failed"}
	}
	if err := b.node.Send(r.Context(), tx); err != nil {
		return nil, err
	}
	return tx.TxHash().String(), s.config.Store.AddSent(r.Context(), b.id, tx)
}
