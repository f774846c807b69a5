package tui

import (
	"fmt"
	"strconv"
	"strings"

	"coldkms/offline/review"
)

// listedLines is how many items a typed "list" or "more" gives.
const listedLines = 15

// Question is what a person is asked line by line, without a screen: for a
// serial console, a screen reader, and batches of a few. It is about all that
// was not rejected. A plain yes answers it unless something in that insists on more.
func (d *Desk) Question() string {
	n := len(d.places(d.kept))
	switch {
	case n == 0 && d.canRefuse():
		return fmt.Sprintf("Nothing is left to sign (\"undo all\" takes that back).\n"+
			"Tell the relay that %s? [y/N] ", d.allRefused())
	case n == 0:
		return `Nothing is left to sign. Undo with "undo all", or answer n: `
	}
	if d.Operator != "" {
		return d.approval(n)
	}
	question := d.again(n) + fmt.Sprintf("Sign %s? ", plural(n, "transaction"))
	if d.onlyRecords() {
		question = fmt.Sprintf("Take %s out, for the operators to approve the other %d? ",
			plural(d.count[Rejected], "transaction"), n)
	}
	if d.insisting() > 0 {
		return question + fmt.Sprintf("(see LOOK AT) type \"sign %d\", or n [n] ", n)
	}
	return question + "[y/N] "
}

// canRefuse reports whether a result in which all is refused can be asked for.
func (d *Desk) canRefuse() bool { return d.Operator == "" && !d.Unasked }

func (d *Desk) allRefused() string {
	if len(d.rows) == 1 {
		return "it is refused"
	}
	return fmt.Sprintf("all %d are refused", len(d.rows))
}

// approval is the question to an operator.
func (d *Desk) approval(n int) string {
	out := ""
	if rejected := d.count[Rejected]; rejected > 0 {
		out = fmt.Sprintf("Take %s out of the batch.\n", plural(rejected, "transaction"))
	}
	const question = "To approve %s as %s type \"approve %d\", or \"no\": "
	return out + fmt.Sprintf(question, plural(n, "transaction"), d.Operator, n)
}

// operator is an answer of an operator: a yes is their whole batch, never less,
// and what is no clear answer is asked again.
func (d *Desk) operator(answer string) (reply string, ev Event, isAnswer bool) {
	n := len(d.places(d.kept))
	words := wordsOf(lower(answer))
	switch {
	case len(words) == 0, words[0] == "y", words[0] == "yes", words[0] == "sign":
		const again = "Nothing was approved: type \"approve %d\", \"no\", or ? for what else there is.\n"
		return fmt.Sprintf(again, n), None, true
	case words[0] != "approve":
		return "", None, false
	case n > 0 && len(words) == 2 && words[1] == fmt.Sprint(n):
		return "", Sign, true
	}
	return fmt.Sprintf("The question is about %d: all that was not rejected. Nothing was approved.\n", n), None, true
}

// again says how many of the n transactions that are asked about were signed
// before.
func (d *Desk) again(n int) string {
	switch again := d.batch.Again(d.kept); {
	case again == 0:
		return ""
	case n == 1:
		return "It was signed before and pays nothing new. "
	default:
		return fmt.Sprintf("%d of %d were signed before and pay nothing new. ", again, n)
	}
}

// Before is what stands before the question: the closing words of the review.
func (d *Desk) Before() string {
	var b strings.Builder
	if unseen := d.unseen(); len(unseen) > 0 && !d.Whole {
		fmt.Fprintf(&b, "%s a look and not shown in full (show N):\n", wants(len(unseen)))
		for _, i := range unseen {
			d.brief(&b, i)
		}
	}
	_ = d.batch.Closing(&b, d.kept)
	b.WriteString("(answer ? to see what else can be answered)\n")
	return b.String()
}

// places lists what can be signed and is chosen.
func (d *Desk) places(choice review.Choice) []int {
	return d.every(func(i int) bool { return d.rows[i].standing != review.Refused && choice(i) })
}

// insisting counts the items that a plain yes is not enough for.
func (d *Desk) insisting() int {
	n := 0
	for _, i := range d.places(d.kept) {
		if d.batch.Items[i].Insists() {
			n++
		}
	}
	return n
}

// Answer is a typed line: the answer to the question, or a command. The reply
// is shown before the question is asked again.
func (d *Desk) Answer(answer string) (reply string, ev Event) {
	if d.Operator != "" {
		if reply, ev, isAnswer := d.operator(answer); isAnswer {
			return reply, ev
		}
	}
	words := wordsOf(answer)
	if len(words) == 0 {
		return "", Decline
	}
	if d.home == frontPage { // line by line there is none
		d.list("")
	}
	rest := strings.Join(words[1:], " ")
	word := lower(words[0])
	if rest != "" { // neither "y except 2" nor "no, only 2" is a plain answer
		switch word {
		case "y", "yes", "n", "no", "decline":
			return d.notUnderstood(), None
		}
	}
	switch word {
	case "n", "no", "decline":
		return "", Decline
	case "y", "yes":
		return d.yes()
	case "sign":
		return d.signed(answer)
	case "later", "quit", "q":
		return "", Later
	case "?", "help":
		return d.help(), None
	case "batch", "totals":
		return d.written(func(b *strings.Builder) error { return d.batch.Head(b) }), None
	case "list", "find":
		d.list(rest)
		return d.next(), None
	case "more":
		return d.next(), None
	case "order":
		return d.order(rest), None
	case "show":
		return d.full(rest), None
	case "approve":
		return d.named(Approved, rest)
	case "reject":
		return d.named(Rejected, rest)
	case "undo":
		if rest == "" {
			ev := d.undo()
			return d.message + "\n", ev
		}
		return d.named(Undecided, rest)
	}
	return d.notUnderstood(), None
}

