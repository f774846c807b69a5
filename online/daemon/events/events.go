// Package events tells people what a relay that runs by itself has to say, by
// calling an address of theirs or running a command of theirs. Neither ever
// gets an API key.
package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"time"

	"coldkms/online/daemon"
	"coldkms/online/internal/loopback"
	"coldkms/online/redact"
)

// ErrURL is returned for an address that events are not sent to.
var ErrURL = errors.New("address for events is not usable")

// patience is how long somebody who is told may take.
const patience = 15 * time.Second

// Webhook posts each event as JSON. It was heard where a 2xx comes whole, and is no web
// page: such a page is what a proxy or a login on the way answers with.
type Webhook struct {
	url  string
	http *http.Client
}

// NewWebhook makes a Webhook for an address: https, or http to this machine.
func NewWebhook(address string, transport http.RoundTripper) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && !(u.Scheme == "http" && loopback.Is(u.Hostname()))) {
		return nil, fmt.Errorf("%w: want https://…, or http:// to this machine", ErrURL)
	}
	return &Webhook{url: address, http: &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Tell implements daemon.Teller.
func (w *Webhook) Tell(ctx context.Context, e daemon.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("event: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("event: %w", ErrURL)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "coldkms")
	resp, err := w.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its address may have a token in it
			err = u.Err
		}
		return fmt.Errorf("event %s of %s was not heard: %w", e.Event, e.Item.ID, err)
	}
	defer resp.Body.Close()
	reply, cut := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // also so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		err := fmt.Errorf("event %s of %s was not heard: HTTP %d", e.Event, e.Item.ID, resp.StatusCode)
		if refuses(resp.StatusCode) {
			err = fmt.Errorf("%w: %w", err, daemon.ErrUnwanted)
		}
		return err
	}
	if cut != nil {
		return fmt.Errorf("event %s of %s was not heard: HTTP %d, and the reply was cut", e.Event, e.Item.ID, resp.StatusCode)
	}
	if strings.HasPrefix(http.DetectContentType(reply), "text/html") {
		return fmt.Errorf("event %s of %s was not heard: HTTP %d with a web page, which is no receiver's answer",
			e.Event, e.Item.ID, resp.StatusCode)
	}
	return nil
}

// refuses reports whether a receiver that answers so will do so again.
func refuses(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// Command runs a program for each event, without a shell: the event is on its
// standard input as JSON, its kind the only argument. Exit status 0 means
// that it was heard.
type Command struct {
	Path string
	Env  []string // of the program; the relay's own environment may have an API key

	Secrets *redact.Set // taken out of what it says; may be nil
}

// Tell implements daemon.Teller.
func (c Command) Tell(ctx context.Context, e daemon.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("event: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var words bounded
	cmd := exec.CommandContext(ctx, c.Path, e.Event)
	cmd.Env = append([]string{}, c.Env...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(append(body, '\n')), &words
	together(cmd)
	cmd.WaitDelay = time.Second // for children that keep its outputs open
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("event %s of %s was not heard: %s: %w %.200q", e.Event, e.Item.ID, c.Path, err, c.Secrets.Text(strings.TrimSpace(string(words))))
	}
	return nil
}

// bounded keeps the beginning of what a program says.
type bounded []byte

func (b *bounded) Write(p []byte) (int, error) {
	const most = 1024
	*b = append(*b, p[:min(len(p), most-min(len(*b), most))]...)
	return len(p), nil
}
