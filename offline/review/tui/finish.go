package tui

import (
	"fmt"
	"strings"

	"coldkms/offline/review"
)

// asks reports whether the page is one with a question at its end.
func (d *Desk) asks() bool { return d.page == signPage || d.page == unseenPage }

// kept reports whether the item at a place was not rejected.
func (d *Desk) kept(i int) bool { return d.marks[i] != Rejected }

// Kept returns the choice of the items that would be signed: all not rejected.
func (d *Desk) Kept() review.Choice { return d.kept }

// unseen lists the items that want a second look, are kept, and were neither
// approved nor opened.
func (d *Desk) unseen() []int {
	return d.places(func(i int) bool {
		return d.marks[i] == Undecided && !d.seen[i] && d.batch.Items[i].Insists()
	})
}

// finish asks for the last word. First the items that want a look and had none
// are listed, and their number is asked for.
func (d *Desk) finish() Event {
	switch {
	case len(d.places(d.kept)) == 0:
		d.message = "nothing is left to sign: u undoes, q leaves"
		return None
	case len(d.unseen()) > 0:
		return d.question(unseenPage)
	}
	return d.question(signPage)
}

// question shows a page and asks what it is for, once its end is on the screen.
func (d *Desk) question(p page) Event {
	d.turn(p)
	return d.askAtEnd()
}

func (d *Desk) askAtEnd() Event {
	switch {
	case !d.atEnd():
		return None
	case d.page == unseenPage:
		d.askUnseen()
	default:
		d.askLast()
	}
	return Ask
}

// listUnseen writes what unseen lists, the gravest first.
func (d *Desk) listUnseen(b *strings.Builder) {
	list := d.unseen()
	missing := make(map[int]bool, len(list))
	for _, i := range list {
		missing[i] = true
	}
	fmt.Fprintf(b, "%s a look, not decided, and not opened:\n\n", wants(len(list)))
	for _, u := range d.batch.Risks(func(i int) bool { return missing[i] }, len(list)) {
		fmt.Fprintf(b, "[%d] %s to %s\n  %s: %s\n", u.Item+1, u.Sum(), u.Payee(), u.Reason.Code, u.Reason.Text())
	}
	b.WriteString("\nEsc lists them, and Enter there opens one.\n")
}

// wants returns "1 item wants", "2 items want".
func wants(n int) string {
	if n == 1 {
		return "1 item wants"
	}
	return fmt.Sprintf("%d items want", n)
}

func (d *Desk) askUnseen() {
	n := len(d.unseen())
	d.ask(fmt.Sprintf("Type %d to go on without opening them; Esc lists them: ", n), func(answer string) Event {
		if trimmed(answer) == fmt.Sprint(n) {
			return d.question(signPage)
		}
		d.message = "that is not their number: nothing was signed"
		d.askUnseen()
		return Ask
	})
}

// undecided writes how much of what would be signed nobody decided about.
func (d *Desk) undecided(b *strings.Builder) {
	if n := d.count[Undecided]; n > 0 {
		fmt.Fprintf(b, "not decided        %s: signed unless you reject them\n", plural(n, "item"))
	}
	if n := len(d.unseen()); n > 0 {
		fmt.Fprintf(b, "NOT OPENED         %s a look\n", wants(n))
	}
}

// askLast asks for the last word: a yes where nothing wants a look, else the
// number of what is signed.
func (d *Desk) askLast() {
	n := len(d.places(d.kept))
	d.ask(d.lastQuestion(n), func(answer string) Event {
		if confirms(answer, n) || d.insisting() == 0 && isYes(answer) {
			return Sign
		}
		d.message = "that was not it: nothing was signed"
		d.askLast()
		return Ask
	})
}

func (d *Desk) lastQuestion(n int) string {
	does := "sign " + plural(n, "transaction")
	if d.Operator != "" {
		does = fmt.Sprintf("approve %s as %s", plural(n, "transaction"), d.Operator)
	}
	if d.onlyRecords() {
		does = "record what is left out (nothing is signed)"
	}
	if look := d.insisting(); look > 0 {
		return fmt.Sprintf("Type %d to %s, %d to look at; Esc goes back: ", n, does, look)
	}
	return fmt.Sprintf("Type y to %s; Esc goes back: ", does)
}

// confirms reports whether a person typed the number, or the word and the
// number.
func confirms(answer string, n int) bool {
	words := wordsOf(lower(answer))
	if len(words) == 2 && (words[0] == "sign" || words[0] == "approve") {
		words = words[1:]
	}
	return len(words) == 1 && words[0] == fmt.Sprint(n)
}

func isYes(answer string) bool {
	answer = lower(trimmed(answer))
	return answer == "y" || answer == "yes"
}

// Answers are read as ASCII: strings.Fields also splits at other spaces, and
// strings.ToLower makes a k of the Kelvin sign.

func trimmed(answer string) string { return strings.Trim(answer, " ") }

func wordsOf(answer string) []string {
	return strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' })
}

func lower(answer string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, answer)
}
