package review

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// MaxShown is how long an address may be, in characters; what is longer is a
// script.
const MaxShown = 100

// maxData is how much of data or of a script is shown, in bytes.
const maxData = 80

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// extent is how much of an item is written.
type extent uint8

const (
	shortened extent = iota // long lists are cut
	whole
	decisive // all but change and inputs
)

// item writes one item.
func (b Batch) item(p *printer, i int, much extent) {
	all, it := much != shortened, b.Items[i]
	p.line("[%d of %d]  %s  %s %s  %s", i+1, len(b.Items), it.ID, it.Chain, it.Network, strings.ToUpper(it.Verdict()))
	reasons(p, all, it.Refusals, func(policy.Reason) string { return "REFUSED" })
	look, notes := it.Sorted()
	reasons(p, all, look, func(policy.Reason) string { return "LOOK" })
	reasons(p, all, notes, func(policy.Reason) string { return "NOTE" })
	if it.Facts == nil {
		p.line("")
		return
	}
	for _, v := range it.Vouched {
		p.line("  %s", v)
	}
	f := it.Facts
	for _, out := range f.Movements {
		if much == decisive && out.IsChange() {
			continue
		}
		p.line("  %-8s %s%s", label(out), out.Asset.Format(out.Amount), quoted(b.LabelOf(it.Coin, out.To)))
		for _, l := range destination(out) {
			p.line("             %s", l)
		}
	}
	p.line("  fee      %s%s%s", f.Asset.Format(f.Fee), feeRate(*f), feeShare(*f))
	if burnt := f.Burnt(); !burnt.IsZero() {
		p.line("  burn     %s, which counts as fee", f.Asset.Format(burnt))
	}
	if valid := validity(f.Validity); valid != "" {
		p.line("  valid    %s", valid)
	}
	if much != decisive {
		it.inputs(p, all)
	}
	p.line("")
}

// feeRate says how much the fee is for each unit of size.
func feeRate(f chain.Facts) string {
	if f.Size == 0 {
		return ""
	}
	return fmt.Sprintf(", %s per %s", f.FeeRate(), f.Unit)
}

// feeShare says of a fee how it compares with what is paid.
func feeShare(f chain.Facts) string {
	if f.PaysTokens() {
		return ""
	}
	if f.Paid().IsZero() {
		return ", and nothing is paid"
	}
	share := percent(f.Cost(), f.Paid())
	if share == "" {
		return ""
	}
	return ", " + share + " of what is paid"
}

// reasons writes each reason, and of those with one code the first few.
func reasons(p *printer, all bool, list []policy.Reason, word func(policy.Reason) string) {
	shown := make(map[chain.Code]int)
	for _, r := range list {
		if shown[r.Code]++; all || shown[r.Code] <= maxSame {
			p.line("  %-8s %s: %s", word(r), r.Code, r.Text())
		}
	}
	if all {
		return
	}
	for _, r := range list {
		if more := shown[r.Code] - maxSame; more > 0 {
			p.line("  %-8s %s: %d more like this", word(r), r.Code, more)
			delete(shown, r.Code)
		}
	}
}

// inputs writes what is spent: what is not in order first, and of a long list
// how many more and how much.
func (it Item) inputs(p *printer, all bool) {
	f := it.Facts
	var odd, plain []chain.Source
	for _, in := range f.Sources {
		if in.Proven && in.Own && in.WaitBlocks == 0 && in.WaitSeconds == 0 {
			plain = append(plain, in)
		} else {
			odd = append(odd, in)
		}
	}
	p.line("  from     %s", many(len(f.Sources), "input", "inputs"))
	for _, group := range []struct {
		inputs []chain.Source
		words  string
	}{{odd, "like these"}, {plain, "proven, own"}} {
		shown := group.inputs
		if !all && len(shown) > maxInputs {
			shown = shown[:maxInputs]
		}
		for _, in := range shown {
			input(p, in)
		}
		if rest := group.inputs[len(shown):]; len(rest) > 0 {
			var sum chain.Amount
			for _, in := range rest {
				sum = sum.Plus(in.Amount)
			}
			p.line("             and %s, %s, %s", many(len(rest), "other", "others"), group.words, f.Asset.Format(sum))
		}
	}
}

func input(p *printer, in chain.Source) {
	p.line("             %s  %s", in.Asset.Format(in.Amount), proof(in))
	p.line("             %s", in.ID)
	if in.WaitBlocks > 0 {
		p.line("             not valid before that has %d confirmations", in.WaitBlocks)
	}
	if in.WaitSeconds > 0 {
		p.line("             not valid before that is %d seconds old", in.WaitSeconds)
	}
}

// quoted is a policy's name for a payee behind an amount.
func quoted(label string) string {
	if label == "" {
		return ""
	}
	return fmt.Sprintf(" to %q", label)
}

