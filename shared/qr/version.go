package qr

import (
	"math"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// placed is a triple with the frames of its squares.
type placed struct {
	view                *plane
	corner, right, down frame
}

func (t triple) place(view *plane) (placed, bool) {
	rx, ry := t.right.x-t.corner.x, t.right.y-t.corner.y
	dx, dy := t.down.x-t.corner.x, t.down.y-t.corner.y
	a, okA := fit(t.corner, rx, ry, dx, dy)
	b, okB := fit(t.right, rx, ry, dx, dy)
	c, okC := fit(t.down, rx, ry, dx, dy)
	return placed{view, a, b, c}, okA && okB && okC
}

// coarse is the size of a module, in pixels, under which samples are taken from
// the finer picture.
const coarse = 3.5

// finer moves to the picture of twice the size, if there is one and it is
// needed.
func (p *placed) finer(s *scene) (halved int) {
	f := &p.corner
	if s.fine == nil || math.Abs(f.rx*f.dy-f.ry*f.dx) > coarse*coarse {
		return s.halved
	}
	p.view = s.fine
	for _, f := range []*frame{&p.corner, &p.right, &p.down} {
		*f = frame{2*f.x + 0.5, 2*f.y + 0.5, 2 * f.rx, 2 * f.ry, 2 * f.dx, 2 * f.dy}
	}
	return s.halved - 1
}

// modules is how many modules lie between two centres, by the measure of both.
func modules(a, b *frame) float64 {
	x, y := b.x-a.x, b.y-a.y
	return math.Sqrt(a.length(x, y) * b.length(x, y))
}

func (f *frame) length(x, y float64) float64 {
	det := f.rx*f.dy - f.dx*f.ry
	return math.Hypot((x*f.dy-y*f.dx)/det, (y*f.rx-x*f.ry)/det)
}

// versions that the symbol may have, likeliest first: what is written beside
// its squares, then what its measure says.
func (p *placed) versions() []int {
	across, down := modules(&p.corner, &p.right), modules(&p.corner, &p.down)
	guess := (math.Sqrt(across*down) + 7 - 17) / 4
	if math.IsNaN(guess) || guess < 0.2 || guess > 46 {
		return nil
	}
	near := int(math.Round(guess))
	var list []int
	if v, sure := p.written(); guess > 5.5 && sure && math.Abs(float64(v)-guess) < 1.5+guess/6 {
		list = append(list, v)
	}
	second := near + 1
	if guess < float64(near) {
		second = near - 1
	}
	for _, v := range []int{near, second, 2*near - second} {
		if v >= 1 && v <= 40 && !(len(list) > 0 && list[0] == v) {
			list = append(list, v)
		}
	}
	return list
}

// written compares both copies of the version information with all versions.
func (p *placed) written() (version int, sure bool) {
	var bits [18]int
	p.bits(&p.right, false, &bits)
	p.bits(&p.down, true, &bits)
	best, second, sum := 0, 0, 0
	for _, b := range bits {
		sum += max(b, -b)
	}
	for i, code := range decoder.VERSION_DECODE_INFO {
		score := 0
		for k, b := range bits {
			score += b * (2*(code>>k&1) - 1)
		}
		if score > best {
			best, second, version = score, best, i+7
		} else {
			second = max(second, score)
		}
	}
	return version, sum > 0 && best*10 > sum*6 && (best-second)*100 > sum*15
}

// bits adds how dark each module of one copy is, in the order of the code.
func (p *placed) bits(f *frame, turned bool, bits *[18]int) {
	var dark, light int
	for _, c := range [4][2]float64{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		dark += p.view.at(f.at(c[0], c[1])) / 4
		light += p.view.at(f.at(c[0]*4, c[1]*4)) / 4
	}
	for k := range bits {
		u, v := float64(k%3-7), float64(k/3-3)
		if turned {
			u, v = v, u
		}
		bits[k] += max(min((dark+light)/2-p.view.at(f.at(u, v)), 65280/4), -65280/4) / 64
	}
}

// timing says how well the two lines of alternating modules alternate: 1
// always, about 0 where the number of modules is wrong.
func (m *mesh) timing(view *plane) float64 {
	var sum, all float64
	for _, across := range [2]bool{true, false} {
		before, sign := 0.0, 1.0
		for i := 7; i < m.dim-7; i++ {
			u, v := float64(i), 6.0
			if !across {
				u, v = v, u
			}
			now := float64(view.at(m.h.at(u, v)))
			if i > 7 {
				sum += sign * (now - before)
				all += math.Abs(now - before)
			}
			before, sign = now, -sign
		}
	}
	return math.Abs(sum) / max(all, 1)
}
