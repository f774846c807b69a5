// Package show draws symbols: on a terminal, as PNG, as animated GIF, as a page
// that a browser opens from a file. The quiet zone of four modules is always
// drawn, and light, whatever surrounds it: without it a camera finds nothing.
package show

import (
	"strings"

	"coldkms/shared/qr"
)

// Quiet is the width of the quiet zone, in modules.
const Quiet = 4

// Style is how a terminal draws modules.
type Style int

// Styles. Coloured sets black on white itself, and so suits every terminal that
// knows 256 colours. The others are for those that do not, or whose font has no
// half blocks: they rely on the colours that the terminal has.
const (
	Unknown Style = iota
	Coloured
	OnDark      // half blocks, light text on a dark ground
	OnLight     // half blocks, dark text on a light ground
	HashOnDark  // two # a module, light on dark
	HashOnLight // two # a module, dark on light
)

// Text draws a symbol in lines of text: half blocks hold two modules one above
// the other, so that modules are square where characters are twice as high as
// wide; of # there are two a module.
func Text(m qr.Matrix, style Style) string {
	if style == HashOnDark || style == HashOnLight {
		return hashes(m, style == HashOnLight)
	}
	return blocks(m, style)
}

// Size is how many columns and rows Text takes for a version.
func Size(version int, style Style) (columns, rows int) {
	side := 17 + 4*version + 2*Quiet
	if style == HashOnDark || style == HashOnLight {
		return 2 * side, side
	}
	return side, (side + 1) / 2
}

const (
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	reset        = "\x1b[0m"
)

// blocks by what they ink: nothing, the upper half, the lower, both.
var blocksOf = [4]string{" ", "▀", "▄", "█"}

func blocks(m qr.Matrix, style Style) string {
	var b strings.Builder
	side := m.Side()
	for y := -Quiet; y < side+Quiet; y += 2 {
		if style == Coloured {
			b.WriteString(blackOnWhite)
		}
		for x := -Quiet; x < side+Quiet; x++ {
			upper, lower := m.Dark(x, y), m.Dark(x, y+1)
			ink := 0
			if upper != (style == OnDark) {
				ink |= 1
			}
			if lower != (style == OnDark) {
				ink |= 2
			}
			b.WriteString(blocksOf[ink])
		}
		if style == Coloured {
			b.WriteString(reset)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func hashes(m qr.Matrix, inkDark bool) string {
	var b strings.Builder
	side := m.Side()
	for y := -Quiet; y < side+Quiet; y++ {
		for x := -Quiet; x < side+Quiet; x++ {
			if m.Dark(x, y) == inkDark {
				b.WriteString("##")
			} else {
				b.WriteString("  ")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
