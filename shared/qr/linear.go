package qr

import "math"

// solve solves a·x = b for a symmetric matrix of n rows, stored row by row; b
// becomes x. It returns false if there is no single solution.
func solve(a, b []float64, n int) bool {
	for c := range n {
		if !pivot(a, b, n, c) {
			return false
		}
		for r := c + 1; r < n; r++ {
			eliminate(a, b, n, c, r)
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

// pivot swaps row c with the row below whose element of column c is largest.
func pivot(a, b []float64, n, c int) bool {
	best := c
	for r := c + 1; r < n; r++ {
		if math.Abs(a[r*n+c]) > math.Abs(a[best*n+c]) {
			best = r
		}
	}
	if best != c {
		for k := range n {
			a[c*n+k], a[best*n+k] = a[best*n+k], a[c*n+k]
		}
		b[c], b[best] = b[best], b[c]
	}
	return math.Abs(a[c*n+c]) >= 1e-12
}

// eliminate takes a multiple of row c off row r, so that column c of r is 0.
func eliminate(a, b []float64, n, c, r int) {
	f := a[r*n+c] / a[c*n+c]
	if f == 0 {
		return
	}
	for k := c; k < n; k++ {
		a[r*n+k] -= f * a[c*n+k]
	}
	b[r] -= f * b[c]
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
