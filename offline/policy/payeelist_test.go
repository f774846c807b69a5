package policy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

const aPayee = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"

// A list of payees is read whole or not at all.
func TestReadPayees(t *testing.T) {
	good := "name,coin,address,network,limit,everyDays\nJane,BTC," + aPayee + ",testnet,0.25,30\n"
	list, err := ReadPayees(utxoCoins{}, strings.NewReader(good))
	if err != nil || len(list) != 1 || *list[0].Limit != chain.NewAmount(25_000_000) || *list[0].EveryDays != 30 {
		t.Fatalf("%v, %v", list, err)
	}
	for name, text := range map[string]string{
		"no columns":       "",
		"unknown column":   "name,coin,address,colour\n",
		"column twice":     "name,coin,address,name\n",
		"column missing":   "name,coin\n",
		"no name":          "name,coin,address,network\n,BTC," + aPayee + ",testnet\n",
		"other coin":       "name,coin,address\nJane,XYZ,a\n",
		"wrong network":    "name,coin,address\nJane,BTC," + aPayee + "\n",
		"no address":       "name,coin,address,network\nJane,BTC,,testnet\n",
		"mistyped address": "name,coin,address,network\nJane,BTC," + aPayee[:40] + "xy,testnet\n",
		"twice":            good + "Joe,BTC," + strings.ToUpper(aPayee) + ",testnet,,\n",
		"too many fields":  good + "Joe,BTC,a,testnet,,,\n",
		"limit":            "name,coin,address,network,limit\nJane,BTC," + aPayee + ",testnet,0.123456789\n",
		"negative limit":   "name,coin,address,network,limit\nJane,BTC," + aPayee + ",testnet,-1\n",
		"limit in words":   "name,coin,address,network,limit\nJane,BTC," + aPayee + ",testnet,1e3\n",
		"days":             "name,coin,address,network,everyDays\nJane,BTC," + aPayee + ",testnet,0\n",
		"two spaces":       "name,coin,address,network\nJane  Doe,BTC," + aPayee + ",testnet\n",
		"filler in a name": "name,coin,address,network\nJa\u3164ne,BTC," + aPayee + ",testnet\n",
		"joiner in a name": "name,coin,address,network\nJa\u034fne,BTC," + aPayee + ",testnet\n",
		"invisible name":   "name,coin,address,network\nJane\u200b,BTC," + aPayee + ",testnet\n",
	} {
		if list, err := ReadPayees(utxoCoins{}, strings.NewReader(text)); err == nil {
			t.Errorf("%s: read as %v", name, list)
		}
	}
}

