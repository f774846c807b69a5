package tui

// Key is a key that was pressed: an ASCII character, or one of those below.
type Key rune

// Keys that are no character.
const (
	Up Key = 0xf700 + iota
	Down
	PageUp
	PageDown
	Home
	End
	Escape

	CtrlC     Key = 0x03
	CtrlL     Key = 0x0c
	Enter     Key = '\r'
	Backspace Key = 0x7f
)

// maxSequence bounds an escape sequence, in bytes.
const maxSequence = 8

// Decoder turns bytes of a terminal into keys. What it does not know is no
// key.
type Decoder struct {
	sequence []byte // of an escape sequence that is not whole
}

// Feed takes one byte.
func (d *Decoder) Feed(b byte) (Key, bool) {
	switch {
	case len(d.sequence) > 0:
		return d.continued(b)
	case b == 0x1b:
		d.sequence = append(d.sequence, b)
		return 0, false
	case b == '\n':
		return Enter, true
	case b == 0x08:
		return Backspace, true
	case b < 0x20, b == 0x7f, b < 0x7f:
		return Key(b), true
	}
	return 0, false
}

// Pending reports whether an escape sequence has begun.
func (d *Decoder) Pending() bool { return len(d.sequence) > 0 }

// Pause is told when nothing came for a moment: an escape sequence that is
// not whole was the key Escape.
func (d *Decoder) Pause() (Key, bool) {
	alone := len(d.sequence) == 1
	d.Forget()
	return Escape, alone
}

// Forget drops what is not whole.
func (d *Decoder) Forget() { d.sequence = d.sequence[:0] }

func (d *Decoder) continued(b byte) (Key, bool) {
	d.sequence = append(d.sequence, b)
	if len(d.sequence) == 2 && (b == '[' || b == 'O') {
		return 0, false
	}
	if b >= 0x40 && b <= 0x7e || len(d.sequence) >= maxSequence {
		key, ok := sequences[string(d.sequence[1:])]
		d.Forget()
		return key, ok
	}
	return 0, false
}

var sequences = map[string]Key{
	"[A": Up, "[B": Down, "[H": Home, "[F": End, "OA": Up, "OB": Down, "OH": Home, "OF": End,
	"[1~": Home, "[7~": Home, "[4~": End, "[8~": End, "[5~": PageUp, "[6~": PageDown,
}
