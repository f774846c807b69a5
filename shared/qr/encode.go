package qr

import (
	"errors"
	"fmt"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/skip2/go-qrcode"

	"coldkms/shared/parallel"
)

// ErrTooLong is returned for content that no symbol holds.
var ErrTooLong = errors.New("too long for a symbol")

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

// Encode makes a symbol of level L, of the given version or as much larger as
// the content needs; 0 is the smallest. Upper-case letters, digits and
// " $%*+-./:" take 5½ bits a character, digits 3⅓, all else 8.
func Encode(content string, version int) (Matrix, error) {
	if version < 0 || version > 40 {
		return Matrix{}, fmt.Errorf("qr: version %d is not 0–40", version)
	}
	if content == "" {
		return Matrix{}, errors.New("qr: nothing to encode")
	}
	var code *qrcode.QRCode
	err := ErrTooLong
	if version > 0 {
		code, err = qrcode.NewWithForcedVersion(content, version, qrcode.Low)
	}
	if err != nil {
		code, err = qrcode.New(content, qrcode.Low)
	}
	if err != nil {
		return Matrix{}, fmt.Errorf("qr: %w: %d bytes", ErrTooLong, len(content))
	}
	code.DisableBorder = true
	return Matrix{code.VersionNumber, code.Bitmap()}, nil
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

// ByteCapacity is how many bytes a version holds at level L.
func ByteCapacity(version int) int {
	return (dataBits(version) - 4 - countBits(version, 8, 16, 16)) / 8
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

// EncodeAll makes symbols that are all of one size: of the given version, or of
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
