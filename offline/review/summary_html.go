package review

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"strings"
	"time"
)

// style prints in black on A4 and Letter.
const style = `@page{margin:15mm}body{font:10pt/1.35 sans-serif;color:#000;background:#fff;margin:1em auto;max-width:190mm}
h1{font-size:14pt}h2{font-size:11pt;margin-top:1.5em}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #000;padding:2pt 4pt;text-align:left;vertical-align:top}
td.n{text-align:right;white-space:nowrap}code{font:9pt monospace;overflow-wrap:anywhere}
tr{page-break-inside:avoid;break-inside:avoid}thead{display:table-header-group}
p.s{margin-top:3em;border-top:1px solid #000;width:70mm}`

// HTML writes one page that needs nothing else and runs nothing: its content
// security policy allows its own style and no more.
func (s Summary) HTML(w io.Writer) error {
	p := page{printer{w: w}}
	sum := sha256.Sum256([]byte(style))
	p.line(`<!DOCTYPE html>`)
	p.line(`<html lang="en"><head><meta charset="utf-8">`)
	p.line(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-%s'">`, base64.StdEncoding.EncodeToString(sum[:]))
	p.line(`<title>Coldkms summary</title><style>%s</style></head><body>`, style)
	p.line(`<h1>Coldkms summary</h1>`)
	p.line(`<table>`)
	p.pair("made", s.Made.UTC().Format(time.RFC3339)+" by the signer's clock")
	p.pair("signer", s.Signer)
	p.pair("policy", s.Policy.String())
	if s.Policy.Hash != "" {
		p.pair("policy hash", s.Policy.Hash)
	}
	p.pair("ledger", fmt.Sprintf("%d lines", s.Ledger.Lines))
	p.pair("ledger head", s.Ledger.Head)
	p.pair("head words", s.Ledger.Words)
	p.line(`</table>`)
	for _, f := range s.Batches {
		p.batch(f)
	}
	p.line(`<p class="s">Date, name, signature</p>`)
	p.line(`</body></html>`)
	return p.err
}

type page struct{ printer }

// say writes a line whose texts are escaped.
func (p *page) say(format string, texts ...string) {
	args := make([]any, len(texts))
	for i, t := range texts {
		args[i] = html.EscapeString(t)
	}
	p.line(format, args...)
}

func (p *page) pair(name, value string) {
	p.say(`<tr><th>%s</th><td><code>%s</code></td></tr>`, name, value)
}

func (p *page) batch(f Finished) {
	signed, refused := f.split()
	p.say(`<h2>Batch %s</h2>`, f.Batch.Digest.String())
	p.line(`<table>`)
	p.pair("items", fmt.Sprintf("%d: %d %s, %d refused", len(f.Batch.Items), signed, f.done(), refused))
	if f.Outcomes != nil {
		p.pair("agreed", f.agreed())
	}
	for _, name := range f.Operators {
		p.pair("approved by", name)
	}
	for _, t := range f.Batch.Totals(f.counted) {
		coin := t.name()
		p.pair(coin+" paid out", t.asset.Format(t.Paid))
		if t.Again > 0 {
			p.pair(coin+" of this new", t.asset.Format(t.Paid.Minus(t.Before)))
			p.pair(coin+" signed before", t.asset.Format(t.Before)+" in "+many(t.Again, "item", "items"))
		}
		if !t.Own.IsZero() {
			p.pair(coin+" of this to own keys", t.asset.Format(t.Own))
		}
		p.pair(coin+" fees", t.asset.Format(t.Fees))
		if !t.Burnt.IsZero() {
			p.pair(coin+" burn", t.asset.Format(t.Burnt))
		}
		if t.Items > 1 {
			p.pair(coin+" highest fee", t.highest())
		}
	}
	p.line(`</table>`)
	p.line(`<table><thead><tr><th>to</th><th>payments</th><th>amount</th></tr></thead><tbody>`)
	for _, d := range f.Batch.Destinations(f.counted) {
		to := d.To
		if d.Named {
			to = Groups(to)
		}
		if d.New {
			to += " (new)"
		}
		if d.Own != "" {
			to += " (own: " + d.Own + ")"
		}
		p.say(`<tr><td><code>%s</code></td><td class="n">%s</td><td class="n">%s</td></tr>`, to, fmt.Sprint(d.Payments), d.first.Asset.Format(d.Paid))
	}
	p.line(`</tbody></table>`)
	p.line(`<table><thead><tr><th>no.</th><th>item</th><th>state</th><th>pays</th><th>fee</th></tr></thead><tbody>`)
	for i := range f.Batch.Items {
		p.item(f, i)
	}
	p.line(`</tbody></table>`)
}

func (p *page) item(f Finished, i int) {
	it := f.Batch.Items[i]
	codes, reasons := f.why(i)
	state := []string{f.state(i)}
	for n := range codes {
		state = append(state, string(codes[n])+": "+reasons[n])
	}
	about := []string{it.ID, string(it.Chain) + " " + it.Network.String()}
	if f.Outcomes != nil && f.Outcomes[i].TxID != "" {
		about = append(about, "txid "+f.Outcomes[i].TxID)
	}
	var pays []string
	for _, out := range listed(it) {
		pays = append(append(pays, label(out)+" "+out.Asset.Format(out.Amount)+quoted(f.Batch.LabelOf(it.Coin, out.To))),
			destination(out)...)
	}
	fee := []string{"-"}
	if it.Facts != nil {
		fee = append(fee[:0], it.Facts.Asset.Units(it.Facts.Fee))
		if burnt := it.Facts.Burnt(); !burnt.IsZero() {
			fee = append(fee, "burn "+it.Facts.Asset.Units(burnt))
		}
		if valid := validity(it.Facts.Validity); valid != "" {
			about = append(about, "valid "+valid)
		}
	}
	p.line(`<tr><td class="n">%d</td><td><code>%s</code></td><td>%s</td><td><code>%s</code></td><td class="n">%s</td></tr>`,
		i+1, lines(about), lines(state), lines(pays), lines(fee))
}

// lines escapes each text and breaks between them.
func lines(texts []string) string {
	escaped := make([]string, len(texts))
	for i, t := range texts {
		escaped[i] = html.EscapeString(t)
	}
	return strings.Join(escaped, "<br>")
}
