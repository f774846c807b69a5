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
	Pasted  // is no key: text was pasted, and is ignored
	Unended // is no key: the terminal has begun a text, or pasted text, that does not end

	CtrlC     Key = 0x03
	CtrlL     Key = 0x0c
	Enter     Key = '\r'
	Backspace Key = 0x7f
)

// Decoder turns bytes of a terminal into keys, by the syntax of ECMA-48: what a
// terminal sends beside keys, however long it is and however it is split, is
// never a key, nor is any part of it. Nothing but Escape alone is decided by
// time.
type Decoder struct {
	state    state
	sequence []byte // of a control sequence; its beginning, where that is long
	skip     int    // bytes that belong to a sequence that has ended
	more     int    // bytes that belong to a character of UTF-8
	lead     byte   // of that
	told     bool   // that a text does not end
}

type state uint8

const (
	ground       state = iota
	escape             // after ESC
	late               // after ESC that was the key Escape
	intermediate       // after ESC and an intermediate byte, or SS2
	control            // in a control sequence
	single             // after SS3
	text               // in a control string, until ST
	textEscape         // in one, after ESC
	paste              // in pasted text
	quiet              // until nothing comes for a moment
)

// maxSequence bounds what is remembered of a control sequence, in bytes. No
// longer one is a key.
const maxSequence = 16

// The control characters that matter here, of both sets.
const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
	ss2 = 0x8e
	ss3 = 0x8f
	dcs = 0x90
	sos = 0x98
	csi = 0x9b
	st  = 0x9c
	osc = 0x9d
	pm  = 0x9e
	apc = 0x9f
)

// Feed takes one byte.
func (d *Decoder) Feed(b byte) (Key, bool) {
	switch {
	case d.state == quiet:
		return CtrlC, b == byte(CtrlC)
	case b == byte(CtrlC):
		d.reset(ground)
		return CtrlC, true
	case d.skip > 0:
		d.skip--
		return 0, false
	case b < 0x80:
		d.more = 0
		return d.plain(b)
	}
	if c, is := d.upper(b); is && d.state != paste {
		d.begin(c)
	}
	return 0, false
}

// upper reads a byte above ASCII, and returns the control character that it
// is, alone or as a character of UTF-8.
func (d *Decoder) upper(b byte) (c byte, is bool) {
	continues := b < 0xc0
	switch {
	case continues && d.more > 0:
		d.more--
		return b, d.more == 0 && d.lead == 0xc2 && b < 0xa0
	case continues:
		return b, b < 0xa0
	case b >= 0xf0:
		d.more = 3
	case b >= 0xe0:
		d.more = 2
	default:
		d.more = 1
	}
	d.lead = b
	return 0, false
}

// plain is an ASCII byte.
func (d *Decoder) plain(b byte) (Key, bool) {
	switch d.state {
	case paste:
		d.pasted(b)
		return 0, false
	case control, single:
		return d.parameter(b)
	case text, textEscape:
		d.within(b)
		return 0, false
	case escape, intermediate:
		d.escaped(b)
		return 0, false
	case late:
		d.reset(ground)
		if c, is := second[b]; is {
			d.begin(c)
			return 0, false
		}
	}
	return d.character(b)
}

// character is a byte outside of everything.
func (d *Decoder) character(b byte) (Key, bool) {
	switch b {
	case esc:
		d.reset(escape)
		return 0, false
	case '\n':
		return Enter, true
	case 0x08:
		return Backspace, true
	}
	return Key(b), true
}

// second are the bytes that stand, after ESC, for control characters of the
// second set that more follows.
var second = map[byte]byte{'N': ss2, 'O': ss3, 'P': dcs, 'X': sos, '[': csi, ']': osc, '^': pm, '_': apc}

// escaped is a byte after ESC.
func (d *Decoder) escaped(b byte) {
	c, is := second[b]
	switch {
	case b == esc:
		d.reset(escape)
	case b == can, b == sub:
		d.reset(ground)
	case b < ' ': // is no part of the sequence, and no key in it
	case d.state == escape && is:
		d.begin(c)
	case b < '0':
		d.state = intermediate
	default:
		d.reset(ground)
	}
}

