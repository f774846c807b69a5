package psbt

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"unicode/utf16"
)

// Is reports whether a file is a PSBT by its first bytes: binary, or in base64
// or hex as text of any sort (UTF-8 or UTF-16, with or without a byte order
// mark, quoted, wrapped).
func Is(file []byte) bool {
	if isBinary(file) {
		return true
	}
	text := plain(file[:min(len(file), 256)])
	return bytes.HasPrefix(text, []byte("cHNidP")) || bytes.HasPrefix(bytes.ToLower(text), []byte("70736274ff"))
}

func binaryOf(file []byte) ([]byte, error) {
	if len(file) > 4*MaxFile { // hex in UTF-16
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(file), MaxFile)
	}
	if isBinary(file) {
		return bounded(file) // every byte counts
	}
	text := plain(file)
	if b, err := hex.DecodeString(string(text)); err == nil && isBinary(b) {
		return bounded(b)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(string(text))
	switch {
	case err == nil && isBinary(b):
		return bounded(b)
	case bytes.HasPrefix(text, []byte("cHNidP")):
		return nil, fmt.Errorf("%w: it begins as a PSBT in base64, and is damaged or cut short: have it written again", ErrInvalid)
	case bytes.HasPrefix(bytes.ToLower(text), []byte("70736274ff")):
		return nil, fmt.Errorf("%w: it begins as a PSBT in hex, and is damaged or cut short: have it written again", ErrInvalid)
	}
	return nil, fmt.Errorf("%w: neither PSBT nor PSBT in base64 or hex", ErrInvalid)
}

func bounded(b []byte) ([]byte, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(b), MaxFile)
	}
	return b, nil
}

// plain returns the letters of a text file without what editors, shells and
// mail programs put around and between them.
func plain(file []byte) []byte {
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
