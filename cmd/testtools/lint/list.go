package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// key names what is excused: a kind of finding, a file, and a function where
// the finding is about one.
type key struct{ kind, file, name string }

func (k key) String() string { return strings.TrimSpace(k.kind + " " + k.file + " " + k.name) }

// tally is how many lines are long, or how complex a function is.
type tally map[key]int

const header = "# What make lint excuses: kind, file, function, and the most that is allowed.\n" +
	"# The list only shrinks: go run ./cmd/testtools/lint -shrink\n"

// parse reads the text of an exclude list.
func parse(text string) (tally, error) {
	list := make(tally)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		n, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil || len(fields) < 3 || len(fields) > 4 {
			return nil, fmt.Errorf("%s: cannot read %q", listPath, line)
		}
		k := key{kind: fields[0], file: fields[1]}
		if len(fields) == 4 {
			k.name = fields[2]
		}
		list[k] = n
	}
	return list, nil
}

func (l tally) String() string {
	var b strings.Builder
	b.WriteString(header)
	for _, k := range slices.SortedFunc(maps.Keys(l), func(a, b key) int {
		return strings.Compare(a.String(), b.String())
	}) {
		fmt.Fprintf(&b, "%s %d\n", k, l[k])
	}
	return b.String()
}

// judge returns a line for each finding beyond what the list allows.
func (l tally) judge(found tally) []string {
	var bad []string
	for k, n := range found {
		if allowed := l[k]; n > allowed {
			bad = append(bad, describe(k, n, allowed))
		}
	}
	slices.Sort(bad)
	return bad
}

func describe(k key, n, allowed int) string {
	var words string
	switch k.kind {
	case kindLong:
		words = fmt.Sprintf("%d lines over %d columns", n, maxColumns)
	case kindComplex:
		words = fmt.Sprintf("%s has a cognitive complexity of %d, over %d", k.name, n, maxComplexity)
	case kindDead:
		words = k.name + " is never called"
	}
	if allowed > 0 {
		words += fmt.Sprintf(" (%s allows %d)", listPath, allowed)
	}
	return k.file + ": " + words
}

// shrunk returns the list with no more than was found.
func (l tally) shrunk(found tally) tally {
	smaller := make(tally)
	for k, n := range l {
		if now := min(n, found[k]); now > 0 {
			smaller[k] = now
		}
	}
	return smaller
}
