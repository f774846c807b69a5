package qr

// Blur mixes a module with its neighbours. Where the colour of a module is known
// (squares, alignment patterns, timing, version), a filter over the samples
// around it is fitted that gives the colour; it then serves everywhere.

const (
	taps     = 25       // 5×5 half modules
	unknowns = taps + 1 // and a constant
)

type equaliser struct {
	weights [unknowns]float32
	out     []float32 // for each module: dark above 0
	row     [unknowns]float64
	a       [unknowns * unknowns]float64
	b       [unknowns]float64
}

// plain takes the sample in the middle of each module.
func (e *equaliser) plain(s *samples) {
	e.weights = [unknowns]float32{taps / 2: 1}
	e.apply(s)
}

func (e *equaliser) apply(s *samples) {
	e.out = sized(e.out, s.dim*s.dim)
	w := &e.weights
	for y := range s.dim {
		out := e.out[y*s.dim:][:s.dim]
		for x := range out {
			sum := w[taps]
			for r := range 5 {
				v := s.at[(2*y+r)*s.side+2*x:][:5]
				c := w[r*5:][:5]
				sum += v[0]*c[0] + v[1]*c[1] + v[2]*c[2] + v[3]*c[3] + v[4]*c[4]
			}
			out[x] = sum
		}
	}
}

// learn fits the filter: to known modules, and if decided, to what was decided
// of the others, as far as it was decided clearly.
func (e *equaliser) learn(s *samples, l *layout, decided bool) bool {
	clear(e.a[:])
	clear(e.b[:])
	stride := max(1, s.dim*s.dim/learnFrom)
	for i, k := range l.known {
		target := float64(k)
		if k == 0 {
			if !decided || i%stride != 0 || max(e.out[i], -e.out[i]) < 0.3 {
				continue
			}
			target = 1
			if e.out[i] < 0 {
				target = -1
			}
		}
		e.add(s, i, target)
	}
	for i := range taps {
		e.a[i*unknowns+i] += ridge * float64(l.total) // keeps weights small where there is little to learn from
	}
	e.mirror()
	if !solve(e.a[:], e.b[:], unknowns) {
		return false
	}
	for i, v := range e.b {
		e.weights[i] = float32(v)
	}
	return true
}

const (
	learnFrom = 6000 // decided modules at most, about
	ridge     = 0.003
)

func (e *equaliser) add(s *samples, module int, target float64) {
	y, x := module/s.dim, module%s.dim
	for r := range 5 {
		for c, v := range s.at[(2*y+r)*s.side+2*x:][:5] {
			e.row[r*5+c] = float64(v)
		}
	}
	e.row[taps] = 1
	for i, v := range e.row {
		line := e.a[i*unknowns:][:unknowns]
		for j := i; j < unknowns; j++ {
			line[j] += v * e.row[j]
		}
		e.b[i] += v * target
	}
}

func (e *equaliser) mirror() {
	for i := range unknowns {
		for j := range i {
			e.a[i*unknowns+j] = e.a[j*unknowns+i]
		}
	}
}

// mistakes are the known modules of the wrong colour, in 1/1000.
func (e *equaliser) mistakes(l *layout) int {
	n := 0
	for i, k := range l.known {
		if k != 0 && (e.out[i] > 0) != (k > 0) {
			n++
		}
	}
	return n * 1000 / l.total
}
