package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

func paying(to ...string) Subject {
	s := pay("1", 1, "")
	for i, to := range to {
		s.Facts.Movements = append(s.Facts.Movements, chain.Movement{To: to, Address: to, Kind: "P2WPKH", Amount: chain.NewAmount(uint64(int64(1000 + i)))})
	}
	return s
}

func TestLookAlikes(t *testing.T) {
	const known = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx" // a real one, for the list
	const alike = "tb1qw508zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzjzsx"
	listed := one(`"allow": [{"label": "cold storage", "chain": "BTC", "network": "testnet", "address": "`+known+`"}]`, "")
	own := paying(alike)
	own.Facts.Sources[0].Address = known
	foreign := paying(alike)
	foreign.Facts.Sources[0].Address, foreign.Facts.Sources[0].Own = known, false
	change := paying(alike)
	change.Facts.Movements[0].To, change.Facts.Movements[0].Address = known, known
	cash := paying("bitcoincash:qabcd111wxyz")
	cash.Facts.Chain = chain.BCH
	otherCash := paying("bitcoincash:qxbcd111wxyz")
	otherCash.Facts.Chain = chain.BCH
	paidCash := &memory{now: noon, paid: []Payment{{Coin: chain.Coin{Chain: chain.BCH, Network: chain.Testnet}, To: "bitcoincash:qabcd222wxyz", Value: chain.NewAmount(1)}}}
	for name, c := range map[string]struct {
		file    string
		subject Subject
		past    *memory
		other   string // that it looks like; "": nothing
	}{
		"paid before":           {one("", ""), paying(alike), knowing(known), known},
		"the same":              {one("", ""), paying(known), knowing(known), ""},
		"other beginning":       {one("", ""), paying("tb1qx508zzzzzzzzzzzzjzsx"), knowing(known), ""},
		"eight and three":       {one("", ""), paying("tb1qw508d6qeyyyyyyyyyyyyyyyyyyyyyyyyyyyzsx"), knowing(known), known},
		"two and four":          {one("", ""), paying("tb1qw5zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzjzsx"), knowing(known), known},
		"other end":             {one("", ""), paying("tb1qw508zzzzzzzzzzzzjzsy"), knowing(known), ""},
		"listed":                {listed, paying(alike), knowing(), known},
		"is the listed one":     {listed, paying(known), knowing(alike), ""},
		"own address":           {one("", ""), own, knowing(), known},
		"a stranger's input":    {one("", ""), foreign, knowing(), ""},
		"own change":            {one("", ""), change, knowing(), known},
		"in the same batch":     {one("", ""), paying(alike, known), knowing(), known},
		"another coin's":        {one("", ""), paying(alike), &memory{paid: []Payment{{Coin: chain.Coin{Chain: chain.LTC, Network: chain.Testnet}, To: known, Value: chain.NewAmount(1)}}}, ""},
		"another network's":     {one("", ""), paying(alike), &memory{paid: []Payment{{Coin: chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, To: known, Value: chain.NewAmount(1)}}}, ""},
		"base58":                {one("", ""), paying("mabcd22222wxyz"), knowing("nabcd11111wxyz"), "nabcd11111wxyz"},
		"cashaddr":              {strings.ReplaceAll(one("", ""), "BTC", "BCH"), cash, paidCash, "bitcoincash:qabcd222wxyz"},
		"cashaddr, another":     {strings.ReplaceAll(one("", ""), "BTC", "BCH"), otherCash, paidCash, ""},
		"the kind is no match":  {one("", ""), paying("tb1pw508zzzzzzzzzzzzjzsx"), knowing(known), known},
		"too short to compare":  {one("", ""), paying("tb1q1234"), knowing("tb1q1234"), ""},
		"the first of many":     {one("", ""), paying(alike), knowing("tb1qw508bjzsx", known, "tb1qw508ajzsx"), "tb1qw508ajzsx"},
		"itself the first":      {one("", ""), paying("tb1qw508ajzsx"), knowing(known, "tb1qw508bjzsx", "tb1qw508ajzsx"), "tb1qw508bjzsx"},
		"itself the second":     {one("", ""), paying("tb1qw508bjzsx"), knowing("tb1qw508ajzsx", "tb1qw508bjzsx"), "tb1qw508ajzsx"},
		"signed before, ignore": {one("", ""), paying(alike), &memory{signed: map[string][32]byte{"1": {1}}, paid: knowing(known).paid}, ""},
	} {
		v := judge(mustParse(t, c.file), c.subject, c.past)
		text := ""
		for _, r := range v.Findings {
			if r.Code == chain.FlagLookAlike {
				text += r.Text()
			}
		}
		if c.other == "" && text != "" {
			t.Errorf("%s: %s", name, text)
		}
		if c.other != "" && !strings.Contains(text, "like "+c.other) {
			t.Errorf("%s: %q, want %s", name, text, c.other)
		}
	}
	if v := judge(mustParse(t, listed), paying(alike), knowing()); !strings.Contains(v.Findings[len(v.Findings)-1].Text(), `("cold storage")`) {
		t.Errorf("the label is not said: %v", v.Findings)
	}
}

