package qr

// samples are brightnesses of a symbol at every half module, one module of its
// surroundings included: 2·dim+3 in each direction, module i at 2i+2.
type samples struct {
	dim, side int
	at        []float32
	// scratch of slice
	centres, mean, decided, contrast, sums []float32
}

// take samples the view over the mesh.
func (s *samples) take(view *plane, m *mesh) {
	s.dim, s.side = m.dim, 2*m.dim+3
	s.at = sized(s.at, s.side*s.side)
	k := 0
	for j := range s.side {
		v := float64(j)/2 - 1
		for i := range s.side {
			x, y := m.at(float64(i)/2-1, v)
			s.at[k] = float32(view.at(x, y))
			k++
		}
	}
}

func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// localRadius, in modules, is the neighbourhood in which light is even enough.
const localRadius = 6

// level replaces brightness by darkness: about +1 dark, -1 light, wherever the
// light falls. First the mean of a neighbourhood is the border; then, with the
// modules decided so, the middle between dark and light there.
func (s *samples) level(l *layout) {
	n := s.dim * s.dim
	s.centres, s.mean = sized(s.centres, n), sized(s.mean, n)
	s.decided, s.contrast = sized(s.decided, n), sized(s.contrast, n)
	for y := range s.dim {
		for x := range s.dim {
			s.centres[y*s.dim+x] = s.at[(2*y+2)*s.side+2*x+2]
		}
	}
	s.box(s.mean, s.centres)
	for i, c := range s.centres {
		d := s.mean[i] - c
		s.contrast[i] = max(d, -d)
		s.decided[i] = 1
		if d < 0 {
			s.decided[i] = -1
		}
		if k := l.known[i]; k != 0 {
			s.decided[i] = float32(k)
		}
	}
	s.box(s.contrast, s.contrast)
	s.box(s.decided, s.decided)
	for i := range s.mean { // centre = middle - contrast·decided, in the mean
		s.mean[i] += s.contrast[i] * s.decided[i]
		s.contrast[i] = 1 / max(s.contrast[i], 64)
	}
	s.normalise()
}

// normalise applies middle and contrast of the nearest module to all samples.
func (s *samples) normalise() {
	for j := range s.side {
		y := min(max((j-1)/2, 0), s.dim-1) * s.dim
		row := s.at[j*s.side:][:s.side]
		for i := range row {
			k := y + min(max((i-1)/2, 0), s.dim-1)
			row[i] = (s.mean[k] - row[i]) * s.contrast[k]
		}
	}
}

// box is the mean over a neighbourhood, cut at the border. out may be in.
func (s *samples) box(out, in []float32) {
	d := s.dim
	s.sums = sized(s.sums, d*d)
	for y := range d {
		slide(s.sums[y*d:], in[y*d:], 1, d)
	}
	for x := range d {
		slide(out[x:], s.sums[x:], d, d)
	}
}

// slide is box along one line of n values, step apart.
func slide(out, in []float32, step, n int) {
	var sum float32
	count := 0
	for i := -localRadius; i < n; i++ {
		if j := i + localRadius; j < n {
			sum += in[j*step]
			count++
		}
		if j := i - localRadius - 1; j >= 0 {
			sum -= in[j*step]
			count--
		}
		if i >= 0 {
			out[i*step] = sum / float32(count)
		}
	}
}
