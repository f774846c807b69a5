// Package qr makes QR symbols (ISO/IEC 18004) and reads them out of pictures.
//
// The way from a picture to text: half its size first, then others (attempt.go);
// the three big squares by the ratio of their runs between highs and lows, not
// by a threshold (finder.go), and by rays from their centres (ray.go, square.go);
// which three belong together (triple.go); the version as it is written beside
// them (version.go); a perspective over all alignment patterns, with what
// remains bent corrected between them (mesh.go, align.go); two samples a module
// in each direction (sample.go); and an equaliser that learns, from the modules
// whose colour is known, how this picture is blurred (equalise.go). Error
// correction and the text are gozxing's.
//
// A picture is hostile: it costs bounded time and memory, and never a panic.
package qr

// Point is a place in a picture, in pixels; the centre of the first pixel is
// 0, 0.
type Point struct{ X, Y float64 }

// Symbol is what was read.
type Symbol struct {
	Text    string   // as text; bytes without a declared character set are taken for ISO 8859-1
	Bytes   []byte   // the content itself, exact for every mode but Kanji, and text in a declared set, which are UTF-8
	Version int      // 1–40
	Corners [4]Point // outer corners: top left, top right, bottom right, bottom left of the symbol
}

// dimension is the side of a symbol in modules.
func dimension(version int) int { return 17 + 4*version }