func TestNewAndSame(t *testing.T) {
	for name, c := range map[string]struct {
		batch []Subject
		past  *memory
		new   bool
		same  bool
	}{
		"never paid":             {[]Subject{pay("1", 1, "to", 5)}, knowing("x"), true, false},
		"paid years ago":         {[]Subject{pay("1", 1, "to", 5)}, was(aWeek*500, "to", 6), false, false},
		"paid the same":          {[]Subject{pay("1", 1, "to", 5)}, was(aWeek*500, "to", 5), false, false},
		"paid the same today":    {[]Subject{pay("1", 1, "to", 5)}, was(3600, "to", 5), false, true},
		"a percent less":         {[]Subject{pay("1", 1, "to", 1000, 990)}, was(aWeek, "to", 6), false, true},
		"two percent less":       {[]Subject{pay("1", 1, "to", 1000, 980)}, was(aWeek, "to", 6), false, false},
		"the same to another":    {[]Subject{pay("1", 1, "to", 5)}, was(0, "x", 5), false, false},
		"twice in one":           {[]Subject{pay("1", 1, "to", 5, 5)}, was(0, "to", 6), false, true},
		"twice in a batch":       {[]Subject{pay("1", 1, "to", 5), pay("2", 2, "to", 5)}, was(0, "to", 6), false, true},
		"new, twice in a batch":  {[]Subject{pay("1", 1, "new", 5), pay("2", 2, "new", 5)}, was(0, "to", 6), true, true},
		"new, other amounts":     {[]Subject{pay("1", 1, "new", 5), pay("2", 2, "new", 6)}, was(0, "to", 6), true, false},
		"nothing to a known one": {[]Subject{pay("1", 1, "to")}, was(0, "x", 5), false, false},
	} {
		for i, v := range Default(utxoCoins{}).Judge(c.batch, Circumstances{}, c.past) {
			if got := slices.Contains(v.Codes(), chain.FlagNew); got != c.new {
				t.Errorf("%s: item %d is new: %v", name, i, got)
			}
			if got := slices.Contains(v.Codes(), chain.FlagSameAgain); got != c.same {
				t.Errorf("%s: item %d is the same: %v", name, i, got)
			}
			if v.Refused() {
				t.Errorf("%s: refused: %v", name, v.Refusals)
			}
		}
	}
}

func severityOf(v Verdict, code chain.Code) chain.Severity {
	for _, r := range v.Findings {
		if r.Code == code {
			return r.Severity
		}
	}
	return chain.Unrated
}

