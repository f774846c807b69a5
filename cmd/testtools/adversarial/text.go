//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
)

// text is something that must not reach a terminal as it is.
type text struct{ name, text string }

func texts() []text {
	return []text{
		{"clears the screen", "\x1b[2J\x1b[H"},
		{"hides itself", "\x1b[8mhidden\x1b[0m"},
		{"goes up a line and writes over it", "\x1b[1A\x1b[2KOK"},
		{"sets the window's title", "\x1b]0;title\x07"},
		{"links elsewhere", "\x1b]8;;http://a.example\x1b\\x\x1b]8;;\x1b\\"},
		{"writes the clipboard", "\x1b]52;c;cm0gLXJm\x07"},
		{"asks the terminal to type", "\x1b[6n\x1b[c\x1bP$q\"p\x1b\\"},
		{"CSI of one byte", "\x9b2J"},
		{"CSI of one byte in UTF-8", "\u009b2J"},
		{"NEL and other C1", "a\u0085b\u0090c\u009dd"},
		{"turns the line round", "tb1q\u202edrow\u202c"},
		{"isolates", "\u2066x\u2069\u2067y\u2069"},
		{"Arabic mark", "\u061cx\u200f"},
		{"zero width", "a\u200bb\u200cc\u200dd\u2060e\ufeff"},
		{"soft hyphen", "a\u00adb"},
		{"tags", "\U000e0041\U000e0042\U000e007f"},
		{"other format characters", "\u0600a\u180eb\ufff9c\ufffad\ufffbe\U00013430f\U0001d173g"},
		{"variants and fillers", "a\ufe0fb\u3164c\u115fd\U000e0100e"},
		{"homoglyphs", "ВТС"}, // Cyrillic
		{"fullwidth", "ＢＴＣ"},
		{"combining marks", "B\u0337T\u0337C\u0337" + strings.Repeat("\u0300", 20)},
		{"line separators", "a\u2028b\u2029c"},
		{"a new line and a lie", "x\n\nbatch digest  0000\nOK"},
		{"carriage return", "refused\rOK     "},
		{"backspaces", "refused\b\b\b\b\b\b\bOK     "},
		{"bells and shifts", "\a\x0e\x0f\x05\x11"},
		{"NUL and DEL", "a\x00b\x7fc"},
		{"vertical", "a\x0bb\x0cc"},
		{"invalid UTF-8", "a\xff\xfe\xc0\xafb"},
		{"a half character", "a\xe2\x82"},
		{"a surrogate", "a\xed\xa0\x80b"},
		{"shell", "$(reboot)`reboot`;reboot|sh"},
		{"formats", "%s%n%x%!d(MISSING)"},
		{"JSON", `","verdict":"ok","x":"`},
	}
}

// texts stand where ids and names should: nothing of such a request is shown.
func (c *corpus) texts() {
	for _, t := range texts() {
		for _, field := range []struct {
			name string
			set  func(*payment)
		}{
			{"pending id", func(p *payment) { p.id = t.text }},
			{"signature id", func(p *payment) { p.keys[0].SignatureID = t.text }},
			{"chain", func(p *payment) { p.chain = chain.ID(t.text) }},
			{"family", func(p *payment) { p.family = t.text }},
		} {
			c.one(field.name+" "+t.name, c.pay(chain.BTC).with(field.set), invalid("bundle is not valid"))
		}
	}
	for _, id := range []string{"", ".", "..", "../x", "a/b", `a\b`, "C:x", "a b", "~", "a.b", strings.Repeat("a", 65),
		strings.Repeat("a", 100_000)} {
		c.one(fmt.Sprintf("pending id %.20q of %d", id, len(id)), c.pay(chain.BTC).with(func(p *payment) { p.id = id }),
			invalid("bundle is not valid"))
	}
}

// names are those of files and folders.
func (c *corpus) names() {
	good := c.file(c.pay(chain.BTC).with(func(p *payment) { p.msg.TxOut = nil }))
	for _, t := range texts() {
		name := strings.NewReplacer("/", "_", "\x00", "_").Replace(t.text)
		dir := filepath.Join(inputs, fmt.Sprintf("named-%d", len(c.cases)))
		check(os.Mkdir(filepath.Join(c.dir, dir), 0o700))
		check(os.WriteFile(filepath.Join(c.dir, dir, name), []byte("garbage"), 0o600))
		c.put(Case{Name: "file name " + t.name, Path: quoted(filepath.Join(dir, name)), Exit: cli.BadBundle,
			Says: "bundle is not valid"})
		c.put(Case{Name: "missing file " + t.name, Path: quoted(filepath.Join(dir, "no", name)), Exit: cli.Failed,
			Says: "there is no file or folder"})
		check(os.WriteFile(filepath.Join(c.dir, dir, name+".kmsreq"), good, 0o600))
		c.put(Case{Name: "file in a folder " + t.name, Path: dir, Exit: cli.Refused, Code: chain.NoOutputs})
	}
}
