package qr

import (
	"cmp"
	"math"
	"slices"
)

// finder is one of the big squares: its centre and about the size of a module.
type finder struct {
	x, y, module float64
	seen         int     // rows that crossed it
	rating       float64 // 1 is a perfect square
	rays         [rayCount]ray
}

// ray is what lies in one direction from the centre: the distance of the edge
// of the inner square, of the ring and of the whole.
type ray struct {
	edge [3]float64
	ok   bool
}

const (
	rayCount      = 32
	maxFinders    = 1500 // before rays are cast
	keepFound     = 24   // after
	leastRays     = 0.25
	leastLikeness = 0.4
)

// search finds the big squares of a view.
type search struct {
	view  *plane
	step  *contrasts
	found []finder
	line  [maxRay]int
	rows  int // every how many rows are looked at
}

// run looks through the rows.
func (s *search) run() {
	s.found = s.found[:0]
	for y := s.rows; y < s.view.h-1; y += s.rows {
		s.row(y)
	}
	s.verify()
}

// row follows the highs and lows of one row. Between two of them is an edge,
// where half the way is passed: so even a light ring that blur has left no
// lighter than the middle has its two edges. Every
// dark-light-dark-light-dark is looked at.
func (s *search) row(y int) {
	row := s.view.pix[y*s.view.stride:][:s.view.w]
	steps := s.step.of[(y>>3)*s.step.w:][:s.step.w]
	t := turns{row: row, best: row[0], last: row[0], rising: true}
	for block, step := range steps {
		begin := block * 8
		for i, v := range row[begin:min(begin+8, len(row))] {
			switch {
			case (v > t.best) == t.rising && v != t.best:
				t.best, t.at = v, begin+i
			case t.rising && int(v)+int(step) < int(t.best), !t.rising && int(v) > int(t.best)+int(step):
				if t.turn(begin+i, v) {
					s.candidate(&t.edges, y)
				}
			}
		}
	}
	if t.turn(len(row)-1, 0) {
		s.candidate(&t.edges, y)
	}
}

// turns are the highs and lows of a row, as far as it was followed.
type turns struct {
	row    []byte
	edges  [6]int32 // the last ones, in 1/16 of a pixel
	n      int      // of edges
	rising bool     // a high is looked for
	best   byte     // the highest or lowest
	at     int      // where
	last   byte     // the extreme before
	from   int      // where
}

// turn takes the best for an extreme, since at x it goes the other way, and
// says whether it ended the runs of a square.
func (t *turns) turn(x int, v byte) bool {
	copy(t.edges[:5], t.edges[1:])
	t.edges[5] = crossing(t.row, t.from, t.at, t.last, t.best)
	t.n++
	square := t.rising && t.n >= 6 && ratio(&t.edges)
	t.last, t.from, t.best, t.at, t.rising = t.best, t.at, v, x, !t.rising
	return square
}

// crossing is where, between the extremes at from and to, half the way is
// passed, in 1/16 of a pixel.
func crossing(row []byte, from, to int, a, b byte) int32 {
	half := (int32(a) + int32(b) + 1) / 2
	for x := from + 1; x <= to; x++ {
		v, w := int32(row[x-1]), int32(row[x])
		if (v < half) != (w < half) {
			return int32(x-1)*16 + (half-v)*16/(w-v)
		}
	}
	return int32(from+to) * 8
}

// ratio says whether six edges are about 1:1:3:1:1.
func ratio(e *[6]int32) bool {
	whole := e[5] - e[0]
	if whole < 7*20 { // 1.25 pixels a module
		return false
	}
	m := whole / 7
	slack := m * 5 / 8
	return near(e[1]-e[0], m, slack) && near(e[2]-e[1], m, slack) && near(e[3]-e[2], 3*m, 2*slack) &&
		near(e[4]-e[3], m, slack) && near(e[5]-e[4], m, slack)
}

func near(v, want, slack int32) bool { return v > want-slack && v < want+slack }

