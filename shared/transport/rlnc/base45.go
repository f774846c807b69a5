package rlnc

import "errors"

// alphabet is that of QR's alphanumeric mode, and of base45 (RFC 9285).
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

var errBase45 = errors.New("not base45")

// encode45 writes two bytes as three characters, a last one as two.
func encode45(b []byte) string {
	out := make([]byte, 0, (len(b)*3+1)/2)
	for len(b) >= 2 {
		n := int(b[0])<<8 | int(b[1])
		out = append(out, alphabet[n%45], alphabet[n/45%45], alphabet[n/2025])
		b = b[2:]
	}
	if len(b) == 1 {
		out = append(out, alphabet[b[0]%45], alphabet[b[0]/45])
	}
	return string(out)
}

// decode45 reads what encode45 wrote, and nothing else.
func decode45(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)*2/3)
	for len(s) > 0 {
		n, unit := 0, min(3, len(s))
		for i := unit - 1; i >= 0; i-- {
			d := digit(s[i])
			if d < 0 {
				return nil, errBase45
			}
			n = n*45 + d
		}
		switch {
		case unit == 3 && n <= 0xffff:
			out = append(out, byte(n>>8), byte(n))
		case unit == 2 && n <= 0xff:
			out = append(out, byte(n))
		default:
			return nil, errBase45
		}
		s = s[unit:]
	}
	return out, nil
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	for i := 36; i < len(alphabet); i++ {
		if alphabet[i] == c {
			return i
		}
	}
	return -1
}
