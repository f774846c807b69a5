package tui

import (
	"fmt"
	"strings"
)

type screen struct {
	width int
	lines []Line
}

func (s *screen) add(style Style, text string) {
	s.lines = append(s.lines, Line{Text: fit(text, s.width), Style: style})
}

// pad adds empty lines, or takes some away, until there are n.
func (s *screen) pad(n int) {
	for len(s.lines) < n {
		s.lines = append(s.lines, Line{})
	}
	s.lines = s.lines[:n]
}

// ascii escapes whatever is not printable ASCII, so that a character is a
// column.
func ascii(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r >= ' ' && r < 0x7f {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// fit cuts a text to n columns; "~" at the end says that there was more.
func fit(s string, n int) string {
	s = ascii(s)
	if len(s) <= n {
		return s
	}
	return s[:n-1] + "~"
}

// tail is the end of a line that is typed, where it is too long.
func tail(s string, n int) string {
	if s = ascii(s); len(s) > n {
		return s[len(s)-n:]
	}
	return s
}

// wrap breaks a text into lines of at most width columns, at a space where
// there is one; what continues a line is indented as the line was.
func wrap(text string, width int) []string {
	var out []string
	for l := range strings.Lines(text) {
		l = ascii(strings.TrimSuffix(l, "\n"))
		indent := l[:min(len(l)-len(strings.TrimLeft(l, " ")), width/2)]
		for len(l) > width {
			at := strings.LastIndexByte(l[:width+1], ' ')
			if at <= len(indent) {
				at = width
			}
			out = append(out, strings.TrimRight(l[:at], " "))
			l = indent + strings.TrimLeft(l[at:], " ")
		}
		out = append(out, l)
	}
	return out
}