func label(out chain.Movement) string {
	switch {
	case out.IsBurnt():
		return "burn"
	case out.IsChange():
		return "change"
	case out.Own != nil:
		return "transfer"
	}
	return "pay"
}

// destination returns the address in groups of four, or what stands for one,
// and whose it is where it is the wallet's.
func destination(out chain.Movement) []string {
	lines := unnamed(out)
	if out.Address != "" {
		lines = grouped(out.Address)
	}
	if out.Memo != "" {
		lines = append(lines, memo(out.Memo)...)
	}
	return append(lines, owner(out)...)
}

// memo shows the memo or tag that goes with a payment: whom a payment to an
// exchange is for. Of a long one its beginning, length and hash.
func memo(text string) []string {
	if len(text) <= maxData {
		return []string{"memo " + strconv.QuoteToASCII(text)}
	}
	sum := sha256.Sum256([]byte(text))
	return []string{
		fmt.Sprintf("memo, %d bytes; the first %d: %s", len(text), maxData, strconv.QuoteToASCII(text[:maxData])),
		"SHA-256 of all of it: " + hexOf(sum[:]),
	}
}

// validity says when a transaction is valid; "" where it always is.
func validity(v chain.Validity) string {
	var words []string
	if at := moment(v.NotBefore); at != "" {
		words = append(words, "not before "+at)
	}
	if at := moment(v.NotAfter); at != "" {
		words = append(words, "not after "+at)
	}
	return strings.Join(words, ", ")
}

func moment(m chain.Moment) string {
	var words []string
	if m.Height != 0 {
		words = append(words, fmt.Sprintf("block %d", m.Height))
	}
	if m.Unix != 0 {
		words = append(words, when(m.Unix))
	}
	return strings.Join(words, " and ")
}

// owner names the own key that an output pays, and how much of it is no change.
func owner(out chain.Movement) []string {
	if out.Own == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("(%s: %s)", ownWord(out), KeyName(*out.Own))}
	for _, k := range out.Also {
		lines = append(lines, fmt.Sprintf("(the same key: %s)", KeyName(k)))
	}
	if !out.Change.IsZero() && !out.IsChange() {
		lines = append(lines, fmt.Sprintf("(of this %s is change)", out.Asset.Format(out.Change)))
	}
	return lines
}

func ownWord(out chain.Movement) string {
	switch {
	case out.IsChange():
		return "own"
	case out.Unspendable:
		return "own key, this signer cannot spend it"
	case out.Far:
		return "own, far index"
	case out.Hidden:
		return "own key, no address"
	}
	return "own, other key"
}

// OwnNames names the key that an output pays, in all entries that hold it.
func OwnNames(out chain.Movement) string {
	names := KeyName(*out.Own)
	for _, k := range out.Also {
		names += " = " + KeyName(k)
	}
	return names
}

// KeyName names a key of the wallet: its signature id and, of a mnemonic, the
// index.
func KeyName(k chain.Key) string {
	if k.Index == chain.NoIndex {
		return k.SignatureID
	}
	return fmt.Sprintf("%s / %d", k.SignatureID, k.Index)
}

// unnamed shows what stands for a destination without an address: data as text,
// others in hex. Of a long one its beginning, length and hash.
func unnamed(out chain.Movement) []string {
	what, b, show := out.Kind+" script", out.Lock, hexOf
	if out.IsData {
		what, b, show = "data ("+out.Kind+")", out.Data, func(b []byte) string { return strconv.QuoteToASCII(string(b)) }
	}
	if len(b) <= maxData {
		return []string{fmt.Sprintf("%s, %s: %s", what, many(len(b), "byte", "bytes"), show(b))}
	}
	sum := sha256.Sum256(b)
	return []string{
		fmt.Sprintf("%s, %d bytes; the first %d: %s", what, len(b), maxData, show(b[:maxData])),
		"SHA-256 of all of it: " + hexOf(sum[:]),
	}
}

func proof(in chain.Source) string {
	switch {
	case in.Proven && in.Own:
		return in.Kind + ", proven, own"
	case in.Proven:
		return in.Kind + ", proven, NOT OURS"
	case in.Commits && in.Own:
		return in.Kind + ", not proven: signature commits to it, own"
	}
	return in.Kind + ", NOT PROVEN"
}

// grouped is Groups in lines that fit behind the indent.
func grouped(address string) []string {
	const most = 65 // columns, of whole groups
	line := Groups(address)
	if len(line) <= most {
		return []string{line}
	}
	at := strings.LastIndexByte(line[:most], ' ')
	return []string{line[:at], line[at+1:]}
}

// Groups splits an address into groups of four, after the prefix that
// cashaddr has.
func Groups(address string) string {
	var b strings.Builder
	if i := strings.IndexByte(address, ':') + 1; i > 0 {
		b.WriteString(address[:i] + " ")
		address = address[i:]
	}
	for i := 0; i < len(address); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(address[i:min(i+4, len(address))])
	}
	return b.String()
}
