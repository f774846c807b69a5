// Package screen judges text by what a terminal shows of it.
package screen

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// blanks are symbols and letters that are shown as nothing, or stand for something
// that is not there: a Braille pattern without dots, the object replacement
// character, a joiner of Brahmi numbers, a Khitan filler and a musical null notehead.
const blanks = "\u2800\ufffc\U0001107f\U00016fe4\U0001d159"

// Deceives reports whether a character is shown as nothing, or changes how others
// are shown: controls, formats such as bidirectional marks and zero-width
// characters, separators of lines, private use, fillers and variation selectors.
func Deceives(r rune) bool {
	return r == utf8.RuneError || strings.ContainsRune(blanks, r) ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