// candidate checks in the column and back in the row, and counts what is
// crossed again.
func (s *search) candidate(e *[6]int32, row int) {
	x, y := float64(e[2]+e[3])/32, float64(row)
	m := float64(e[5]-e[0]) / (16 * 7)
	for i := range s.found {
		f := &s.found[i]
		if math.Abs(f.x-x) < 0.7*m && math.Abs(f.y-y) < 1.8*m && m < 1.7*f.module && f.module < 1.7*m {
			f.seen++
			return
		}
	}
	if len(s.found) == maxFinders {
		return
	}
	y, up, ok := s.centre(x, y, 0, 1, m)
	if !ok {
		return
	}
	x, across, ok := s.centre(x, y, 1, 0, m)
	if !ok || up > 2*across || across > 2*up {
		return
	}
	s.found = append(s.found, finder{x: x, y: y, module: (up + across) / 2, seen: 1})
}

// centre casts two rays against each other and gives the middle between them,
// along the direction, and the module.
func (s *search) centre(x, y, dx, dy, m float64) (float64, float64, bool) {
	a, b := s.cast(x, y, dx, dy, m), s.cast(x, y, -dx, -dy, m)
	if !a.ok || !b.ok {
		return 0, 0, false
	}
	inner, ring, whole := a.edge[0]+b.edge[0], a.edge[1]+b.edge[1], a.edge[2]+b.edge[2]
	unit := whole / 7
	if math.Abs(inner-3*unit) > 1.3*unit || math.Abs(ring-5*unit) > 1.3*unit {
		return 0, 0, false
	}
	shift := (a.edge[0] - b.edge[0] + a.edge[2] - b.edge[2]) / 4
	return x*dx + y*dy + shift, unit, true
}

// maxRay bounds a ray, in pixels.
const maxRay = 512

// cast follows a ray out of a dark centre over three edges, by highs and lows
// like row. It gives up as soon as the runs cannot be 3:2:2.
func (s *search) cast(x, y, dx, dy, m float64) ray {
	var r ray
	n := min(int(6*m)+2, maxRay)
	step := s.step.at(int(x), int(y)) << 8
	rising, best, at := false, 0, 0
	last, from, edges := 0, -1, 0
	for d := 0; d <= n; d++ {
		px, py := x+float64(d)*dx, y+float64(d)*dy
		inside := d < n && px >= 0 && py >= 0 && px <= float64(s.view.w-1) && py <= float64(s.view.h-1)
		v := 0
		if inside {
			v = s.view.at(px, py)
			s.line[d] = v
			if d == 0 || (v > best) == rising && v != best {
				best, at = v, d
			}
			if rising && v > best-step || !rising && v < best+step {
				continue
			}
		} else if from < 0 || max(best-last, last-best) < step {
			return r
		}
		if from >= 0 {
			r.edge[edges] = half(s.line[from:at+1], last, best) + float64(from)
			if edges++; edges == 3 {
				r.ok = true
				return r
			}
			if edges == 2 && (r.edge[1] > 3*r.edge[0] || r.edge[1] < 1.15*r.edge[0]) || !inside {
				return r
			}
		}
		last, from, best, at, rising = best, at, v, d, !rising
	}
	return r
}

// half is where a line from a to b passes half the way.
func half(line []int, a, b int) float64 {
	h := (a + b) / 2
	for i := 1; i < len(line); i++ {
		v, w := line[i-1], line[i]
		if (v < h) != (w < h) {
			return float64(i-1) + float64(h-v)/float64(w-v)
		}
	}
	return float64(len(line)-1) / 2
}

// verify casts rays all around and keeps what looks like a square, best first.
func (s *search) verify() {
	kept := s.found[:0]
	for _, f := range s.found {
		if !s.glance(&f) || !s.square(&f) {
			continue
		}
		kept = append(kept, f)
	}
	slices.SortFunc(kept, func(a, b finder) int { return cmp.Compare(b.rating, a.rating) })
	s.found = kept[:0]
	for _, f := range kept {
		if len(s.found) < keepFound && !slices.ContainsFunc(s.found, f.same) {
			s.found = append(s.found, f)
		}
	}
}

// same says whether another is the same square, found from another place.
func (f finder) same(g finder) bool {
	return math.Hypot(f.x-g.x, f.y-g.y) < 2*max(f.module, g.module)
}