// Who is added is known, who is added again is changed, who is removed is not, and
// the result is a policy like one that was read from a file.
func TestWithPayees(t *testing.T) {
	list, err := ReadPayees(utxoCoins{}, strings.NewReader("name,coin,address,network\nJane,BTC,"+aPayee+",testnet\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Default(utxoCoins{}).WithPayees(list)
	if err != nil || len(p.Payees()) != 1 || len(p.Hash()) == 0 {
		t.Fatalf("%v: %v", p.Payees(), err)
	}
	limit := chain.NewAmount(7)
	list[0].Name, list[0].Limit = "Jane Doe", &limit
	q, err := p.WithPayees(list)
	if err != nil || len(q.Payees()) != 1 || q.Label(chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
		aPayee) != "Jane Doe" {
		t.Errorf("%v: %v", q.Payees(), err)
	}
	if lines := p.Compare(q); len(lines) < 3 {
		t.Errorf("the difference is %q", lines)
	}
	for _, who := range []string{"Jane Doe", strings.ToUpper(aPayee)} {
		if none, err := q.WithPayees(nil, who); err != nil || len(none.Payees()) != 0 {
			t.Errorf("%s: %v, %v", who, none.Payees(), err)
		}
	}
	if _, err := q.WithPayees(nil, "Joe"); err == nil {
		t.Error("nobody is removed without an error")
	}
	if _, err := (Policy{}).WithPayees(list); err == nil {
		t.Error("the zero policy is changed")
	}
}

// A payee gets no more in a batch than its entry says, and not before it is due.
func TestPayeeLimits(t *testing.T) {
	p := mustParse(t, one(`"allow": [{"label": "Jane", "chain": "BTC", "network": "testnet", "address": "`+aPayee+`",
		"limit": 100, "everyDays": 30}]`,
		""))
	for name, c := range map[string]struct {
		batch []Subject
		past  *memory
		code  chain.Code
	}{
		"at":    {[]Subject{pay("1", 1, aPayee, 100)}, was(30*aDay, aPayee, 100), ""},
		"above": {[]Subject{pay("1", 1, aPayee, 101)}, was(30*aDay, aPayee, 100), chain.LimitDestination},
		"in two": {[]Subject{pay("1", 1, aPayee, 60), pay("2", 2, aPayee, 41)}, was(30*aDay, aPayee, 100),
			chain.LimitDestination},
		"too early": {[]Subject{pay("1", 1, aPayee, 80)}, was(20*aDay, aPayee, 100), chain.FlagSameAgain},
	} {
		for _, v := range p.Judge(c.batch, Circumstances{}, c.past) {
			if got := v.Codes(); c.code == "" && len(got) > 0 || c.code != "" && (len(got) == 0 || got[0] != c.code) {
				t.Errorf("%s: %v, want %q", name, got, c.code)
			}
		}
	}
}

// What is said of a payment that comes again is the same some minutes later: a
// review is signed later than it was made, and by what it said.
func TestWordsDoNotAge(t *testing.T) {
	p := mustParse(t, one(`"allow": [{"label": "Jane", "chain": "BTC", "network": "testnet", "address": "`+aPayee+`",
		"everyDays": 30}]`,
		""))
	for name, c := range map[string]struct {
		policy Policy
		to     string
	}{"rhythm": {p, aPayee}, "built in": {Default(utxoCoins{}), "b"}} {
		past := was(3600, c.to, 60_000)
		said := func() string {
			v := c.policy.Judge([]Subject{pay("1", 1, c.to, 60_000)}, Circumstances{}, past)[0]
			if !slices.Contains(v.Codes(), chain.FlagSameAgain) {
				t.Errorf("%s: %v", name, v.Codes())
			}
			var words []string
			for _, r := range v.Findings {
				words = append(words, r.Text())
			}
			return strings.Join(words, "\n")
		}
		before := said()
		if past.now += 7 * 60; said() != before {
			t.Errorf("%s: %q became %q", name, before, said())
		}
	}
}

// The ready policies are sound, and the guide shows them as they are.
func TestReadyPolicies(t *testing.T) {
	guide, err := os.ReadFile("../../docs/POLICY.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range ReadyNames() {
		text, ok := Ready(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		mustParse(t, text)
		if !strings.Contains(string(guide), text) {
			t.Errorf("docs/POLICY.md does not show %s", name)
		}
	}
}

// Some payments within minutes are no rhythm: the same amount again is a double.
func TestMinutesAreNoRhythm(t *testing.T) {
	for name, c := range map[string]struct {
		between, since int64
		early          bool
	}{
		"every minute, again after one":        {60, 60, true},
		"every minute, again after ten":        {60, 600, true},
		"every minute, again after an hour":    {60, 3600, false},
		"every day, again after an hour":       {aDay, 3600, true},
		"every day, again after a day":         {aDay, aDay, false},
		"every two hours, again after an hour": {7200, 3600, false},
	} {
		p := &payee{}
		for i := range int64(4) {
			p.paid = append(p.paid, occasion{clock: -i * c.between, amounts: []chain.Amount{chain.NewAmount(100)}})
		}
		if early, _ := p.early(chain.NewAmount(100), 1, c.since, noInterval); (early != nil) != c.early {
			t.Errorf("%s: early %t", name, early)
		}
	}
}
