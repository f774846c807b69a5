//go:build unix

package loop

import (
	"encoding/json"
	"strconv"
	"strings"

	"coldkms/online"
)

// callsDead reports whether words call a payment dead, or advise to pay anew.
func callsDead(code, reason string) bool {
	return code == string(online.CodeInputsSpent) || code == string(online.CodeParentDead) || code == string(online.CodeOtherTxID) ||
		strings.Contains(reason, "have the payment made anew")
}

// depth is how many confirmations the operator waits for.
const depth = 2

// deepen has what is completed confirmed, while the chain is reorganised under
// it: a payment comes out of its block, or is lost, and is found in another
// block, or sent again.
func (o *operator) deepen() {
	o.t.Helper()
	storm := 2 + o.random.IntN(4)
	for turns := 0; turns < storm || !o.deep(); turns++ {
		switch {
		case turns == 60:
			o.t.Fatalf("is not confirmed: %+v, alarms %+v", o.status(), o.alarms())
		case turns < storm && o.random.IntN(2) == 0:
			o.tatum.reorganise()
		default:
			o.tatum.mine(1 + o.random.IntN(depth))
		}
		o.again("watch", "--confirmations", strconv.Itoa(depth))
	}
}

// deep reports whether the relay takes every payment as confirmed and finds
// nothing wrong, and the chain agrees.
func (o *operator) deep() bool {
	o.t.Helper()
	all := o.status()
	for _, id := range o.ids {
		if s := all[id]; s.State != "completed" || s.Confirmations < depth || s.Code != "" {
			return false
		}
	}
	for _, a := range o.alarms() {
		if a.Healed == "" && (a.Code == online.CodeEvicted || a.Code == online.CodeReorganised) {
			return false
		}
	}
	for _, id := range o.ids { // the chain may have changed since the relay looked: then it has to see that
		if !o.tatum.confirmed(all[id].TxID) {
			return false
		}
	}
	return true
}

// alarms lists the open alarms. None calls a payment dead.
func (o *operator) alarms() []online.Alarm {
	o.t.Helper()
	out, _ := o.command(false, "alarms")
	var list []online.Alarm
	if err := json.Unmarshal(out, &list); err != nil {
		o.t.Fatal(err)
	}
	for _, a := range list {
		if callsDead(string(a.Code), a.Reason) {
			o.t.Errorf("I9: the chain has it or gets it, and an alarm calls it dead: %+v", a)
		}
	}
	return list
}
