package main

import (
	"strings"
	"testing"

	"github.com/creack/pty"

	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/offline/review/tui"
	"coldkms/shared/chain"
)

// Words of a review that were not escaped by those who made them are escaped
// by the terminal, line by line as well.
func TestHostileWordsLineByLine(t *testing.T) {
	const evil = "a\x1b[2J\u009b31m\x07b\u202ec"
	it := review.Item{ID: evil, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Findings: []policy.Reason{{Code: chain.FlagNew, Message: "%s", Args: []any{evil}}},
		Facts: &chain.Facts{Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Movements: []chain.Movement{{Address: evil, Kind: evil, Amount: chain.NewAmount(1)}}}}
	d := tui.New(review.Batch{Items: []review.Item{it}, Notices: []string{evil}})

	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	at := &person{t: t, master: master, read: make(chan struct{})}
	go at.watch()
	ended := make(chan error, 1)
	go func() {
		_, err := (&terminal{tty: slave}).plainSession(d, func(string) error { return nil })
		ended <- err
	}()
	at.sees("[y/N]")
	at.types("show 1\n")
	at.sees("show 1\n[1 of 1]")
	at.types("list\n")
	at.sees("list\n1: undecided")
	at.types("n\n")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	slave.Close()
	if at.screen.escapes > 0 || len(at.screen.strange) > 0 {
		t.Errorf("%d escape sequences, %q", at.screen.escapes, at.screen.strange)
	}
	if !strings.Contains(at.screen.String(), `\u001b[2J`) {
		t.Errorf("the words are not shown:\n%s", at.screen.String())
	}
}
