package journal

import (
	"errors"
	"fmt"
)

// State is where a pending transaction stands. The zero value is none.
type State string

// The states, in the order of a transaction that meets no trouble, then the
// ends that are not the good one.
const (
	Fetched   State = "fetched"   // as Tatum gave it
	Prepared  State = "prepared"  // every input proven: ready to cross
	Exported  State = "exported"  // in a Request
	Signed    State = "signed"    // the signed bytes are here
	Broadcast State = "broadcast" // the network has them, Tatum has not marked it yet
	Completed State = "completed" // marked at Tatum with our txid
	Refused   State = "refused"   // by the relay or the signer; retry starts again
	Rejected  State = "rejected"  // dropped at Tatum by a person
	Failed    State = "failed"    // something is wrong that a person must look at
)

type transition struct{ from, to State }

// transitions is all that may ever happen to an item. docs and tests read
// this one table.
var transitions = [...]transition{
	{Fetched, Prepared},
	{Fetched, Refused},
	{Fetched, Rejected},
	{Fetched, Signed},   // the signature of an earlier Request came late
	{Prepared, Fetched}, // what was proven does not hold any more
	{Prepared, Exported},
	{Prepared, Signed}, // as above
	{Prepared, Rejected},
	{Exported, Prepared}, // its Request is void, or it expired
	{Exported, Exported}, // into another Request (export --again)
	{Exported, Signed},
	{Exported, Refused},
	{Exported, Rejected},
	{Signed, Broadcast},
	{Signed, Failed},
	{Broadcast, Completed},
	{Broadcast, Failed},
	{Completed, Failed}, // the network has something else in its place
	{Refused, Fetched},  // retry
	{Refused, Rejected},
	{Refused, Failed},   // signed all the same: a person decides
	{Rejected, Failed},  // as above
	{Failed, Signed},    // retry: the same bytes again
	{Failed, Broadcast}, // the network has it after all
}

// ErrState is returned where an item is not in the state that a change
// starts from, or where no such change exists.
var ErrState = errors.New("item is in another state")

// Allowed reports whether a transition is in the table.
func Allowed(from, to State) bool {
	for _, t := range transitions {
		if t == (transition{from, to}) {
			return true
		}
	}
	return false
}

// States lists all states.
func States() []State {
	return []State{Fetched, Prepared, Exported, Signed, Broadcast, Completed, Refused, Rejected, Failed}
}

func notAllowed(id string, from, to State) error {
	return fmt.Errorf("journal: item %s: %w: %s does not follow %s", id, ErrState, to, from)
}
