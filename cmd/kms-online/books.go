package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"html"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

// booksFlags are the flags of report that sum up.
type booksFlags struct {
	sum       string
	html, csv bool
}

func (b booksFlags) check(asCSV bool) error {
	switch {
	case b.sum != "" && b.sum != "day" && b.sum != "payee":
		return cli.Fail(cli.Usage, fmt.Errorf("--sum %.40q is neither day nor payee", b.sum), "")
	case b.html && b.sum == "":
		return cli.Fail(cli.Usage, errors.New("--html is for sums"), "kms-online report --sum day --html")
	case b.html && asCSV:
		return cli.Fail(cli.Usage, errors.New("--html and --csv both say how to print"), "give one of them")
	}
	return nil
}

// books prints what was paid, for the books.
func (a *app) books(ctx context.Context, r *online.Relay, o online.ReportOptions, b booksFlags) error {
	books, err := r.Books(ctx, o, b.sum == "payee")
	if err != nil {
		return err
	}
	switch {
	case a.json:
		err = a.JSON(books)
	case b.csv:
		err = a.booksCSV(b.sum, books.Lines)
	case b.html:
		err = a.booksHTML(b.sum, o, books)
	default:
		err = a.booksTable(b.sum, books.Lines)
	}
	if err != nil {
		return err
	}
	if n := len(books.ChangeUnknown); n > 0 {
		a.say("of %d the change is not known, and all that they pay is counted: %s", n, firstOf(books.ChangeUnknown))
	}
	if n := len(books.Unread); n > 0 {
		a.say("%d could not be read and are not counted: %s", n, firstOf(books.Unread))
		return cli.Silent(cli.Part)
	}
	return nil
}

// firstOf names the first of some ids.
func firstOf(ids []string) string {
	const most = 5
	if len(ids) > most {
		return strings.Join(ids[:most], ", ") + ", …"
	}
	return strings.Join(ids, ", ")
}

// cellsOf are the cells of a line: the day or the payee first.
func cellsOf(sum string, l online.BookLine) []string {
	of := l.Day
	if sum == "payee" {
		if of = l.Payee; of == "" {
			of = "a script without address"
		}
	}
	return []string{of, string(l.Chain), l.Network, l.Asset, strconv.Itoa(l.Payments), l.Amount}
}

func headings(sum string) []string {
	return []string{sum, "chain", "network", "asset", "payments", "amount"}
}

func (a *app) booksTable(sum string, lines []online.BookLine) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(headings(sum), "\t")))
	for _, l := range lines {
		of := cellsOf(sum, l)
		for i := range of {
			of[i] = cli.Printable(of[i])
		}
		fmt.Fprintln(w, strings.Join(of, "\t"))
	}
	return w.Flush()
}

func (a *app) booksCSV(sum string, lines []online.BookLine) error {
	w := csv.NewWriter(a.Out)
	if err := w.Write(headings(sum)); err != nil {
		return err
	}
	for _, l := range lines {
		if err := w.Write(cells(cellsOf(sum, l))); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// booksStyle prints in black on A4 and Letter.
const booksStyle = `@page{margin:15mm}body{font:10pt/1.35 sans-serif;color:#000;background:#fff}h1{font-size:14pt}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #000;padding:2pt 4pt;text-align:left}
td:nth-last-child(-n+2){text-align:right}thead{display:table-header-group}`

// booksHTML writes one page that needs nothing else and runs nothing.
func (a *app) booksHTML(sum string, o online.ReportOptions, books online.Books) error {
	var b strings.Builder
	hash := sha256.Sum256([]byte(booksStyle))
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'\">\n",
		base64.StdEncoding.EncodeToString(hash[:]))
	fmt.Fprintf(&b, "<title>Coldkms books</title><style>%s</style></head><body>\n<h1>Paid, by %s%s</h1>\n",
		booksStyle, sum, span(o))
	row := func(tag string, texts []string) {
		b.WriteString("<tr>")
		for _, text := range texts {
			fmt.Fprintf(&b, "<%s>%s</%s>", tag, html.EscapeString(cli.Printable(text)), tag)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("<table><thead>")
	row("th", headings(sum))
	b.WriteString("</thead><tbody>\n")
	for _, l := range books.Lines {
		row("td", cellsOf(sum, l))
	}
	fmt.Fprintf(&b, "</tbody></table>\n<p>Made %s. Without fees. Change not known: %d. Not counted: %d.</p>\n"+
		"</body></html>\n", a.now().UTC().Format(time.RFC3339), len(books.ChangeUnknown), len(books.Unread))
	_, err := a.Out.Write([]byte(b.String()))
	return err
}

// span is the time that books are of, for a heading.
func span(o online.ReportOptions) (text string) {
	if !o.From.IsZero() {
		text += " from " + o.From.Format(time.DateOnly)
	}
	if !o.To.IsZero() {
		text += " before " + o.To.Format(time.DateOnly)
	}
	return text
}
