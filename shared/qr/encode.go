package qr

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"coldkms/shared/parallel"
)

// ErrTooLong is returned for content that no symbol holds.
var ErrTooLong = errors.New("too long for a symbol")

const (
	maxVersion = 40
	maxContent = 7089 // digits in a symbol of version 40
)

// Matrix is a symbol without its quiet zone.
type Matrix struct {
	Version int // 1–40
	rows    [][]bool
}

// Side is the number of modules in each direction.
func (m Matrix) Side() int { return len(m.rows) }

// Dark reports whether a module is dark. Outside the symbol everything is light.
func (m Matrix) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && y < len(m.rows) && x < len(m.rows) && m.rows[y][x]
}

// Encode returns a symbol of level L, of the given version or as much larger as
// the content needs; version 0 means the smallest. Content of digits only takes
// 3⅓ bits a character, of upper-case letters, digits and " $%*+-./:" 5½, and
// any other 8 bits a byte. Content that is not UTF-8 is an error.
func Encode(content string, version int) (Matrix, error) {
	switch {
	case version < 0 || version > maxVersion:
		return Matrix{}, fmt.Errorf("qr: version %d is not 0–40", version)
	case content == "":
		return Matrix{}, errors.New("qr: nothing to encode")
	case !utf8.ValidString(content):
		return Matrix{}, errors.New("qr: content is not UTF-8")
	case len(content) > maxContent:
		return Matrix{}, fmt.Errorf("qr: %w: %d bytes", ErrTooLong, len(content))
	}
	for v := max(version, 1); v <= maxVersion; v++ {
		hints := map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_QR_VERSION: v}
		code, err := encoder.Encoder_encode(content, decoder.ErrorCorrectionLevel_L, hints)
		if err == nil {
			return newMatrix(v, code.GetMatrix()), nil
		}
	}
	return Matrix{}, fmt.Errorf("qr: %w: %d bytes", ErrTooLong, len(content))
}

func newMatrix(version int, m *encoder.ByteMatrix) Matrix {
	rows := make([][]bool, m.GetHeight())
	for y := range rows {
		rows[y] = make([]bool, m.GetWidth())
		for x := range rows[y] {
			rows[y][x] = m.Get(x, y) == 1
		}
	}
	return Matrix{version, rows}
}

// Capacity is how many alphanumeric characters a version holds at level L.
func Capacity(version int) int {
	bits := dataBits(version) - 4 - countBits(version, 9, 11, 13)
	n := 2 * (bits / 11)
	if bits%11 >= 6 {
		n++
	}
	return n
}

func dataBits(version int) int {
	v, err := decoder.Version_GetVersionForNumber(version)
	if err != nil {
		return 0
	}
	blocks := v.GetECBlocksForLevel(decoder.ErrorCorrectionLevel_L)
	n := 0
	for _, b := range blocks.GetECBlocks() {
		n += b.GetCount() * b.GetDataCodewords()
	}
	return 8 * n
}

// countBits is the width of the length, in versions to 9, to 26 and above.
func countBits(version, small, middle, large int) int {
	switch {
	case version <= 9:
		return small
	case version <= 26:
		return middle
	}
	return large
}

// EncodeAll returns symbols that are all of one size: of the given version, or of
// the smallest that holds each. It uses all cores.
func EncodeAll(contents []string, version int) ([]Matrix, error) {
	list, err := encodeEach(contents, version)
	if err != nil {
		return nil, err
	}
	need := 0
	for _, m := range list {
		need = max(need, m.Version)
	}
	for i, m := range list {
		if m.Version < need {
			if list[i], err = Encode(contents[i], need); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func encodeEach(contents []string, version int) ([]Matrix, error) {
	list, errs := make([]Matrix, len(contents)), make([]error, len(contents))
	parallel.Each(len(contents), func(i int) { list[i], errs[i] = Encode(contents[i], version) })
	return list, errors.Join(errs...)
}
