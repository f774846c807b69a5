package policy

import "coldkms/shared/chain"

// The times that a request may state: from before this program existed to later
// than any request is meant for.
const (
	earliest = 1_577_836_800 // 2020-01-01
	latest   = 4_733_510_400 // 2120-01-01
)

// InRange reports whether a request may state a time, in Unix seconds.
func InRange(unix int64) bool { return earliest <= unix && unix < latest }

func requestTimeRule() rule { return rule{judge: (*judgement).requestTime, fresh: true} }

// requestTime refuses a request with an impossible time, and flags one that is
// dated ahead: one of the two clocks is wrong.
func (j *judgement) requestTime() {
	made, now := j.circumstances.Created, j.history.Now()
	switch {
	case made == 0: // not stated: a PSBT has no time
	case !InRange(made):
		j.refuse(chain.RequestTime,
			"the request says that it was made at %d (Unix seconds), which is before 2020 or after 2119: "+
				"set the relay's clock, and export again", made)
	case made > now+day:
		j.find(chain.RequestTime, "the request says that it was made on %s, more than a day ahead of the ledger's clock: "+
			"one of the two clocks is wrong", clock(made))
	}
}
