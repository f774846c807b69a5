package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain"
)

// client talks to a running sandbox about one coin.
type client struct {
	url, key string
	chain    chain.ID
	path     string // the coin's name in URLs
}

const (
	clientLimit = 5 * time.Minute
	maxReply    = 64 << 20
)

func addClientFlags(cmd *cobra.Command) {
	cmd.Flags().String("url", "", "`URL` of the sandbox (default: TATUM_API_URL, or http://127.0.0.1:3000)")
	cmd.Flags().String("chain", string(chain.BTC), "`coin`: BTC, LTC, DOGE or BCH")
}

// clientOf takes URL and key from the flags or the environment. Where the
// environment points to the real Tatum, its key stays here.
func clientOf(cmd *cobra.Command) (client, error) {
	base, err := cmd.Flags().GetString("url")
	if err != nil {
		return client{}, err
	}
	key, err := cmd.Flags().GetString("api-key")
	if err != nil {
		return client{}, err
	}
	if env := os.Getenv("TATUM_API_KEY"); env != "" && !cmd.Flags().Changed("api-key") {
		key = env
	}
	for _, next := range []string{os.Getenv("TATUM_API_URL"), "http://127.0.0.1:3000"} {
		if base == "" {
			base = next
		}
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || checkLoopback(net.JoinHostPort(u.Hostname(), "0")) != nil {
		return client{}, cli.Fail(cli.Usage, fmt.Errorf("%.200q is no sandbox: only http on loopback is", base), "give its address with --url")
	}
	coin, err := cmd.Flags().GetString("chain")
	if err != nil {
		return client{}, err
	}
	id := chain.ID(strings.ToUpper(coin))
	path, err := sandbox.PathOf(id)
	if err != nil {
		return client{}, cli.Fail(cli.Usage, fmt.Errorf("--chain %.20q is no coin of the sandbox", coin), "BTC, LTC, DOGE or BCH")
	}
	return client{strings.TrimRight(base, "/"), key, id, path}, nil
}

// call sends body as JSON, unless it is nil, and returns the reply.
func (c client) call(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		in = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, clientLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, in)
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "")
	}
	req.Header.Set("x-api-key", c.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, cli.Fail(cli.Network, err, "is it running? start it with: kms-sandbox")
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, cli.Fail(cli.Network, err, "")
	}
	if resp.StatusCode/100 != 2 {
		return nil, refusal(resp.Status, reply)
	}
	return reply, nil
}

// refusal tells an API error with the constraints that explain it.
func refusal(status string, reply []byte) error {
	var body struct {
		ErrorCode string
		Message   string
		Data      []struct{ Constraints map[string]string }
	}
	if err := json.Unmarshal(reply, &body); err != nil {
		return errors.New(status)
	}
	words := body.Message
	for _, d := range body.Data {
		for _, c := range d.Constraints {
			words += "; " + c
		}
	}
	return fmt.Errorf("%s: %s", body.ErrorCode, words)
}
