package tatum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"coldkms/shared/chain"
)

// WithdrawalState is where a withdrawal stands, in Tatum's words.
type WithdrawalState string

// The states of a withdrawal. Unknown is none of Tatum's: its list does not
// show the withdrawal, or not in words that are known here.
const (
	WithdrawalUnknown   WithdrawalState = "unknown"
	WithdrawalOpen      WithdrawalState = "InProgress"
	WithdrawalDone      WithdrawalState = "Done"
	WithdrawalCancelled WithdrawalState = "Cancelled"
)

// Withdrawal is one line of Tatum's list.
type Withdrawal struct {
	State WithdrawalState
	TxID  string // under which it was completed, in lower case
}

// maxWithdrawalPages bounds how far the list is read for one withdrawal.
const maxWithdrawalPages = 10

// Withdrawal looks a withdrawal up in the list of a chain's, which is the only
// place where Tatum shows its state. The state is WithdrawalUnknown where the part
// that is read does not have it: that says nothing about it.
func (c *Client) Withdrawal(ctx context.Context, id chain.ID, withdrawalID string) (Withdrawal, error) {
	listed := make(map[string]bool)
	for page := range maxWithdrawalPages {
		var reply []struct {
			ID     json.RawMessage `json:"id"`
			Status json.RawMessage `json:"status"`
			Hash   json.RawMessage `json:"transactionHash"`
			TxID   json.RawMessage `json:"txId"`
		}
		err := c.do(ctx, call{
			kind: "withdrawals", line: lineWithdrawals, cost: 1, op: "withdrawals", method: http.MethodGet,
			path: fmt.Sprintf("/v3/offchain/withdrawal?currency=%s&pageSize=%d&offset=%d", url.QueryEscape(string(id)), ListPage, page*ListPage), into: &reply,
		})
		if err != nil {
			return Withdrawal{}, err
		}
		before := len(listed)
		for _, w := range reply {
			if listed[text(w.ID)] = true; text(w.ID) != strings.ToLower(withdrawalID) {
				continue
			}
			found := Withdrawal{State: stateOf(text(w.Status)), TxID: text(w.Hash)}
			if found.TxID == "" {
				found.TxID = text(w.TxID)
			}
			return found, nil
		}
		if len(reply) < ListPage || len(listed) == before { // the end, or the same page again
			break
		}
	}
	return Withdrawal{State: WithdrawalUnknown}, nil
}

// stateSaid finds the state in Tatum's words about a withdrawal that is not open.
var stateSaid = regexp.MustCompile(`(?i)\bin unexpected state:? "?(InProgress|Done|Cancelled)\b`)

// SaidState returns the state that Tatum's refusal to complete a withdrawal names,
// or WithdrawalUnknown if it names none.
func SaidState(err error) WithdrawalState {
	var e *Error
	if !errors.As(err, &e) || e.Code != codeNotOpen {
		return WithdrawalUnknown
	}
	if m := stateSaid.FindStringSubmatch(e.Message); m != nil {
		return stateOf(strings.ToLower(m[1]))
	}
	return WithdrawalUnknown
}

func stateOf(word string) WithdrawalState {
	for _, s := range []WithdrawalState{WithdrawalOpen, WithdrawalDone, WithdrawalCancelled} {
		if word == strings.ToLower(string(s)) {
			return s
		}
	}
	return WithdrawalUnknown
}
