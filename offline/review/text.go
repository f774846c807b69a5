package review

import (
	"fmt"
	"io"
	"strings"
)

// Limits of what is listed in the text. The JSON form and the details of the
// session have all of it.
const (
	maxPlaces = 12 // destinations
	maxInputs = 8  // that are in order; as many of the others
	maxSame   = 8  // reasons with one code
)

// Text writes the batch for a person: the batch as a whole, every item in
// full, what is refused or flagged first, and the closing words. It fits 80
// columns but for data and reasons.
func (b Batch) Text(w io.Writer) error {
	if err := b.Body(w); err != nil {
		return err
	}
	return b.Closing(w, nil)
}

// Body is Text without the closing words.
func (b Batch) Body(w io.Writer) error {
	p := printer{w: w}
	b.head(&p)
	for _, i := range b.Order() {
		b.item(&p, i, shortened)
	}
	return p.err
}

// Head writes the batch as a whole: who asks, totals, destinations, what was
// found.
func (b Batch) Head(w io.Writer) error {
	p := printer{w: w}
	b.head(&p)
	return p.err
}

// Item writes one item in full, lists included.
func (b Batch) Item(w io.Writer, i int) error {
	p := printer{w: w}
	b.item(&p, i, whole)
	return p.err
}

// Decisive writes of an item what a person has to see before they approve it:
// all but change, which comes back, and inputs.
func (b Batch) Decisive(w io.Writer, i int) error {
	p := printer{w: w}
	b.item(&p, i, decisive)
	return p.err
}

// Closing writes what stands directly before the question: what would be
// signed of the batch, what was found in that, and the batch digest.
func (b Batch) Closing(w io.Writer, choice Choice) error {
	p := printer{w: w}
	signed, rejected, refused := b.split(choice)
	if rejected == 0 {
		p.line("to sign            %d of %s, %d refused", signed, many(len(b.Items), "item", "items"), refused)
	} else {
		p.line("to sign            %d of %s, %d refused, %d rejected by you", signed, many(len(b.Items), "item", "items"), refused, rejected)
	}
	b.sums(&p, choice)
	b.newPlaces(&p, choice)
	for _, notice := range b.Notices {
		p.line("NOTICE             %s", notice)
	}
	if b.Basis.Policy.Hash != "" {
		p.line("policy hash   %s", b.Basis.Policy.Hash)
	}
	if b.Basis.Round != "" {
		p.line("round         %s", b.Basis.Round)
	}
	chosen := b.only(choice)
	_, look, notes := chosen.Codes()
	if len(look) > 0 {
		p.line("LOOK AT            %s: %s", many(chosen.Tally()[Look], "item", "items"), list(look))
	}
	if len(notes) > 0 {
		p.line("noted              %s", list(notes))
	}
	b.risks(&p, choice)
	if n := b.signedBefore(choice); n > 0 {
		p.line("SIGNED BEFORE      %s of what is not signed now: the signature may be out, and this takes nothing back", many(n, "item", "items"))
	}
	p.line("batch digest  %s", b.Digest)
	return p.err
}

// split counts what is signed, rejected by the person, and refused.
func (b Batch) split(choice Choice) (signed, rejected, refused int) {
	for i, it := range b.Items {
		switch {
		case it.Refused() && (choice == nil || choice(i)):
			refused++
		case choice == nil || choice(i):
			signed++
		default:
			rejected++
		}
	}
	return signed, rejected, refused
}

// signedBefore counts the items that are refused or not chosen, and were signed
// before.
func (b Batch) signedBefore(choice Choice) (n int) {
	for i, it := range b.Items {
		if it.SignedBefore && (it.Refused() || choice != nil && !choice(i)) {
			n++
		}
	}
	return n
}

