package qr

import "math"

// mesh leads from modules to the picture: a homography over everything found,
// and what still differs at the alignment patterns, bilinear between them.
type mesh struct {
	*layout
	h      homography
	ox, oy []float64 // offsets at each node of the lattice of alignment patterns
	found  []bool
	pairs  []pair
}

// start fits the three squares: centres and corners of each.
func (m *mesh) start(p *placed, l *layout) bool {
	m.layout = l
	n := len(l.centres)
	m.ox, m.oy = zeroed(m.ox, n*n), zeroed(m.oy, n*n)
	m.found = append(m.found[:0], make([]bool, n*n)...)
	m.pairs = m.pairs[:0]
	far := float64(l.dim - 4)
	m.square(&p.corner, 3, 3)
	m.square(&p.right, far, 3)
	m.square(&p.down, 3, far)
	var ok bool
	m.h, ok = fitHomography(m.pairs, l.dim)
	return ok
}

func (m *mesh) square(f *frame, u, v float64) {
	for _, c := range [5][2]float64{{0, 0}, {-3.5, -3.5}, {3.5, -3.5}, {3.5, 3.5}, {-3.5, 3.5}} {
		x, y := f.at(c[0], c[1])
		m.pairs = append(m.pairs, pair{u + c[0], v + c[1], x, y})
	}
}

func zeroed(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// refine goes over the alignment patterns, away from the corner, fits again
// after each diagonal and expects the next with what is known by then.
func (m *mesh) refine(a *aligner) {
	n := len(m.centres)
	for sum := 1; sum <= 2*n-2; sum++ {
		before := len(m.pairs)
		for i := max(0, sum-n+1); i <= min(sum, n-1); i++ {
			m.node(a, i, sum-i)
		}
		if len(m.pairs) > before {
			if h, ok := fitHomography(m.weighted(), m.dim); ok {
				m.h = h
			}
		}
	}
	m.offsets()
}

// weighted leaves out, once there are enough alignment patterns, the corners of
// the squares, which are less sure.
func (m *mesh) weighted() []pair {
	if len(m.pairs) < 15+4 {
		return m.pairs
	}
	return append([]pair{m.pairs[0], m.pairs[5], m.pairs[10]}, m.pairs[15:]...)
}

// node looks for the alignment pattern in column i and row j of the lattice.
func (m *mesh) node(a *aligner, i, j int) {
	n := len(m.centres)
	if i == 0 && j == 0 || i == 0 && j == n-1 || i == n-1 && j == 0 {
		return
	}
	u, v := float64(m.centres[i]), float64(m.centres[j])
	x, y := m.h.at(u, v)
	rx, ry, dx, dy := m.h.steps(u, v)
	fx, fy, ok := a.find(x, y, rx, ry, dx, dy, alignRadius)
	if !ok {
		return
	}
	m.found[j*n+i] = true
	m.ox[j*n+i], m.oy[j*n+i] = fx, fy
	m.pairs = append(m.pairs, pair{u, v, fx, fy})
}

// offsets turns places into differences from the homography, drops those that
// cannot be, and fills in what is missing from the neighbours.
func (m *mesh) offsets() {
	n := len(m.centres)
	for j := range n {
		for i := range n {
			k := j*n + i
			u, v := float64(m.centres[i]), float64(m.centres[j])
			x, y := m.h.at(u, v)
			if m.found[k] {
				rx, ry, _, _ := m.h.steps(u, v)
				m.ox[k], m.oy[k] = m.ox[k]-x, m.oy[k]-y
				if math.Hypot(m.ox[k], m.oy[k]) > 1.2*math.Hypot(rx, ry) {
					m.found[k] = false
				}
			}
			if !m.found[k] {
				m.ox[k], m.oy[k] = 0, 0
			}
		}
	}
	if n > 0 {
		m.corner(0, 0)
		m.corner(n-1, 5)
		m.corner((n-1)*n, 10)
	}
	m.fill()
}

// corner sets the offset of a node that a big square covers, by the pair of the
// square's centre.
func (m *mesh) corner(node, at int) {
	p := m.pairs[at]
	x, y := m.h.at(p.u, p.v)
	m.ox[node], m.oy[node], m.found[node] = p.x-x, p.y-y, true
}

func (m *mesh) fill() {
	n := len(m.centres)
	for j := range n {
		for i := range n {
			if m.found[j*n+i] {
				continue
			}
			var x, y, c float64
			for _, d := range [4][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				a, b := i+d[0], j+d[1]
				if a >= 0 && b >= 0 && a < n && b < n && m.found[b*n+a] {
					x, y, c = x+m.ox[b*n+a], y+m.oy[b*n+a], c+1
				}
			}
			if c > 0 {
				m.ox[j*n+i], m.oy[j*n+i] = x/c, y/c
			}
		}
	}
}

// at is the place of the centre of a module.
func (m *mesh) at(u, v float64) (x, y float64) {
	x, y = m.h.at(u, v)
	n := len(m.centres)
	if n < 2 {
		return x, y
	}
	i, fu := m.cell(u)
	j, fv := m.cell(v)
	k := j*n + i
	x += (m.ox[k]*(1-fu)+m.ox[k+1]*fu)*(1-fv) + (m.ox[k+n]*(1-fu)+m.ox[k+n+1]*fu)*fv
	y += (m.oy[k]*(1-fu)+m.oy[k+1]*fu)*(1-fv) + (m.oy[k+n]*(1-fu)+m.oy[k+n+1]*fu)*fv
	return x, y
}

// cell is the field of the lattice and how far in it; outside it is its edge.
func (m *mesh) cell(u float64) (int, float64) {
	n := len(m.centres)
	i := 0
	for i < n-2 && u >= float64(m.centres[i+1]) {
		i++
	}
	lo, hi := float64(m.centres[i]), float64(m.centres[i+1])
	return i, min(max((u-lo)/(hi-lo), 0), 1)
}
