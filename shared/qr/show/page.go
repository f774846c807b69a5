package show

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"

	"coldkms/shared/qr"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// Page writes symbols as one self-contained page: it opens from a file, loads
// nothing, and repeats them with controls for speed, size, pause and single
// steps. Its policy lets the browser run this script only. rate is symbols a
// second to begin with.
func Page(w io.Writer, title string, list []qr.Matrix, rate int) error {
	if err := sameSize(list); err != nil {
		return err
	}
	head, tail, _ := strings.Cut(pageHTML, "{{PARTS}}")
	fill := strings.NewReplacer(
		"{{SCRIPT}}", digest(pageJS), "{{STYLE}}", digest(pageCSS),
		"{{TITLE}}", html.EscapeString(title), "{{RATE}}", strconv.Itoa(min(max(rate, 1), 20)),
		"{{CSS}}", pageCSS, "{{JS}}", pageJS,
	)
	out := bufio.NewWriter(w)
	_, _ = fill.WriteString(out, head) // Flush gives the first error of all
	for _, m := range list {
		_, _ = fmt.Fprintf(out, "%d:%s\n", m.Side(), base64.StdEncoding.EncodeToString(pack(m)))
	}
	_, _ = fill.WriteString(out, tail)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("show: %w", err)
	}
	return nil
}

// digest is a source of a content security policy.
func digest(s string) string {
	d := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(d[:])
}

// pack puts modules row by row, eight a byte, the first highest.
func pack(m qr.Matrix) []byte {
	side := m.Side()
	b := make([]byte, (side*side+7)/8)
	for i := range side * side {
		if m.Dark(i%side, i/side) {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	return b
}