// begin starts what a control character of the second set begins.
func (d *Decoder) begin(c byte) {
	if d.state == text || d.state == textEscape {
		if c == st {
			d.reset(ground)
		}
		return
	}
	switch c {
	case csi:
		d.reset(control)
	case osc, dcs, sos, pm, apc:
		d.reset(text)
		d.sequence = append(d.sequence, c)
	case ss2:
		d.reset(intermediate)
	case ss3:
		d.reset(single)
	default:
		d.reset(ground)
	}
}

// parameter is a byte in a control sequence, or after SS3, where old
// terminals send parameters too.
func (d *Decoder) parameter(b byte) (Key, bool) {
	switch {
	case b == esc:
		d.reset(escape)
	case b == can, b == sub:
		d.reset(ground)
	case b < ' ', b == del: // is no part of the sequence, and no key in it
	case b < 0x40:
		if len(d.sequence) < maxSequence {
			d.sequence = append(d.sequence, b)
		}
	default:
		return d.final(b)
	}
	return 0, false
}

// final ends a control sequence.
func (d *Decoder) final(b byte) (Key, bool) {
	name, inControl := string(append(d.sequence, b)), d.state == control
	d.reset(ground)
	switch {
	case inControl && name == pasteBegins:
		d.reset(paste)
		return Pasted, true
	case inControl && name == "[": // a function key of the Linux console: ESC [ [ A
		d.skip = 1
	case inControl && name == "M": // a mouse that somebody left on: button, column, row
		d.skip = 3
	}
	key, known := sequences[name]
	return key, known
}

const pasteBegins, pasteEnds = "200~", "\x1b[201~"

// pasted looks for the end of pasted text, and nothing else. A terminal lets
// none be pasted; where one does, what follows is pasted too, and dropped until
// nothing comes any more.
func (d *Decoder) pasted(b byte) {
	if d.sequence = append(d.sequence, b); b != pasteEnds[len(d.sequence)-1] {
		d.sequence = d.sequence[:0]
		if b == esc {
			d.sequence = append(d.sequence, b)
		}
	}
	if len(d.sequence) == len(pasteEnds) {
		d.reset(quiet)
	}
}

// within is a byte of a control string. ST ends it; BEL ends that of an
// operating system command.
func (d *Decoder) within(b byte) {
	switch {
	case b == can, b == sub, b == bel && d.sequence[0] == osc, b == '\\' && d.state == textEscape:
		d.reset(ground)
	case b == esc:
		d.state = textEscape
	default:
		d.state = text
	}
}

func (d *Decoder) reset(s state) {
	d.state, d.sequence, d.skip, d.told = s, d.sequence[:0], 0, false
}

// Pending reports whether Pause is to be called when nothing comes for a moment.
func (d *Decoder) Pending() bool {
	return d.state == escape || d.state == quiet || d.unended() && !d.told
}

func (d *Decoder) unended() bool { return d.state == text || d.state == textEscape || d.state == paste }

// Pause is told that nothing came for a moment: ESC alone was the key Escape,
// and keys are keys again after Drop.
func (d *Decoder) Pause() (Key, bool) {
	switch {
	case d.state == escape:
		d.reset(late)
		return Escape, true
	case d.state == quiet:
		d.reset(ground)
	case d.unended() && !d.told:
		d.told = true
		return Unended, true
	}
	return 0, false
}

// Drop ignores all that comes until Pause: the terminal's input was thrown
// away, and what comes now may be the end of something that began in it. What
// has begun before goes on to its end.
func (d *Decoder) Drop() {
	if d.state == ground || d.state == late || d.state == escape {
		d.reset(quiet)
	}
}

// sequences are the keys that are control sequences, or characters after SS3.
var sequences = map[string]Key{
	"A": Up, "B": Down, "H": Home, "F": End,
	"1~": Home, "7~": Home, "4~": End, "8~": End, "5~": PageUp, "6~": PageDown,
}