// Of two payments that are the same the later id is looked at, in any order of
// the items; what was signed of the batch before comes first.
func TestFirstOfAPairIsNoted(t *testing.T) {
	one, two := pay("1", 1, "to", 5), pay("2", 2, "to", 5)
	for name, batch := range map[string][]Subject{"in order": {one, two}, "reversed": {two, one}} {
		for i, v := range Default(utxoCoins{}).Judge(batch, Circumstances{}, was(0, "to", 6)) {
			want := chain.Note
			if batch[i].ID == "2" {
				want = chain.Look
			}
			if got := severityOf(v, chain.FlagSameAgain); got != want {
				t.Errorf("%s: item %s is of severity %d, want %d", name, batch[i].ID, got, want)
			}
		}
	}
	signed := &memory{now: noon, paid: []Payment{{Coin: one.Facts.Coin, To: "to", Value: chain.NewAmount(5),
		Clock: noon, Batch: [32]byte{7}}}}
	v := Default(utxoCoins{}).Judge([]Subject{one}, Circumstances{Batch: [32]byte{7}}, signed)[0]
	if got := severityOf(v, chain.FlagSameAgain); got != chain.Look {
		t.Errorf("beside a signed one: severity %d", got)
	}
}

// What a payee gets regularly, paid to somebody new while it gets nothing, is
// looked at; an amount near by is noted.
func TestRedirectedExactly(t *testing.T) {
	past := &memory{now: noon}
	for _, batch := range []int{2, 1, 0} { // oldest first
		for payee := range 20 {
			past.paid = append(past.paid, Payment{Clock: noon - int64(batch+1)*aWeek, Batch: [32]byte{byte(batch + 1)},
				Coin: paying().Facts.Coin, To: fmt.Sprint("payee ", payee),
				Value:   chain.NewAmount(uint64(100_000 + 1000*payee)),
				Content: [32]byte{byte(batch + 1), byte(payee)}})
		}
	}
	for amount, want := range map[int64]chain.Severity{105_000: chain.Look, 105_001: chain.Note,
		300_000: chain.Unrated} {
		batch := []Subject{pay("new", 99, "stranger", amount)}
		for payee := range 20 {
			if payee != 5 {
				to, usual := fmt.Sprint("payee ", payee), int64(100_000+1000*payee)
				batch = append(batch, pay(fmt.Sprint(payee), byte(payee), to, usual))
			}
		}
		v := Default(utxoCoins{}).Judge(batch, Circumstances{}, past)[0]
		if got := severityOf(v, chain.FlagMoved); got != want {
			t.Errorf("%d: severity %d, want %d: %v", amount, got, want, v.Findings)
		}
	}
}

// What is within a percent is not called the same: the amounts are named.
func TestSameSaysWhatDiffers(t *testing.T) {
	for words, c := range map[string]struct {
		batch []Subject
		past  *memory
	}{
		"which got the same on": {[]Subject{pay("1", 1, "to", 30_000)}, was(3600, "to", 30_000)},
		"which got 30600  (30600), within 1 % of it, on": {
			[]Subject{pay("1", 1, "to", 30_700)}, was(3600, "to", 30_600)},
		"as 1 other payment of this batch": {[]Subject{pay("1", 1, "to", 5, 5)}, was(0, "to", 6)},
		"as 1 other payment of this batch, of 990  (990), within 1 % of it": {
			[]Subject{pay("1", 1, "to", 1000, 990)}, was(aWeek, "to", 6)},
		"as 2 other payments of this batch, of 990  (990) to 1000  (1000), within 1 %": {
			[]Subject{pay("1", 1, "to", 1000, 990, 990)}, was(aWeek, "to", 6)},
	} {
		var said string
		for _, r := range Default(utxoCoins{}).Judge(c.batch, Circumstances{}, c.past)[0].Findings {
			if r.Code == chain.FlagSameAgain {
				said += r.Text() + "\n"
			}
		}
		if first, _, _ := strings.Cut(said, "\n"); !strings.HasSuffix(first, words) && !strings.Contains(first, words+" 20") {
			t.Errorf("%q, want %q", said, words)
		}
	}
}
