package policy

import "coldkms/shared/chain"

// The times that a request may state: this program is not older, and nobody
// means what is further ahead.
const (
	earliest = 1_577_836_800 // 2020-01-01
	latest   = 4_733_510_400 // 2120-01-01
)

// InRange reports whether a time, in Unix seconds, is one that may be meant.
func InRange(unix int64) bool { return earliest <= unix && unix < latest }

func requestTimeRule() rule { return rule{judge: (*judgement).requestTime, fresh: true} }

// requestTime refuses a request with a time that cannot be, and points at one
// that is dated ahead: one of the two clocks is wrong.
func (j *judgement) requestTime() {
	made, now := j.circumstances.Created, j.history.Now()
	switch {
	case made == 0: // nobody says, as of a PSBT
	case !InRange(made):
		j.refuse(chain.RequestTime,
			"the request says that it was made at %d (Unix seconds), which is before 2020 or after 2119: "+
				"set the relay's clock, and export again",
			made)
	case made > now+day:
		j.find(chain.RequestTime, "the request says that it was made %d hours ahead of this machine's clock: "+
			"one of the two clocks is wrong",
			(made-now)/hour)
	}
}
