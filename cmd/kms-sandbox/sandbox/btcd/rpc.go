package btcd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"coldkms/cmd/kms-sandbox/sandbox"
)

const (
	maxReply   = 256 << 20 // bytes of a reply: a long history in JSON
	maxCalls   = 16        // at a time; btcd works on 20
	callLimit  = 60 * time.Second
	codeNoTx   = -5
	codeNoneAt = -8 // block height out of range
)

// rpc speaks JSON-RPC to one btcd. btcd closes the connection after each
// reply, so that there is nothing to keep alive.
type rpc struct {
	url, user, pass string
	client          *http.Client
	slots           chan struct{}
}

func newRPC(address, user, pass string) *rpc {
	return &rpc{
		url: "http://" + address + "/", user: user, pass: pass,
		client: &http.Client{Timeout: callLimit, Transport: &http.Transport{DisableKeepAlives: true}},
		slots:  make(chan struct{}, maxCalls),
	}
}

// call runs a method and reads its result into out, unless out is nil. What
// the node refuses is a *sandbox.NodeError.
func (c *rpc) call(ctx context.Context, out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("btcd: %s: %w", method, err)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return fmt.Errorf("btcd: %s: %w", method, ctx.Err())
	}
	raw, err := c.post(ctx, body)
	if err != nil {
		return fmt.Errorf("btcd: %s: %w", method, err)
	}
	var reply struct {
		Result json.RawMessage
		Error  *sandbox.NodeError
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return fmt.Errorf("btcd: %s: reply: %w", method, err)
	}
	if reply.Error != nil {
		return reply.Error
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Result, out); err != nil {
		return fmt.Errorf("btcd: %s: result: %w", method, err)
	}
	return nil
}

func (c *rpc) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(c.user, c.pass)
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("http %s", resp.Status)
	}
	return raw, nil
}

func hasCode(err error, code int) bool {
	var refused *sandbox.NodeError
	return errors.As(err, &refused) && refused.Code == code
}
