package qr

import (
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/common"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// decode corrects errors and reads the content of a symbol given by its
// modules, dark above 0.
func decode(modules []float32, l *layout) (s Symbol, ok bool) {
	// gozxing indexes by what the symbol says of itself; a picture must not end
	// the program, so whatever it meets there is a symbol that was not read.
	defer func() {
		if recover() != nil {
			s, ok = Symbol{}, false
		}
	}()
	bits, err := gozxing.NewSquareBitMatrix(l.dim)
	if err != nil {
		return Symbol{}, false
	}
	for i, v := range modules {
		if v > 0 {
			bits.Set(i%l.dim, i/l.dim)
		}
	}
	// without a hint gozxing guesses the character set
	r, err := decoder.NewDecoder().Decode(bits, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_CHARACTER_SET: "ISO-8859-1",
	})
	if err != nil || r == nil {
		return Symbol{}, false
	}
	return Symbol{Text: r.GetText(), Bytes: content(r), Version: l.version}, true
}

// content undoes ISO 8859-1, unless the symbol declares a character set.
func content(r *common.DecoderResult) []byte {
	const declared = 2 // modifiers 2, 4, 6: an ECI is in effect (ISO/IEC 18004, annex F)
	text := r.GetText()
	if m := r.GetSymbologyModifier(); m != 0 && m%declared == 0 {
		return []byte(text)
	}
	b := make([]byte, 0, len(text))
	for _, c := range text {
		if c > 0xff { // Kanji
			return []byte(text)
		}
		b = append(b, byte(c))
	}
	return b
}
