// Package screen judges text by what a terminal shows of it.
package screen

import (
	"unicode"
	"unicode/utf8"
)

// brailleBlank is a symbol that is shown as nothing.
const brailleBlank = '\u2800'

// Deceives reports whether a character is shown as nothing, or changes how others
// are shown: controls, formats such as bidirectional marks and zero-width
// characters, separators of lines, private use, fillers and variation selectors.
func Deceives(r rune) bool {
	return r == utf8.RuneError || r == brailleBlank ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
