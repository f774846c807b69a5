package qr

import "math"

// solve solves a·x = b for a symmetric matrix of n rows, stored row by row; b
// becomes x. False if it has no single answer.
func solve(a, b []float64, n int) bool {
	for c := range n {
		best := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a[r*n+c]) > math.Abs(a[best*n+c]) {
				best = r
			}
		}
		if math.Abs(a[best*n+c]) < 1e-12 {
			return false
		}
		if best != c {
			for k := range n {
				a[c*n+k], a[best*n+k] = a[best*n+k], a[c*n+k]
			}
			b[c], b[best] = b[best], b[c]
		}
		for r := c + 1; r < n; r++ {
			f := a[r*n+c] / a[c*n+c]
			if f == 0 {
				continue
			}
			for k := c; k < n; k++ {
				a[r*n+k] -= f * a[c*n+k]
			}
			b[r] -= f * b[c]
		}
	}
	for c := n - 1; c >= 0; c-- {
		for k := c + 1; k < n; k++ {
			b[c] -= a[c*n+k] * b[k]
		}
		b[c] /= a[c*n+c]
		if math.IsNaN(b[c]) || math.IsInf(b[c], 0) {
			return false
		}
	}
	return true
}

// equations are those of a least-squares fit.
type equations struct {
	n    int
	a, b []float64
}

func newEquations(n int) *equations {
	return &equations{n: n, a: make([]float64, n*n), b: make([]float64, n)}
}

// add adds one equation row·x = value.
func (e *equations) add(row []float64, value float64) {
	for i, v := range row {
		if v == 0 {
			continue
		}
		line := e.a[i*e.n:][:e.n]
		for j, w := range row {
			line[j] += v * w
		}
		e.b[i] += v * value
	}
}

// solve returns x, or nil if there is no single solution. It overwrites the equations.
func (e *equations) solve() []float64 {
	if !solve(e.a, e.b, e.n) {
		return nil
	}
	return e.b
}
