package review

import (
	"fmt"
	"time"
)

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
	return fmt.Sprintf("%s  until %s by %skey %x", state, time.Unix(v.Until, 0).UTC().Format("2006-01-02 15:04:05 UTC"), name, v.Key[:])
}
