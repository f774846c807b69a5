package show

import "time"

// Pace is how densely and how fast parts are shown. The values move in steps
// while it runs.
type Pace struct {
	Version int // of the symbols
	Rate    int // symbols a second
}

// Moderate is what a webcam reads at arm's length of a laptop's screen.
const (
	moderateVersion = 20
	moderateRate    = 8
)

// versions and rates are the steps. Each version holds about 1.3–2 times the
// one before.
var (
	versions = [...]int{3, 5, 7, 10, 13, 16, 20, 25, 30, 35, 40}
	rates    = [...]int{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20}
)

// Terminal is a moderate pace for a terminal of so many columns and rows. False
// if not even the smallest step fits.
func Terminal(columns, rows int, style Style) (Pace, bool) {
	return fitting(func(version int) bool {
		c, r := Size(version, style)
		return c <= columns && r <= rows
	})
}

// Screen is a moderate pace for a square of so many pixels, if a module is to
// have some.
func Screen(pixels, module int) (Pace, bool) {
	return fitting(func(version int) bool { return (17+4*version+2*Quiet)*max(module, 1) <= pixels })
}

func fitting(fits func(int) bool) (Pace, bool) {
	p := Pace{Rate: moderateRate}
	for _, v := range versions {
		if v <= moderateVersion && fits(v) {
			p.Version = v
		}
	}
	return p, p.Version > 0
}

// Denser is the next larger symbol; whether it fits is seen with Size.
func (p Pace) Denser() Pace {
	for _, v := range versions {
		if v > p.Version {
			return Pace{v, p.Rate}
		}
	}
	return p
}

// Sparser is the next smaller symbol.
func (p Pace) Sparser() Pace {
	for i := len(versions) - 1; i >= 0; i-- {
		if versions[i] < p.Version {
			return Pace{versions[i], p.Rate}
		}
	}
	return p
}

// Faster shows more symbols a second.
func (p Pace) Faster() Pace {
	for _, r := range rates {
		if r > p.Rate {
			return Pace{p.Version, r}
		}
	}
	return p
}

// Slower shows fewer symbols a second.
func (p Pace) Slower() Pace {
	for i := len(rates) - 1; i >= 0; i-- {
		if rates[i] < p.Rate {
			return Pace{p.Version, rates[i]}
		}
	}
	return p
}

// Each is how long a symbol is shown.
func (p Pace) Each() time.Duration { return time.Second / time.Duration(max(p.Rate, 1)) }
