package qr

import "github.com/makiuchi-d/gozxing/qrcode/decoder"

// layout is what is known of a version beforehand.
type layout struct {
	version, dim int
	centres      []int  // of alignment patterns, in both directions
	known        []int8 // for each module: 1 dark, -1 light, 0 not known
	total        int    // how many are known
}

func newLayout(version int) *layout {
	v, err := decoder.Version_GetVersionForNumber(version)
	if err != nil {
		return nil
	}
	l := &layout{version: version, dim: dimension(version), centres: v.GetAlignmentPatternCenters()}
	l.known = make([]int8, l.dim*l.dim)
	for i := 8; i < l.dim-8; i++ {
		l.set(i, 6, i%2 == 0)
		l.set(6, i, i%2 == 0)
	}
	l.finders()
	l.alignments()
	if version >= 7 {
		l.versionBits(decoder.VERSION_DECODE_INFO[version-7])
	}
	l.set(8, l.dim-8, true)
	for _, k := range l.known {
		l.total += int(k * k)
	}
	return l
}

func (l *layout) set(x, y int, dark bool) { l.known[y*l.dim+x] = int8(2*b2i(dark) - 1) }

func (l *layout) finders() {
	for _, at := range [3][2]int{{3, 3}, {l.dim - 4, 3}, {3, l.dim - 4}} {
		for dy := -4; dy <= 4; dy++ {
			for dx := -4; dx <= 4; dx++ {
				x, y := at[0]+dx, at[1]+dy
				if x >= 0 && y >= 0 && x < l.dim && y < l.dim {
					ring := max(dx, -dx, dy, -dy)
					l.set(x, y, ring != 2 && ring != 4)
				}
			}
		}
	}
}

func (l *layout) alignments() {
	last := len(l.centres) - 1
	for i, y := range l.centres {
		for j, x := range l.centres {
			if i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0 {
				continue
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					l.set(x+dx, y+dy, max(dx, -dx, dy, -dy) != 1)
				}
			}
		}
	}
}

func (l *layout) versionBits(bits int) {
	for k := range 18 {
		dark := bits>>k&1 == 1
		l.set(l.dim-11+k%3, k/3, dark)
		l.set(k/3, l.dim-11+k%3, dark)
	}
}
