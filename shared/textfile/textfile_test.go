package textfile_test

import (
	"bytes"
	"testing"
	"unicode/utf16"

	"coldkms/shared/textfile"
)

func wide(s string, big, mark bool) string {
	var b []byte
	if mark {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

func TestBytes(t *testing.T) {
	want := []byte{0x02, 0x00, 0xab, 0xcd, 0xef, 0x77}
	for name, file := range map[string]string{
		"hex": "0200abcdef77", "capitals": "0200ABCDEF77\n", "wrapped": "0200ab\r\ncdef\t77", "base64": "AgCrze93",
		"mark": "\ufeff0200abcdef77", "quoted": "\"AgCrze93\"\n", "ticks": "`0200abcdef77`", "spaces": "  AgCr ze93  ",
		"UTF-16 LE": wide("AgCrze93", false, true), "UTF-16 BE": wide("AgCrze93\r\n", true, true),
		"without mark":    wide("0200abcdef77", false, false),
		"BE without mark": wide("0200abcdef77", true, false), "UTF-16, quoted": wide("'AgCrze93'", false, true),
	} {
		if got, ok := textfile.Bytes([]byte(file)); !ok || !bytes.Equal(got, want) {
			t.Errorf("%s: %x (%t)", name, got, ok)
		}
	}
	for _, file := range []string{"", "\n", "\"", "hello world", "0200abcdef7", "AgCrze9", "\xff\xfe", "\x00"} {
		if got, ok := textfile.Bytes([]byte(file)); ok {
			t.Errorf("%q reads as %x", file, got)
		}
	}
}
