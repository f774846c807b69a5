package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// number is a JSON number kept as it was written: amounts never pass through
// floating point.
type number string

// UnmarshalJSON takes a number, and not a number in a string.
func (n *number) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') {
		return fmt.Errorf("%.40s is not a number", b)
	}
	*n = number(b)
	return nil
}

// looseNumber is a number, or a number in a string.
type looseNumber string

// UnmarshalJSON takes both forms.
func (n *looseNumber) UnmarshalJSON(b []byte) error {
	var inner string
	if json.Unmarshal(b, &inner) == nil && inner != "" {
		b = []byte(inner)
	}
	return (*number)(n).UnmarshalJSON(bytes.TrimSpace(b))
}

// Limits on how an amount may be written.
const (
	maxDigits   = 64
	maxExponent = 30
)

// parseAmount reads a positive decimal of coin units as an integer of the
// smallest unit. JavaScript writes small numbers as 1e-7, so exponents are
// read; digits below the smallest unit are an error unless they are zeros.
func parseAmount(text string, decimals int, limit int64) (int64, error) {
	mantissa, exponent, err := splitExponent(text)
	if err != nil {
		return 0, err
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if whole == "" || strings.Trim(digits, "0123456789") != "" || strings.HasSuffix(mantissa, ".") {
		return 0, fmt.Errorf("%.40q is not an amount", text)
	}
	shift := decimals - len(fraction) + exponent
	if shift < 0 {
		cut := max(len(digits)+shift, 0)
		if strings.Trim(digits[cut:], "0") != "" {
			return 0, fmt.Errorf("%.40s has more than %d decimals", text, decimals)
		}
		digits = digits[:cut]
	} else {
		digits += strings.Repeat("0", shift)
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, fmt.Errorf("%.40s is not above zero", text)
	}
	value, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || value > limit {
		return 0, fmt.Errorf("%.40s is more than there is", text)
	}
	return value, nil
}

func splitExponent(text string) (mantissa string, exponent int, err error) {
	if len(text) > maxDigits {
		return "", 0, fmt.Errorf("%.40s… is too long for an amount", text)
	}
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return text, 0, nil
	}
	exponent, err = strconv.Atoi(text[i+1:])
	if err != nil || exponent > maxExponent || exponent < -maxExponent {
		return "", 0, fmt.Errorf("%.40q is not an amount", text)
	}
	return text[:i], exponent, nil
}

// formatAmount writes smallest units as coin units, without trailing zeros.
func formatAmount(value int64, decimals int) json.Number {
	text := fmt.Sprintf("%0*d", decimals+1, value)
	cut := len(text) - decimals
	return json.Number(strings.TrimSuffix(strings.TrimRight(text[:cut]+"."+text[cut:], "0"), "."))
}
