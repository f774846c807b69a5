package psbt

import (
	"bytes"
	"fmt"

	"coldkms/shared/textfile"
)

// Is reports whether a file is a PSBT by its first bytes: binary, or in base64
// or hex as text of any sort (UTF-8 or UTF-16, with or without a byte order
// mark, quoted, wrapped).
func Is(file []byte) bool {
	if isBinary(file) {
		return true
	}
	text := textfile.Letters(file[:min(len(file), 256)])
	return beginsInBase64(text) || beginsInHex(text)
}

func beginsInBase64(text []byte) bool { return bytes.HasPrefix(text, []byte("cHNidP")) }

func beginsInHex(text []byte) bool {
	return bytes.HasPrefix(bytes.ToLower(text[:min(len(text), 10)]), []byte("70736274ff"))
}

func binaryOf(file []byte) ([]byte, error) {
	if len(file) > 4*MaxFile { // hex in UTF-16
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(file), MaxFile)
	}
	if isBinary(file) {
		return bounded(file) // every byte counts
	}
	if b, ok := textfile.Bytes(file); ok && isBinary(b) {
		return bounded(b)
	}
	const damaged = "%w: it begins as a PSBT in %s, and is damaged or cut short: have it written again"
	switch text := textfile.Letters(file); {
	case beginsInBase64(text):
		return nil, fmt.Errorf(damaged, ErrInvalid, "base64")
	case beginsInHex(text):
		return nil, fmt.Errorf(damaged, ErrInvalid, "hex")
	}
	return nil, fmt.Errorf("%w: neither PSBT nor PSBT in base64 or hex", ErrInvalid)
}

func bounded(b []byte) ([]byte, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(b), MaxFile)
	}
	return b, nil
}
