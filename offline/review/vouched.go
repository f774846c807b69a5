package review

import (
	"fmt"
	"time"

	"coldkms/offline/policy"
)

// when writes a time that a file states, in Unix seconds; as that number where
// no such time can be meant.
func when(unix int64) string {
	if !policy.InRange(unix) {
		return fmt.Sprintf("%d (Unix seconds, out of range)", unix)
	}
	return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04:05 UTC")
}

// String is a line of the review.
func (v Vouched) String() string {
	state := "vouched"
	if v.Expired {
		state = "EXPIRED"
	}
	name := ""
	if v.Name != "" {
		name = fmt.Sprintf("%q, ", v.Name)
	}
	return fmt.Sprintf("%s  until %s by %skey %x", state, when(v.Until), name, v.Key[:])
}
