// Package textfile reads text that a person saved: one word of hex or base64, in
// whatever form an editor or a mail program left it.
package textfile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf16"
)

// Bytes returns what a file of hex or base64 stands for; ok is false for
// anything else.
func Bytes(file []byte) (b []byte, ok bool) {
	text := string(Letters(file))
	if b, err := hex.DecodeString(text); err == nil && len(b) > 0 {
		return b, true
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil && len(b) > 0
}

// Letters returns a text file as UTF-8 without what editors, shells and mail
// programs add: a byte order mark, quotes around the text, white space.
func Letters(file []byte) []byte {
	text := fromUTF16(file)
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	text = bytes.TrimSpace(text)
	if n := len(text); n >= 2 && text[0] == text[n-1] && bytes.IndexByte([]byte("\"'`"), text[0]) >= 0 {
		text = text[1 : n-1]
	} else if n >= 1 && bytes.IndexByte([]byte("\"'`"), text[0]) >= 0 {
		text = text[1:] // the first bytes of a quoted text
	}
	return bytes.Join(bytes.Fields(text), nil)
}

// fromUTF16 turns UTF-16 with a byte order mark, or of Latin letters without
// one, into UTF-8. Other bytes come back as they are.
func fromUTF16(file []byte) []byte {
	if len(file) < 2 {
		return file
	}
	big := false
	switch {
	case file[0] == 0xff && file[1] == 0xfe:
		file = file[2:]
	case file[0] == 0xfe && file[1] == 0xff:
		file, big = file[2:], true
	case file[0] != 0 && file[1] == 0:
	case file[0] == 0 && file[1] != 0:
		big = true
	default:
		return file
	}
	units := make([]uint16, len(file)/2)
	for i := range units {
		low, high := file[2*i], file[2*i+1]
		if big {
			low, high = high, low
		}
		units[i] = uint16(high)<<8 | uint16(low)
	}
	return []byte(string(utf16.Decode(units)))
}
