package online

import (
	"context"
	"fmt"
	"strings"

	"coldkms/shared/chain"
)

// Check is the state of the relay's own house.
type Check struct {
	Identity string         `json:"identity"`                  // fingerprint
	Signer   string         `json:"signer"`                    // fingerprint, "" before pairing
	Watched  map[string]int `json:"watched"`                   // signature ids by chain and network
	Journal  string         `json:"journal"`                   // "ok", or what is wrong
	Tatum    string         `json:"tatum"`                     // "ok", or why it cannot be reached
	Items    map[string]int `json:"items"`                     // by state
	Alarms   int            `json:"alarms"`                    // that are open
	Service  string         `json:"approvalService,omitempty"` // without its path, and how it is asked
	Restored string         `json:"restored,omitempty"`        // when, and from which backup, until that alarm is acknowledged
	Vetoes   int            `json:"vetoes,omitempty"`          // of other services than that, which stand
}

// Check looks at everything that the steps rest on. What is wrong is in the
// reply; healthy and reachable sum it up.
func (r *Relay) Check(ctx context.Context) (c Check, healthy, reachable bool) {
	c = Check{Identity: r.identity.Public().Fingerprint(), Watched: map[string]int{}, Journal: "ok", Tatum: "ok", Items: map[string]int{}}
	healthy, reachable = true, true
	if w, err := r.watch(ctx); err != nil {
		healthy = false
	} else {
		c.Signer = w.Signer.Fingerprint()
		for _, e := range w.Entries {
			c.Watched[fmt.Sprintf("%s %s", e.Chain, e.Network)]++
		}
	}
	totals, err := r.journal.Totals(ctx, chain.UnknownNetwork)
	if err == nil {
		err = r.journal.Check(ctx, false)
	}
	if err != nil {
		c.Journal, healthy = err.Error(), false
	}
	for state, n := range totals {
		c.Items[string(state)] = n
	}
	if err := r.checkOthers(ctx, &c); err != nil {
		c.Journal, healthy = err.Error(), false
	}
	switch {
	case r.Tatum == nil:
		c.Tatum, reachable = "no API key", false
	default:
		if err := r.Tatum.Ping(ctx); err != nil {
			c.Tatum, reachable = err.Error(), false
		}
	}
	return c, healthy, reachable
}

// checkOthers looks at what else the journal has that a person should know of.
func (r *Relay) checkOthers(ctx context.Context, c *Check) error {
	notices, err := r.Notices(ctx)
	if err != nil {
		return err
	}
	for _, n := range notices.Alarms {
		c.Alarms += n
	}
	if c.Restored, err = r.RestoredNotice(ctx); err != nil {
		return err
	}
	address, method, err := r.Service(ctx)
	if err != nil {
		return err
	}
	if address != "" {
		c.Service = method + " " + hostOf(address)
	}
	c.Vetoes, err = r.journal.VetoesBut(ctx, strings.TrimRight(address, "/"))
	return err
}
