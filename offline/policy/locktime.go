package policy

import (
	"fmt"
	"time"
)

// lockTimeThreshold divides block heights from Unix times (Bitcoin Core, script/script.h).
const lockTimeThreshold = 500_000_000

// LockTime says in words when a lock time lets a transaction in.
func LockTime(n uint32) string {
	if n < lockTimeThreshold {
		return fmt.Sprintf("block %d", n)
	}
	return time.Unix(int64(n), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
