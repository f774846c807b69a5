package policy

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestExampleIsSound(t *testing.T) {
	p := mustParse(t, Example())
	if w := p.Warnings(); len(w) > 0 {
		t.Errorf("the example warns: %v", w)
	}
	for _, line := range p.Explain() {
		if !strings.HasSuffix(line, ".") || strings.ContainsAny(line, "\n%!") && !strings.Contains(line, " % of") {
			t.Errorf("no sentence: %q", line)
		}
	}
	if got := (Policy{}).Explain(); !slices.Equal(got, []string{"Nothing is signed: no chain is allowed."}) {
		t.Errorf("the zero policy: %v", got)
	}
}

// Each field of the example is in the explanation: change one, and a line
// changes.
func TestEveryRuleIsExplained(t *testing.T) {
	p := mustParse(t, Example())
	for _, c := range [][2]string{
		{`"maxFeeRate": 200`, `"maxFeeRate": 201`}, {`"maxFee": 500000`, `"maxFee": 500001`}, {`"maxFeePercent": 20`, `"maxFeePercent": 21`},
		{`"sum": 50000000`, `"sum": 50000001`}, {`"count": 500`, `"count": 501`}, {`"sum": 500000000`, `"sum": 500000001`},
		{`"sum": 2000000000`, `"sum": 2000000001`}, {`"count": 3`, `"count": 4`}, {`"operators": 2`, `"operators": 4`},
		{`"above": 100000000`, `"above": 100000001`}, {`"label": "cold storage"`, `"label": "warm storage"`},
		{`{"chain": "LTC", "network": "mainnet"}`, `{"chain": "LTC", "network": "testnet"}`},
		{`"unlisted": "allow"`, `"unlisted": "flag"`}, {`"newDestination": "flag"`, `"newDestination": "refuse"`}, {`"lookAlike": "refuse"`, `"lookAlike": "flag"`},
		{`"samePayment": "flag"`, `"samePayment": "allow"`}, {`"unproven": "refuse"`, `"unproven": "flag"`}, {`"replacement": "refuse"`, `"replacement": "flag"`},
		{`"data": "flag"`, `"data": "refuse"`}, {`"nonstandard": "refuse"`, `"nonstandard": "allow"`}, {`"lockTime": "flag"`, `"lockTime": "refuse"`},
		{`"replaceable": "flag"`, `"replaceable": "refuse"`}, {`72`, `73`}, {`"requireOffline": true`, `"requireOffline": false`},
	} {
		if !strings.Contains(Example(), c[0]) {
			t.Errorf("the example has no %s", c[0])
			continue
		}
		other := mustParse(t, strings.Replace(Example(), c[0], c[1], 1))
		most := 2
		if strings.Contains(c[0], "LTC") { // a coin has a line for each of its caps
			most = 4
		}
		if lines := p.Compare(other); len(lines) < 1 || len(lines) > most {
			t.Errorf("%s → %s: %v", c[0], c[1], lines)
		}
	}
}

func TestWarnings(t *testing.T) {
	const address = `"chain": "BTC", "network": "testnet", "address": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"`
	for name, c := range map[string]struct{ text, says string }{
		"nothing wrong":       {one("", `"limits": [{"per": "day", "sum": 5}, {"per": "week", "sum": 5}]`), ""},
		"no chain":            {`{"version": 1, "chains": []}`, "nothing can be signed"},
		"zero":                {one("", `"limits": [{"per": "day", "sum": 0}]`), "is zero"},
		"zero payments":       {one("", `"destinationLimits": [{"per": "day", "count": 0}]`), "is zero"},
		"day above week":      {one("", `"limits": [{"per": "day", "sum": 6}, {"per": "week", "sum": 5}]`), "never reached"},
		"one above all":       {one("", `"limits": [{"per": "day", "sum": 5}], "destinationLimits": [{"per": "day", "sum": 6}]`), "never reached"},
		"quorum at limit":     {one("", `"limits": [{"per": "day", "sum": 5}], "quorum": [{"per": "day", "above": 5, "operators": 2}]`), "never asked"},
		"quorum falls":        {one("", `"quorum": [{"per": "day", "above": 5, "operators": 2}, {"per": "day", "above": 6, "operators": 2}]`), "change nothing"},
		"none listed":         {one(`"unlisted": "refuse"`, ""), "nothing can be paid"},
		"listed and denied":   {one(`"allow": [{`+address+`}], "deny": [{`+address+`}]`, ""), "both lists"},
		"all listed denied":   {one(`"unlisted": "refuse", "allow": [{`+address+`}], "deny": [{`+address+`}]`, ""), "nothing can be paid"},
		"listed elsewhere":    {one(`"allow": [{"chain": "LTC", "network": "testnet", "script": "51"}]`, ""), "nothing is signed for this coin"},
		"denied elsewhere":    {one(`"deny": [{"chain": "LTC", "network": "testnet", "script": "51"}]`, ""), "anyway"},
		"no fee":              {one("", `"maxFee": 0`), "only what has no fee"},
		"no fee in percent":   {one("", `"maxFeePercent": 0`), "only what has no fee"},
		"another form":        {one(`"allow": [{`+address+`}], "deny": [{"chain": "BTC", "network": "testnet", "script": "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac"}]`, ""), "pays the same key"},
		"only what was known": {one(`"newDestination": "refuse"`, ""), "paid before"},
	} {
		got := strings.Join(mustParse(t, c.text).Warnings(), "\n")
		if (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}

// The example in the guide has the words that are printed.
func TestQuorumWordsInTheDocs(t *testing.T) {
	guide, err := os.ReadFile("../../docs/APPROVALS.md")
	if err != nil {
		t.Fatal(err)
	}
	p := mustParse(t, one("", `"quorum": [{"per": "day", "above": 50000, "operators": 2}]`))
	batch := []Subject{costing(pay("1", 1, "to", 40_000), 500), costing(pay("2", 2, "x", 39_001), 500)}
	operators, why := p.Judge(batch, Circumstances{}, knowing("to", "x"))[0].Quorum()
	if operators != 2 || !strings.Contains(string(guide), "too few operators approved this batch: 1 of 2 (alice): "+why+"\n") {
		t.Errorf("the guide does not say %q", why)
	}
}

// The guide shows what policy check prints for the example, line by line.
func TestExplanationInTheDocs(t *testing.T) {
	guide, err := os.ReadFile("../../docs/POLICY.md")
	if err != nil {
		t.Fatal(err)
	}
	if block := strings.Join(mustParse(t, Example()).Explain(), "\n"); !strings.Contains(string(guide), "\n"+block+"\n```\n") {
		t.Errorf("docs/POLICY.md does not show:\n%s", block)
	}
}