// only is the batch with nothing but the chosen items.
func (b Batch) only(choice Choice) Batch {
	chosen := Batch{}
	for i, it := range b.Items {
		if b.counts(i, choice) {
			chosen.Items = append(chosen.Items, it)
		}
	}
	return chosen
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (b Batch) head(p *printer) {
	signable, refused := b.Count()
	if b.PSBT {
		p.line("a PSBT             from nobody in particular: no paired relay asks for this")
	} else {
		p.line("request from relay %s", b.Relay.Fingerprint())
		p.line("                   %s", b.Relay.Words())
		p.line("made               %s by the relay's clock", when(b.Created))
	}
	b.Basis.text(p)
	for _, notice := range b.Notices {
		p.line("NOTICE             %s", notice)
	}
	p.line("items              %d: %d can be signed, %d refused", len(b.Items), signable, refused)
	b.sums(p, nil)
	refusals, look, notes := b.Codes()
	for _, found := range []struct {
		word  string
		codes []Counted
	}{{"REFUSED", refusals}, {"LOOK AT", look}, {"noted", notes}} {
		if len(found.codes) > 0 {
			p.line("%-18s %s", found.word, list(found.codes))
		}
	}
	b.newPlaces(p, nil)
	b.places(p)
	p.line("")
}

// sums writes the totals of each coin and network.
func (b Batch) sums(p *printer, choice Choice) {
	for _, t := range b.Totals(choice) {
		p.line("%-18s pays out %s", t.name(), t.asset.Format(t.Paid))
		if t.Again > 0 {
			p.line("                   of this new %s", t.asset.Format(t.Paid.Minus(t.Before)))
			p.line("                   signed before %s in %s: the same bytes again",
				t.asset.Format(t.Before), many(t.Again, "item", "items"))
		}
		if !t.Own.IsZero() {
			p.line("                   of this to own keys %s", t.asset.Format(t.Own))
		}
		p.line("                   fees %s", t.asset.Format(t.Fees))
		if !t.Burnt.IsZero() {
			p.line("                   burn %s", t.asset.Format(t.Burnt))
		}
		if t.Items > 1 {
			p.line("                   in %d items, the highest %s", t.Items, t.highest())
		}
	}
}

// Who says in one line who asks.
func (b Batch) Who() string {
	if b.PSBT {
		return "a PSBT from nobody in particular: no paired relay asks for this"
	}
	return fmt.Sprintf("relay    %s", b.Relay.Words())
}

// SumLines returns the totals of the chosen items, a line for each coin and
// token.
func (b Batch) SumLines(choice Choice) []string {
	var lines []string
	for _, t := range b.Totals(choice) {
		line := fmt.Sprintf("%-8s pays out %s %s in %s",
			t.name(), t.asset.Units(t.Paid), t.asset.Symbol, many(t.Items, "item", "items"))
		if !t.Own.IsZero() {
			line += fmt.Sprintf(", %s to own keys", t.asset.Units(t.Own))
		}
		if !t.Fees.IsZero() {
			line += ", fees " + t.asset.Units(t.Fees)
		}
		lines = append(lines, line)
	}
	return lines
}

func (b Batch) newPlaces(p *printer, choice Choice) {
	n := 0
	for _, d := range b.Destinations(choice) {
		if d.New {
			n++
		}
	}
	if n > 0 {
		p.line("new destinations   %d", n)
	}
}

// places writes where it goes, if that is more than the items say.
func (b Batch) places(p *printer) {
	list := b.Destinations(nil)
	if len(b.Items) < 2 || len(list) == 0 {
		return
	}
	p.line("")
	p.line("to %s", many(len(list), "destination", "destinations"))
	var rest []Destination
	if len(list) > maxPlaces {
		list, rest = list[:maxPlaces], list[maxPlaces:]
	}
	for _, d := range list {
		d.text(p)
	}
	if len(rest) > 0 {
		p.line("  and to %s", many(len(rest), "other", "others"))
	}
}

func (d Destination) text(p *printer) {
	fresh := ""
	if d.New {
		fresh = ", NEW"
	}
	payments := many(d.Payments, "payment", "payments")
	p.line("  %s %s in %s%s%s", d.first.Asset.Format(d.Paid), d.Network, payments, fresh, quoted(d.Label))
	lines := unnamed(*d.first)
	if d.Named {
		lines = grouped(d.To)
	}
	for _, l := range lines {
		p.line("             %s", l)
	}
	if d.Own != "" {
		p.line("             (own: %s)", d.Own)
	}
}

// list returns "look-alike 2, high-fee 1".
func list(codes []Counted) string {
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = fmt.Sprintf("%s %d", c.Code, c.N)
	}
	return strings.Join(words, ", ")
}

// many returns "1 item", "2 items".
func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
