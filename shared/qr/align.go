package qr

import "math"

// Alignment patterns are searched around their predicted place on a lattice of
// a quarter of a module.
const (
	alignRadius = 2 // modules
	alignSteps  = 4 // of the lattice in a module
	alignSide   = 2*(alignRadius+2)*alignSteps + 1
	alignSpan   = 2*alignRadius*alignSteps + 1
)

// aligner finds alignment patterns: dark rim, light ring, dark middle.
type aligner struct {
	view   *plane
	values [alignSide * alignSide]int32
	scores [alignSpan * alignSpan]float32
}

// leastAlignment is the correlation under which a pattern is not taken for one.
const leastAlignment = 0.55

// find returns the place of the pattern whose centre is about x, y; steps as of
// homography.steps; radius in modules.
func (a *aligner) find(x, y, rx, ry, dx, dy, radius float64) (float64, float64, bool) {
	reach := int(math.Round(min(radius, alignRadius) * alignSteps))
	edge := reach + 2*alignSteps
	const mid = alignSide / 2
	for v := -edge; v <= edge; v++ {
		fv := float64(v) / alignSteps
		for u := -edge; u <= edge; u++ {
			fu := float64(u) / alignSteps
			a.values[(v+mid)*alignSide+u+mid] = int32(a.view.at(x+fu*rx+fv*dx, y+fu*ry+fv*dy)) >> 4
		}
	}
	best, bu, bv := float32(-1), 0, 0
	const half = alignSpan / 2
	for v := -reach; v <= reach; v++ {
		for u := -reach; u <= reach; u++ {
			s := a.score((v+mid)*alignSide + u + mid)
			a.scores[(v+half)*alignSpan+u+half] = s
			if s > best {
				best, bu, bv = s, u, v
			}
		}
	}
	if best < leastAlignment || bu == -reach || bu == reach || bv == -reach || bv == reach {
		return 0, 0, false
	}
	at := (bv+half)*alignSpan + bu + half
	fu := (float64(bu) + peak(a.scores[at-1], best, a.scores[at+1])) / alignSteps
	fv := (float64(bv) + peak(a.scores[at-alignSpan], best, a.scores[at+alignSpan])) / alignSteps
	return x + fu*rx + fv*dx, y + fu*ry + fv*dy, true
}

// peak is where a parabola through three values is highest.
func peak(left, mid, right float32) float64 {
	d := left - 2*mid + right
	if d >= 0 {
		return 0
	}
	return float64((left - right) / (2 * d))
}

// score is the correlation with the pattern, -1 to 1.
func (a *aligner) score(at int) float32 {
	var sum, squares, light int32
	for dv := -2; dv <= 2; dv++ {
		for du := -2; du <= 2; du++ {
			v := a.values[at+(dv*alignSide+du)*alignSteps]
			sum += v
			squares += v * v >> 8
			if max(du, -du, dv, -dv) == 1 {
				light += v
			}
		}
	}
	mean := float32(sum) / 25
	variance := float32(squares)*256/25 - mean*mean
	if variance < 16*16 { // less than a step of brightness
		return 0
	}
	// 8 light and 17 dark modules: the pattern's own deviation is √(8·17)/25
	between := float32(light)/8 - float32(sum-light)/17
	return between * 0.46648 / float32(math.Sqrt(float64(variance)))
}
