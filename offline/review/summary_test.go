package review

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// signedBatch is batch() and large() after they were signed, with hostile words.
func signedBatch() Summary {
	first := Finished{Batch: batch(), How: "typed", Operators: []string{"alice 00ff"}, Outcomes: []Outcome{
		{TxID: strings.Repeat("ab", 32)},
		{Code: chain.NoKeyForInput, Reason: "input 0 is not ours"},
		{Code: chain.DuplicateInput, Reason: `=HYPERLINK("http://evil","<script>alert(1)</script>") & more`},
	}}
	second := Finished{Batch: large(), How: "digest", Outcomes: []Outcome{
		{
			TxID: strings.Repeat("cd", 32),
		}, {Code: chain.RefusedByPerson, Reason: "taken out of the batch"}, {TxID: strings.Repeat("ef", 32)}, {Code: chain.RefusedByPerson, Reason: "taken out of the batch"},
	}}
	return Summary{
		Made:    time.Unix(1_790_000_100, 0),
		Signer:  "13afab16f531133bb99e24",
		Policy:  PolicyName{"payroll", strings.Repeat("5", 64), "2026-11-23T10:15:00Z", 7},
		Ledger:  LedgerName{42, strings.Repeat("7", 64), "inmate wolf"},
		Batches: []Finished{first, second},
	}
}

// What is burnt, a memo or tag, a token and when a transaction is valid stand in
// every form of a review and of a summary.
func TestEveryFormTellsMemoValidityAndBurn(t *testing.T) {
	coin := chain.Coin{Chain: "FAKE", Network: chain.Testnet}
	own, token := chain.Asset{Coin: coin, Symbol: "FAK"}, chain.Asset{Coin: coin, Token: "tok", Symbol: "TOK"}
	long := strings.Repeat("m", 200)
	f := &chain.Facts{Coin: coin, Asset: own, Fee: chain.NewAmount(7), Movements: []chain.Movement{
		{
			To:      "acct?tag=77",
			Address: "acct",
			Memo:    "77\x1b[31m",
			Kind:    "account",
			Asset:   token,
			Amount:  chain.NewAmount(5),
		},
		{To: "other", Address: "other", Memo: long, Kind: "account", Asset: own, Amount: chain.NewAmount(11)},
		{To: "hole", Address: "hole", Kind: "account", Asset: own, Amount: chain.NewAmount(4321), Burnt: true},
	}, Validity: chain.Validity{NotBefore: chain.Moment{Unix: 1_790_000_000}, NotAfter: chain.Moment{Height: 840_000}}}
	cheap := &chain.Facts{Coin: coin, Asset: own, Fee: chain.NewAmount(100)}
	b := Batch{Items: []Item{{ID: "one", Coin: coin, Facts: cheap}, {ID: "two", Coin: coin, Facts: f}}}
	s := Summary{Batches: []Finished{{Batch: b, Outcomes: []Outcome{{TxID: "aa"}, {TxID: "bb"}}}}}
	reviewed, err := json.Marshal(b.JSON())
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{"review.json": string(reviewed)}
	for name, write := range map[string]func(io.Writer) error{
		"review.txt": b.Text, "summary.txt": s.Text, "summary.json": s.JSON, "summary.csv": s.CSV, "summary.html": s.HTML,
		"session": func(w io.Writer) error { return b.Decisive(w, 1) },
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			t.Fatal(err)
		}
		forms[name] = text.String()
	}
	for name, text := range forms {
		for _, want := range []string{"77", "840000", "4321"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not tell %s:\n%s", name, want, text)
			}
		}
		if name != "session" && !strings.Contains(name, "csv") &&
			!strings.Contains(text, "4328") { // of item 2, with what it burns
			t.Errorf("%s does not tell the highest fee:\n%s", name, text)
		}
		if strings.Contains(name, "txt") && strings.Contains(text, "\x1b") {
			t.Errorf("%s has a control character", name)
		}
	}
}

func TestSummary(t *testing.T) {
	for name, write := range map[string]func(Summary, io.Writer) error{
		"summary.txt": Summary.Text, "summary.json": Summary.JSON, "summary.csv": Summary.CSV, "summary.html": Summary.HTML,
	} {
		var b bytes.Buffer
		if err := write(signedBatch(), &b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// A page that somebody prints runs nothing and loads nothing, whatever an
// item says.
func TestSummaryPageIsInert(t *testing.T) {
	s := signedBatch()
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>&`
	it := &s.Batches[1].Batch.Items[0]
	it.ID, it.Chain, s.Signer = evil, evil, evil
	s.Policy, s.Ledger = PolicyName{evil, evil, evil, 1}, LedgerName{1, evil, evil}
	it.Facts.Movements[0].Address = evil
	s.Batches[0].Operators = []string{evil}
	s.Batches[1].Outcomes[0].TxID = evil
	s.Batches[1].Outcomes[1].Reason = evil
	var b bytes.Buffer
	if err := s.HTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(b.String(), -1) {
		if !regexp.MustCompile(`^<(!DOCTYPE html|/?(html|head|meta|title|style|body|h1|h2|table|thead|tbody|tr|th|td|code|p)( lang="en"| charset="utf-8"| class="[ns]"| http-equiv="Content-Security-Policy" content="[^"]*")*|br)>$`).
			MatchString(tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	if !strings.Contains(b.String(), `default-src 'none'`) {
		t.Error("no content security policy")
	}
}

// A page names a payee as the policy does.
func TestSummaryHTMLHasLabels(t *testing.T) {
	s := signedBatch()
	s.Batches[0].Batch.Label = func(chain.Coin, string) string { return "Bakery <1>" }
	var b bytes.Buffer
	if err := s.HTML(&b); err != nil || !strings.Contains(b.String(), "Bakery &lt;1&gt;") {
		t.Errorf("%v: %s", err, b.String())
	}
}

// No cell is a formula, and the numbers are numbers.
func TestSummaryCSVIsSafe(t *testing.T) {
	s := signedBatch()
	for i, evil := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|cmd", "\n=1",
		"\uff1d1+1", "\uff0b1", "\u3000\uff20SUM(A1)"} {
		s.Batches[0].Outcomes[1].Reason = evil
		s.Batches[0].Batch.Items[2].ID = evil
		s.Batches[0].Batch.Items[0].Findings = []policy.Reason{{Code: "x", Message: "%s", Args: []any{evil}}}
		var b bytes.Buffer
		if err := s.CSV(&b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) < 5 {
			t.Fatalf("%v, %d rows", err, len(rows))
		}
		for _, row := range rows {
			for _, c := range row {
				if strings.ContainsAny(c, "\n\r\t") ||
					strings.IndexAny(strings.TrimSpace(c), "=+-@|\uff1d\uff0b\uff0d\uff20\uff5c") == 0 {
					t.Errorf("text %d: cell %q", i, c)
				}
			}
		}
	}
}

// The data of a summary reads back, sums beyond 64 bits included.
func TestSummaryJSON(t *testing.T) {
	var b bytes.Buffer
	if err := signedBatch().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Batches []struct {
			Totals []struct{ Paid json.Number }
			Items  []struct{ State, TxID string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Batches[1].Totals[0].Paid; got != "18000000000000000000" {
		t.Errorf("two times 9e18 is %s", got)
	}
	if got := back.Batches[1].Items[1]; got.State != "refused" || got.TxID != "" {
		t.Errorf("what the person took out is %+v", got)
	}
}
