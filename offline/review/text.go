package review

import (
	"encoding/hex"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// Text writes the batch for a person: totals first, whatever is refused or
// flagged next, then every item in full. It fits 80 columns but for data.
func (b Batch) Text(w io.Writer) error {
	p := printer{w: w}
	b.head(&p)
	for i, it := range b.Items {
		it.text(&p, i+1, len(b.Items))
	}
	p.line("batch digest  %s", b.Digest)
	return p.err
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
		p.line("made               %s by the relay's clock", time.Unix(b.Created, 0).UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	p.line("items              %d: %d can be signed, %d refused", len(b.Items), signable, refused)
	for _, t := range b.totals() {
		p.line("%-18s pays out %s, fees %s", t.name, Amount(t.coin, t.paid), Amount(t.coin, t.fee))
	}
	p.line("")
}

type total struct {
	name      string
	coin      chain.ID
	paid, fee int64
}

// totals sums what can be signed, for each coin and network.
func (b Batch) totals() []total {
	sums := make(map[string]*total)
	for _, it := range b.Items {
		if it.Refused() {
			continue
		}
		name := fmt.Sprintf("%s %s", it.Chain, it.Network)
		if sums[name] == nil {
			sums[name] = &total{name: name, coin: it.Chain}
		}
		sums[name].paid += it.Facts.Paid()
		sums[name].fee += it.Facts.Fee
	}
	list := make([]total, 0, len(sums))
	for _, t := range sums {
		list = append(list, *t)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}

func (it Item) text(p *printer, n, of int) {
	p.line("[%d of %d]  %s  %s %s  %s", n, of, it.ID, it.Chain, it.Network, strings.ToUpper(it.Verdict()))
	for _, r := range it.Refusals {
		p.line("  REFUSED  %s: %s", r.Code, r.Text)
	}
	for _, r := range it.Findings {
		p.line("  NOTE     %s: %s", r.Code, r.Text)
	}
	if it.Facts == nil {
		p.line("")
		return
	}
	for _, v := range it.Vouched {
		p.line("  %s", v)
	}
	f := it.Facts
	for _, out := range f.Outputs {
		p.line("  %-8s %s", label(out), Amount(f.Chain, out.Value))
		for _, l := range destination(out) {
			p.line("             %s", l)
		}
	}
	p.line("  fee      %s, %d per vB%s", Amount(f.Chain, f.Fee), f.FeeRate(), percent(f.Fee, f.Paid()))
	p.line("  from     %d %s", len(f.Inputs), plural(len(f.Inputs), "input", "inputs"))
	for _, in := range f.Inputs {
		p.line("             %s  %s", Amount(f.Chain, in.Value), proof(in))
		p.line("             %s", in.Outpoint)
	}
	p.line("")
}

func label(out chain.Output) string {
	if out.Change {
		return "change"
	}
	return "pay"
}

// destination gives the address in groups of four, or what stands for one.
func destination(out chain.Output) []string {
	switch {
	case out.Address != "" && out.Change:
		return []string{Groups(out.Address), "(own: derived on this machine)"}
	case out.Address != "":
		return []string{Groups(out.Address)}
	case out.Kind == utxo.NullData.String():
		return []string{"data (OP_RETURN) " + strconv.QuoteToASCII(string(data(out.Script)))}
	}
	return []string{fmt.Sprintf("%s script %s", out.Kind, hexOf(out.Script))}
}

// data strips OP_RETURN and, where the rest is one push, the push.
func data(script []byte) []byte {
	rest := script[1:]
	switch {
	case len(rest) > 1 && int(rest[0]) == len(rest)-1 && rest[0] <= 75:
		return rest[1:]
	case len(rest) > 2 && rest[0] == 0x4c && int(rest[1]) == len(rest)-2:
		return rest[2:]
	}
	return rest
}

func proof(in chain.Input) string {
	switch {
	case in.Proven && in.Own:
		return in.Kind + ", proven, own"
	case in.Proven:
		return in.Kind + ", proven, NOT OURS"
	case in.Kind == utxo.P2TR.String() && in.Own:
		return in.Kind + ", not proven: signature commits to it, own"
	}
	return in.Kind + ", NOT PROVEN"
}

// percent is the fee as a share of what is paid out, in tenths of a percent.
func percent(fee, paid int64) string {
	if paid <= 0 || fee > 1<<50 {
		return ""
	}
	tenths := fee * 1000 / paid
	return fmt.Sprintf(", %d.%d %% of what is paid", tenths/10, tenths%10)
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

// Amount writes smallest units as a coin amount and as they are.
func Amount(id chain.ID, value int64) string {
	const unit = 100_000_000 // every coin of the family has eight decimals
	return fmt.Sprintf("%d.%08d %s (%d)", value/unit, value%unit, id, value)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