// near looks whether squares are about where they were. False if one is not.
func (s *search) near(before []finder) bool {
	s.found = s.found[:0]
	for _, f := range before {
		if !s.square(&f) {
			return false
		}
		s.found = append(s.found, f)
	}
	return len(s.found) > 0
}

// also adds squares that were found in another view and are seen in this one.
func (s *search) also(others []finder) {
	for _, f := range others {
		if len(s.found) < keepFound && !slices.ContainsFunc(s.found, f.same) && s.square(&f) {
			s.found = append(s.found, f)
		}
	}
}

// square settles the centre of a square and rates it. False if it is none.
func (s *search) square(f *finder) bool {
	s.around(f)
	if f.rating < leastRays {
		return false
	}
	s.around(f)
	f.rating = s.likeness(f)
	return f.rating >= leastLikeness
}

// glance casts a few of the rays: most of what is no square ends here.
func (s *search) glance(f *finder) bool {
	good := 0
	for i := 2; i < rayCount; i += 4 {
		dx, dy := direction(i)
		good += b2i(s.fits(s.cast(f.x, f.y, dx, dy, f.module*1.5)))
	}
	return good >= 4
}

// fits says whether the runs of a ray are about 3:2:2.
func (s *search) fits(r ray) bool { return r.ok && r.off() < 0.75 }

// off is how far edges are from where they should be, in modules.
func (r ray) off() float64 {
	unit := r.edge[2] / 3.5
	return max(math.Abs(r.edge[0]-1.5*unit), math.Abs(r.edge[1]-2.5*unit)) / unit
}

// likeness is the correlation with a square and the light around it, turned as
// the lengths of the rays say: they are longest towards corners.
func (s *search) likeness(f *finder) float64 {
	var x, y float64
	for i, r := range f.rays {
		if r.ok {
			sin, cos := math.Sincos(8 * math.Pi * float64(i) / rayCount)
			x, y = x+cos*r.edge[2], y+sin*r.edge[2]
		}
	}
	sin, cos := math.Sincos((math.Atan2(y, x) - math.Pi) / 4)
	cos, sin = cos*f.module, sin*f.module
	var sum, squares, light, n float64
	for v := -4.0; v <= 4; v++ {
		for u := -4.0; u <= 4; u++ {
			b := float64(s.view.at(f.x+u*cos-v*sin, f.y+u*sin+v*cos)) / 256
			sum, squares = sum+b, squares+b*b
			if ring := max(math.Abs(u), math.Abs(v)); ring == 2 || ring == 4 {
				light, n = light+b, n+1
			}
		}
	}
	const all = 81
	deviation := math.Sqrt(max(squares/all-sum*sum/(all*all), 1))
	return (light/n - (sum-light)/(all-n)) * math.Sqrt(n*(all-n)) / all / deviation
}

// around casts rays in all directions and moves the centre between them.
func (s *search) around(f *finder) {
	f.rating = 0
	for i := range f.rays {
		dx, dy := direction(i)
		r := s.cast(f.x, f.y, dx, dy, f.module*1.5)
		if r.ok = s.fits(r); r.ok {
			f.rating += (1 - r.off()) / rayCount
		}
		f.rays[i] = r
	}
	var x, y, unit float64
	n := 0
	for i, a := range f.rays[:rayCount/2] {
		b := f.rays[i+rayCount/2]
		if a.ok && b.ok {
			dx, dy := direction(i)
			shift := (a.edge[0] - b.edge[0] + a.edge[2] - b.edge[2]) / 4
			x, y, n = x+dx*shift, y+dy*shift, n+1
			unit += (a.edge[2] + b.edge[2]) / 7
		}
	}
	if n == 0 {
		return
	}
	// the mean over half a circle of shifts along it is half the shift
	f.x, f.y = f.x+2*x/float64(n), f.y+2*y/float64(n)
	f.module = unit / float64(n) / 1.12 // rays towards corners are longer
}

// direction is that of a ray.
func direction(i int) (dx, dy float64) {
	sin, cos := math.Sincos(2 * math.Pi * float64(i) / rayCount)
	return cos, sin
}
