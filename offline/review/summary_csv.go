package review

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"coldkms/shared/chain"
)

// CSV writes a line for each output of each item, payments before change, and
// one for an item without. What is change, and what is burnt, stands in a column
// of its own. What is of the item as a whole, such as the fee, stands in its first
// line only, so that a column adds up. A cell that a spreadsheet would take for a formula begins with an
// apostrophe.
func (s Summary) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"batch", "number", "id", "chain", "network", "state", "txId", "to", "value", "amount", "fee", "codes", "reasons",
		"ledgerHead", "policy", "policyName", "policySince", "ledgerLines", "ledgerWords", "own", "change", "burnt", "token", "memo", "valid"}}
	for _, f := range s.Batches {
		rows = append(rows, f.rows(s)...)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = cell(row[i])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("summary: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	return nil
}

func (f Finished) rows(s Summary) (rows [][]string) {
	for i, it := range f.Batch.Items {
		codes, reasons := f.why(i)
		txid, fee, valid := "", "", ""
		if f.Outcomes != nil {
			txid = f.Outcomes[i].TxID
		}
		if it.Facts != nil {
			fee, valid = it.Facts.Fee.String(), validity(it.Facts.Validity)
		}
		list := listed(it)
		for n := range max(len(list), 1) {
			row := []string{f.Batch.Digest.String(), strconv.Itoa(i + 1), it.ID, string(it.Chain), it.Network.String(), f.state(i), txid,
				"", "", "", fee, words(codes), strings.Join(reasons, "; "), s.Ledger.Head, s.Policy.Hash,
				s.Policy.Name, s.Policy.Since, strconv.FormatUint(s.Ledger.Lines, 10), s.Ledger.Words, "", "", "", "", "", valid}
			if n < len(list) {
				pays(row[7:10], list[n])
				owned(row[19:21], list[n])
				more(row[21:24], list[n])
			}
			fee, valid = "", ""
			rows = append(rows, row)
		}
	}
	return rows
}

// pays fills in to, value and amount; of change only to.
func pays(cells []string, out chain.Movement) {
	if cells[0] = out.To; !out.IsChange() {
		cells[1], cells[2] = out.Paid().String(), out.Asset.Units(out.Paid())
	}
}

// owned fills in own and change.
func owned(cells []string, out chain.Movement) {
	if out.Own != nil {
		cells[0], cells[1] = OwnNames(out), out.Change.String()
	}
}

// more fills in burnt, token and memo.
func more(cells []string, out chain.Movement) {
	if out.IsBurnt() {
		cells[0] = out.Amount.String()
	}
	cells[1], cells[2] = out.Asset.Token, out.Memo
}

// words lists each code once.
func words(codes []chain.Code) string {
	var list []string
	for _, c := range codes {
		if !slices.Contains(list, string(c)) {
			list = append(list, string(c))
		}
	}
	return strings.Join(list, " ")
}

// cell makes a text safe for a spreadsheet, on one line.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, s)
	const begins = "=+-@|\uff1d\uff0b\uff0d\uff20\uff5c" // the wide forms, which some spreadsheets take for the same
	if strings.IndexAny(strings.TrimLeft(s, " \u00a0\u3000"), begins) == 0 {
		return "'" + s
	}
	return s
}