// does is what a consent would do.
func (d *Desk) does() string {
	if d.Operator != "" {
		return "approved"
	}
	return "signed"
}

// notUnderstood replies to an unknown command. It repeats what the question is still
// about, because the person may believe that an item was left out.
func (d *Desk) notUnderstood() string {
	return fmt.Sprintf(
		"Not understood: nothing was %s, nothing was left out.\nThe question is still about %s. Answer ? to see what can be answered.\n",
		d.does(), plural(len(d.places(d.kept)), "transaction"))
}

func (d *Desk) yes() (string, Event) {
	n := len(d.places(d.kept))
	switch {
	case n == 0 && d.canRefuse():
		return "", Sign
	case n == 0:
		return "There is nothing to say yes to.\n", None
	}
	if look := d.insisting(); look > 0 {
		return fmt.Sprintf(
			"%s to look at twice: \"list look\" shows which. A yes is not enough: type \"sign %d\" to sign all %d,\n\"reject NUMBER\" to leave one out, or n to sign none.\n",
			plural(look, "item"), n, n), None
	}
	return "", Sign
}

func (d *Desk) signed(answer string) (string, Event) {
	n := len(d.places(d.kept))
	if n > 0 && confirms(answer, n) {
		return "", Sign
	}
	return fmt.Sprintf("The question is about %d: all that was not rejected. Nothing was signed.\n", n), None
}

func (d *Desk) written(write func(*strings.Builder) error) string {
	var b strings.Builder
	_ = write(&b)
	return b.String()
}

// next lists the next items that are shown, one line each.
func (d *Desk) next() string {
	if len(d.view) == 0 {
		return "No item fits.\n"
	}
	var b strings.Builder
	end := min(d.at+listedLines, len(d.view))
	for _, i := range d.view[d.at:end] {
		d.brief(&b, i)
	}
	if end < len(d.view) {
		fmt.Fprintf(&b, "%d to %d of %d; \"more\" lists the next.\n", d.at+1, end, len(d.view))
	} else {
		fmt.Fprintf(&b, "%d to %d of %d: the last.\n", d.at+1, end, len(d.view))
	}
	d.at = end % len(d.view)
	return b.String()
}

// brief writes an item in one line.
func (d *Desk) brief(b *strings.Builder, i int) {
	r := d.rows[i]
	mark := d.marks[i].String()
	if r.standing == review.Refused && !d.out[i] {
		mark = "not signed"
	}
	fmt.Fprintf(b, "%d: %s, %s, %s, %s pays %s%s",
		i+1, mark, r.standing, d.batch.Items[i].ID, r.coin, r.paid, d.whom(i))
	if r.codes != "" {
		fmt.Fprintf(b, ", %s", r.codes)
	}
	b.WriteByte('\n')
}

// Rejections lists what is rejected, one line an item, up to a number of them.
func (d *Desk) Rejections() string {
	var b strings.Builder
	n := 0
	for i, m := range d.marks {
		if m != Rejected {
			continue
		}
		if n++; n <= listedLines {
			d.brief(&b, i)
		}
	}
	if n > listedLines {
		fmt.Fprintf(&b, "and %d more that are rejected\n", n-listedLines)
	}
	return b.String()
}

// whom names the first destination of an item, whole, and how many more.
func (d *Desk) whom(i int) string {
	f := d.batch.Items[i].Facts
	if f == nil || d.rows[i].to == "" {
		return ""
	}
	more := -1
	for _, out := range f.Movements {
		if !out.IsChange() {
			more++
		}
	}
	to := review.Groups(d.rows[i].to)
	if len(d.rows[i].to) > review.MaxShown {
		to = "a long script"
	}
	if label := d.rows[i].label; label != "" {
		to = fmt.Sprintf("%q, %s", label, to)
	}
	to = " to " + to
	if more > 0 {
		to += fmt.Sprintf(" and %s", plural(more, "other"))
	}
	return to
}

func (d *Desk) order(name string) string {
	for i, s := range sorts {
		if s.name == lower(name) {
			d.sort = i
			d.list(d.words)
			return d.next()
		}
	}
	return "The orders: attention, number, amount, fee rate, payee, rarity.\n"
}

