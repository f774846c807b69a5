package policy

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"coldkms/shared/chain"
	"coldkms/shared/screen"
)

// Bounds of what a file says.
const (
	maxName      = 100 // characters of a name or label
	maxPercent   = 10_000
	maxCount     = math.MaxInt64 - 1
	maxAgeHours  = 10 * 366 * 24
	maxOperators = 16
	maxApprovers = 16
	maxScript    = 10_000 // bytes (Bitcoin Core's MAX_SCRIPT_SIZE)
)

// normalise checks a file and gives it its one form: lists sorted, addresses
// as the coin writes them.
func (f *file) normalise(coins Coins) error {
	if f.Version != version {
		return fmt.Errorf("version %d is not known to this program: it reads version %d", f.Version, version)
	}
	if f.Chains == nil {
		return errors.New(`"chains" is missing: it lists what is signed for`)
	}
	if err := checkName(f.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	for _, m := range f.modes() {
		if m.strict && *m.mode == modeAllow {
			return fmt.Errorf(`%s can be "flag" or "refuse"`, m.name)
		}
	}
	return f.parse(coins)
}

// checkName lets through what looks the same everywhere.
func checkName(s string) error {
	n := 0
	for _, r := range s {
		if n++; !unicode.IsPrint(r) || screen.Deceives(r) {
			return fmt.Errorf("the character %U cannot be seen", r)
		}
	}
	if strings.TrimSpace(s) != s || strings.Contains(s, "  ") {
		return errors.New("a space at an end or beside another one cannot be seen")
	}
	if n > maxName {
		return fmt.Errorf("%d characters, at most %d", n, maxName)
	}
	return nil
}

func upTo(v *chain.Amount, most chain.Amount) bool { return v == nil || v.Cmp(most) <= 0 }

func within(v *int64, limit int64) bool { return v == nil || (*v >= 0 && *v <= limit) }
