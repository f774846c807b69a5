package tui

// maxTyped bounds a typed line, in characters.
const maxTyped = 120

// line is a line that is being typed.
type line struct {
	question string
	typed    []byte
	done     func(answer string) Event
}

// ask starts a line. What done gives is the event of the key Enter.
func (d *Desk) ask(question string, done func(string) Event) {
	d.typing = &line{question: question, done: done}
}

// typeKey is a key while a line is typed.
func (d *Desk) typeKey(k Key) Event {
	l := d.typing
	switch {
	case k == Escape:
		d.typing = nil
		switch d.page {
		case unseenPage:
			d.list("unopened")
		case signPage:
			d.back()
		}
	case k == Enter:
		d.typing = nil
		return l.done(string(l.typed))
	case k == Backspace && len(l.typed) > 0:
		l.typed = l.typed[:len(l.typed)-1]
	case k >= ' ' && k < 0x7f && len(l.typed) < maxTyped:
		l.typed = append(l.typed, byte(k))
	}
	return None
}