func (d *Desk) full(number string) string {
	from, to, ok := d.numbers(number)
	if !ok || from != to {
		return fmt.Sprintf("Say which, by its number: show 1 to show %d.\n", len(d.rows))
	}
	d.seen[from] = true
	return d.written(func(b *strings.Builder) error { return d.batch.Item(b, from) })
}

// named marks what is named: numbers, "3-17", "ok", "shown", "all".
func (d *Desk) named(m Mark, what string) (string, Event) {
	places, ok := d.placesOf(what)
	switch {
	case ok:
	case what == "shown":
		places = d.view
	case what == "all" && m != Approved:
		places = d.every(func(i int) bool { return d.rows[i].standing != review.Refused || d.out[i] })
	case what == "ok" || what == "undecided" && m == Rejected:
		places = d.places(func(i int) bool {
			return (what == "ok" && d.rows[i].standing == review.OK || what == "undecided") && d.marks[i] == Undecided
		})
	case isNumbers(what):
		const none = "Nothing was changed: there is no item %s, their numbers go from 1 to %d.\n"
		return fmt.Sprintf(none, what, len(d.rows)) + d.stillAbout(), None
	default:
		return fmt.Sprintf(
			"Nothing was changed: say which, by numbers from 1 to %d such as 3 5 or 3-17, ok, or shown (what \"list\" listed).\n",
			len(d.rows)) + d.stillAbout(), None
	}
	ev := d.mark(m, places...)
	if ev == Rejudge { // what it comes to is said then
		return "", ev
	}
	approved, rejected, undecided := d.Count()
	reply := fmt.Sprintf("Now %d approved, %d rejected, %d undecided.\n", approved, rejected, undecided)
	if n := d.signedBefore(); m == Rejected && n > 0 {
		reply += fmt.Sprintf(
			"Of what you rejected %s signed before: the signature may be out, and this takes nothing back.\n", verb(n))
	}
	if d.onlyRecords() {
		reply += "What the operators approve is the whole batch. A yes to less signs nothing:\nit only records what is left out, and then they approve what is left.\n"
	}
	return reply, ev
}

func (d *Desk) stillAbout() string {
	return fmt.Sprintf("The question is still about %s.\n", plural(len(d.places(d.kept)), "transaction"))
}

// isNumbers reports whether a person typed numbers and ranges only.
func isNumbers(s string) bool { return s != "" && strings.Trim(s, "0123456789-, ") == "" }

// signedBefore counts what is rejected and was signed before.
func (d *Desk) signedBefore() (n int) {
	for i, m := range d.marks {
		if m == Rejected && d.batch.Items[i].SignedBefore {
			n++
		}
	}
	return n
}

func verb(n int) string {
	if n == 1 {
		return "1 item was"
	}
	return fmt.Sprintf("%d items were", n)
}

// placesOf returns the places of items that are named by numbers and ranges, such as
// "3 5,9-17". ok is false if there are none, or if one of them is invalid.
func (d *Desk) placesOf(s string) (places []int, ok bool) {
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		from, to, ok := d.numbers(word)
		if !ok {
			return nil, false
		}
		for i := from; i <= to; i++ {
			places = append(places, i)
		}
	}
	return places, len(places) > 0
}

// numbers reads "12" or "3-17" and gives places.
func (d *Desk) numbers(s string) (from, to int, ok bool) {
	first, last, isRange := strings.Cut(s, "-")
	from, err := strconv.Atoi(first)
	to = from
	if err == nil && isRange {
		to, err = strconv.Atoi(last)
	}
	return from - 1, to - 1, err == nil && from >= 1 && from <= to && to <= len(d.rows)
}

// onlyRecords reports whether a yes signs nothing, because items are left out
// of what operators approve.
func (d *Desk) onlyRecords() bool {
	return d.Quorum && d.Operator == "" && d.count[Rejected] > 0
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// help lists the answers.
func (d *Desk) help() string {
	if d.Operator != "" {
		return "What can be answered:\n" + helpApprove + helpAll
	}
	return "What can be answered:\n" + helpSign + helpAll + helpMark
}

const helpSign = `  y, yes          sign all that the question is about; not enough where something
                  in it may be wrong: the question says so
  sign NUMBER     sign, where NUMBER is how many the question is about
  n, no, Enter    decline: nothing of the batch is signed
`

const helpApprove = `  approve NUMBER  approve, where NUMBER is how many the question is about
  n, no           decline: what others approved of the batch counts no more
`

const helpAll = `  later           leave: nothing is done now; what you rejected is on record
  batch           totals and destinations
  list WORDS      items that fit all words, one a line: all ok noted look flagged
                  refused new unopened undecided approved rejected, a coin, a code
                  such as look-alike, or a part of a label, an id, an address or
                  an amount
  more            the next of them
  order NAME      attention, number, amount, fee rate, payee, rarity
  show N          item N in full
  reject N        leave it out; also several (3 5), N-M, shown, undecided, all
  undo            take the last decision back; again: the one before
  undo N          make N undecided; also several, N-M, shown, all
`

const helpMark = `  approve N       note that it was looked at and is right; also several, N-M, ok, shown
`
