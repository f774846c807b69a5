package policy

import (
	"math"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
)

// pay is a sound transaction of some payments, each to its own destination.
func pay(id string, content byte, to string, values ...int64) Subject {
	s := sound()
	s.ID, s.Content, s.Facts.Exclusive = id, [32]byte{content}, []string{id + ":0"}
	s.Facts.Movements, s.Facts.Fee = s.Facts.Movements[1:], chain.NewAmount(0) // the change
	for _, v := range values {
		s.Facts.Movements = append(s.Facts.Movements, chain.Movement{To: to, Address: to, Kind: "P2WPKH", Amount: chain.NewAmount(uint64(v))})
	}
	return s
}

// costing is a transaction with a fee.
func costing(s Subject, fee int64) Subject {
	s.Facts.Fee = chain.NewAmount(uint64(fee))
	return s
}

// was is a past in which one payment was made some seconds ago.
func was(seconds int64, to string, value int64) *memory {
	m := knowing("a", "b", "to", "x", "y")
	m.paid = append(m.paid, Payment{Clock: noon - seconds, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, To: to, Value: chain.NewAmount(uint64(value)), Content: [32]byte{99}})
	return m
}

const (
	aDay  = 24 * 3600
	aWeek = 7 * aDay
)

// Each limit admits what reaches it and refuses what exceeds it by one.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		rule  string
		batch []Subject
		past  *memory
		code  chain.Code // "": nothing is refused
	}{
		"transaction, at":       {`"limits": [{"per": "transaction", "sum": 100}]`, []Subject{pay("1", 1, "to", 40, 60)}, was(0, "x", 100), ""},
		"transaction, above":    {`"limits": [{"per": "transaction", "sum": 100}]`, []Subject{pay("1", 1, "to", 40, 61)}, was(0, "x", 1), chain.LimitTx},
		"transaction, each":     {`"limits": [{"per": "transaction", "sum": 100}]`, []Subject{pay("1", 1, "to", 100), pay("2", 2, "to", 100)}, was(0, "x", 1), ""},
		"transaction, count":    {`"limits": [{"per": "transaction", "count": 2}]`, []Subject{pay("1", 1, "to", 1, 1, 1)}, was(0, "x", 1), chain.LimitTx},
		"transaction, its fee":  {`"limits": [{"per": "transaction", "sum": 100}]`, []Subject{costing(pay("1", 1, "to", 40), 61)}, was(0, "x", 1), chain.LimitTx},
		"transaction, fee, at":  {`"limits": [{"per": "transaction", "sum": 100}]`, []Subject{costing(pay("1", 1, "to", 40), 60)}, was(0, "x", 1), ""},
		"batch, a fee alone":    {`"limits": [{"per": "batch", "sum": 100}]`, []Subject{pay("1", 1, "to", 100), costing(pay("2", 2, "x"), 1)}, was(0, "x", 1), chain.LimitBatch},
		"batch, at":             {`"limits": [{"per": "batch", "sum": 100}]`, []Subject{pay("1", 1, "to", 40), pay("2", 2, "x", 60)}, was(0, "x", 100), ""},
		"batch, above":          {`"limits": [{"per": "batch", "sum": 100}]`, []Subject{pay("1", 1, "to", 40), pay("2", 2, "x", 61)}, was(0, "x", 1), chain.LimitBatch},
		"batch, count at":       {`"limits": [{"per": "batch", "count": 2}]`, []Subject{pay("1", 1, "to", 40), pay("2", 2, "x", 61)}, was(0, "x", 1), ""},
		"batch, count above":    {`"limits": [{"per": "batch", "count": 2}]`, []Subject{pay("1", 1, "to", 40, 2), pay("2", 2, "x", 61)}, was(0, "x", 1), chain.LimitBatch},
		"day, at":               {`"limits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 40)}, was(0, "x", 60), ""},
		"day, above":            {`"limits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(0, "x", 60), chain.LimitDay},
		"day, last second":      {`"limits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(aDay-1, "x", 60), chain.LimitDay},
		"day, over":             {`"limits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(aDay, "x", 60), ""},
		"day, count":            {`"limits": [{"per": "day", "count": 1}]`, []Subject{pay("1", 1, "to", 41)}, was(5, "x", 60), chain.LimitDay},
		"week, at":              {`"limits": [{"per": "week", "sum": 100}]`, []Subject{pay("1", 1, "to", 40)}, was(aDay, "x", 60), ""},
		"week, last second":     {`"limits": [{"per": "week", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(aWeek-1, "x", 60), chain.LimitWeek},
		"week, over":            {`"limits": [{"per": "week", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(aWeek, "x", 60), ""},
		"nothing at all":        {`"limits": [{"per": "day", "sum": 0}]`, []Subject{pay("1", 1, "to", 1)}, was(aDay, "x", 60), chain.LimitDay},
		"only its own":          {`"limits": [{"per": "day", "sum": 0}]`, []Subject{pay("1", 1, "to")}, was(0, "x", 60), ""},
		"destination, at":       {`"destinationLimits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 40)}, was(0, "to", 60), ""},
		"destination, above":    {`"destinationLimits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(0, "to", 60), chain.LimitDestination},
		"destination, another":  {`"destinationLimits": [{"per": "day", "sum": 100}]`, []Subject{pay("1", 1, "to", 41)}, was(0, "x", 60), ""},
		"destination, count":    {`"destinationLimits": [{"per": "day", "count": 2}]`, []Subject{pay("1", 1, "to", 1), pay("2", 2, "to", 2)}, was(0, "to", 60), chain.LimitDestination},
		"destination, week":     {`"destinationLimits": [{"per": "week", "count": 1}]`, []Subject{pay("1", 1, "to", 1)}, was(aWeek-1, "to", 60), chain.LimitDestination},
		"destination, in batch": {`"destinationLimits": [{"per": "batch", "sum": 100}]`, []Subject{pay("1", 1, "to", 50), pay("2", 2, "to", 51)}, was(0, "x", 60), chain.LimitDestination},
		"destination, in tx":    {`"destinationLimits": [{"per": "transaction", "sum": 100}]`, []Subject{pay("1", 1, "to", 50, 51)}, was(0, "x", 60), chain.LimitDestination},
		"beyond every number":   {`"limits": [{"per": "day", "sum": 9223372036854775806}]`, []Subject{pay("1", 1, "to", math.MaxInt64), pay("2", 2, "to", math.MaxInt64)}, was(0, "x", 60), chain.LimitDay},
		"below every number":    {`"limits": [{"per": "day", "sum": 9223372036854775806}]`, []Subject{pay("1", 1, "to", 100), pay("2", 2, "to", -100)}, was(0, "x", 60), chain.LimitDay},
	} {
		p := mustParse(t, one(`"newDestination": "allow", "samePayment": "allow", "lookAlike": "allow"`, c.rule))
		var codes []chain.Code
		for _, v := range p.Judge(c.batch, Circumstances{}, c.past) {
			for _, r := range v.Refusals {
				codes = append(codes, r.Code)
			}
		}
		if c.code == "" && len(codes) > 0 {
			t.Errorf("%s: refused for %v", name, codes)
		}
		if c.code != "" && !slices.Contains(codes, c.code) {
			t.Errorf("%s: %v, want %s", name, codes, c.code)
		}
	}
}

// Who exceeds a limit together is refused together: all who contribute, and
// nobody else.
func TestEveryContributorIsRefused(t *testing.T) {
	p := mustParse(t, `{"version": 1, "chains": [
		{"chain": "BTC", "network": "testnet", "limits": [{"per": "batch", "sum": 100}], "destinationLimits": [{"per": "batch", "sum": 60}]},
		{"chain": "LTC", "network": "testnet"}]}`)
	other := pay("4", 4, "to", 1_000_000)
	other.Facts.Chain = chain.LTC
	verdicts := p.Judge([]Subject{pay("1", 1, "to", 40), pay("2", 2, "to", 60), pay("3", 3, "x", 1), other, pay("5", 5, "y")}, Circumstances{}, knowing())
	for i, want := range [][]chain.Code{
		{chain.LimitBatch, chain.LimitDestination}, {chain.LimitBatch, chain.LimitDestination}, {chain.LimitBatch}, nil, nil,
	} {
		var got []chain.Code
		for _, r := range verdicts[i].Refusals {
			got = append(got, r.Code)
		}
		if !slices.Equal(got, want) {
			t.Errorf("item %d: %v, want %v", i+1, got, want)
		}
	}
}

// What was signed before pays nothing anew: no limit refuses it, none counts
// it twice, and nothing asks again whether it should be paid.
func TestSignedBeforeIsNoNewPayment(t *testing.T) {
	p := mustParse(t, one(`"newDestination": "refuse", "samePayment": "refuse", "maxRequestAgeHours": 1, "approvers": {"needed": 1, "keys": [{"key": "02`+strings.Repeat("0", 62)+`"}]}`,
		`"limits": [{"per": "day", "sum": 100}], "quorum": [{"per": "day", "above": 10, "operators": 2}]`))
	m := was(0, "to", 100)
	m.paid[len(m.paid)-1].Content = [32]byte{1}
	m.signed, m.spent = map[string][32]byte{"1": {1}}, map[string][32]byte{"1:0": {1}}
	old := pay("1", 1, "to", 100)
	under := pay("9", 1, "to", 100) // the same transaction under another id
	under.Facts.Exclusive = old.Facts.Exclusive
	for name, s := range map[string]Subject{"same id": old, "other id": under} {
		v := judge(p, s, m)
		if n, _ := v.Quorum(); v.Refused() || n != 0 {
			t.Errorf("%s: %v, %d operators", name, v.Refusals, n)
		}
	}
	verdicts := p.Judge([]Subject{old, pay("2", 2, "x", 1)}, Circumstances{Created: noon}, m)
	if !slices.Contains(verdicts[1].Codes(), chain.LimitDay) {
		t.Error("what was signed is not counted")
	}
	verdicts = mustParse(t, one("", `"limits": [{"per": "day", "sum": 101}]`)).Judge([]Subject{old, pay("2", 2, "x", 1)}, Circumstances{}, m)
	if verdicts[1].Refused() {
		t.Errorf("what was signed is counted twice: %v", verdicts[1].Refusals)
	}
}

func TestModes(t *testing.T) {
	known := func() *memory { return knowing("a") }
	spent := func() *memory {
		m := knowing("a")
		m.spent = map[string][32]byte{"op": {7}}
		return m
	}
	same := func() *memory { return was(3600, "a", 60_000) }
	strange := func(s *Subject) { s.Facts.Movements[0].To, s.Facts.Movements[0].Address = "tb1qstrange", "tb1qstrange" }
	for name, c := range map[string]struct {
		change  func(*Subject)
		past    func() *memory
		flag    chain.Code
		refusal chain.Code
	}{
		"unlisted":       {func(*Subject) {}, known, chain.NotAllowed, chain.NotAllowed},
		"newDestination": {strange, known, chain.FlagNew, chain.FlagNew},
		"lookAlike": {func(s *Subject) {
			s.Facts.Movements[0].To, s.Facts.Movements[0].Address = "tb1qabcdEFGHwxyz", "tb1qabcdEFGHwxyz"
		}, func() *memory { return knowing("tb1qabcd9999wxyz") }, chain.FlagLookAlike, chain.FlagLookAlike},
		"samePayment": {func(*Subject) {}, same, chain.FlagSameAgain, chain.FlagSameAgain},
		"unproven":    {func(s *Subject) { s.found(chain.UnprovenAmount, chain.OfSource) }, known, chain.UnprovenAmount, chain.UnprovenAmount},
		"replacement": {func(*Subject) {}, spent, chain.FlagReplaces, chain.AlreadySpent},
		"data":        {func(s *Subject) { s.found(chain.FlagData, chain.OfMovement) }, known, chain.FlagData, chain.FlagData},
		"nonstandard": {func(s *Subject) { s.found(chain.FlagUnnamed, chain.OfMovement) }, known, chain.FlagUnnamed, chain.FlagUnnamed},
		"lockTime":    {func(s *Subject) { s.found(chain.FlagLockTime, chain.Whole) }, known, chain.FlagLockTime, chain.FlagLockTime},
		"replaceable": {func(s *Subject) { s.found(chain.FlagReplaceable, chain.Whole) }, known, chain.FlagReplaceable, chain.FlagReplaceable},
	} {
		s := sound()
		c.change(&s)
		if v := judge(mustParse(t, one(`"`+name+`": "flag"`, "")), s, c.past()); v.Refused() || !slices.Contains(v.Codes(), c.flag) {
			t.Errorf("%s flagged: refused %v with %v", name, v.Refused(), v.Codes())
		}
		if v := judge(mustParse(t, one(`"`+name+`": "refuse"`, "")), s, c.past()); !v.Refused() || v.Refusals[0].Code != c.refusal {
			t.Errorf("%s refused: %v", name, v.Codes())
		}
		if name == "unproven" || name == "replacement" {
			continue
		}
		if v := judge(mustParse(t, one(`"`+name+`": "allow"`, "")), s, c.past()); v.Refused() || slices.Contains(v.Codes(), c.flag) {
			t.Errorf("%s allowed: refused %v with %v", name, v.Refused(), v.Codes())
		}
		if v := judge(mustParse(t, one(`"`+name+`": "refuse"`, "")), sound(), known()); name != "unlisted" && v.Refused() {
			t.Errorf("%s refuses what is sound: %v", name, v.Codes())
		}
	}
}

func TestLists(t *testing.T) {
	const address, other = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "tb1qls3snph7j4h3p6r0f609cevqnl9q6cg92aqnn8"
	at := func(list, address string) string {
		return `"` + list + `": [{"label": "home", "chain": "BTC", "network": "testnet", "address": "` + address + `"}]`
	}
	to := func(address string) Subject {
		s := sound()
		s.Facts.Movements[0].To, s.Facts.Movements[0].Address = address, address
		return s
	}
	data := to(address)
	data.Facts.Movements = append(data.Facts.Movements, chain.Movement{To: utxo.Destination("", []byte{0x6a, 1, 1}), IsData: true, Lock: []byte{0x6a, 1, 1}})
	burning := to(address)
	burning.Facts.Movements = append(burning.Facts.Movements, chain.Movement{To: utxo.Destination("", []byte{0x6a, 1, 1}), IsData: true, Lock: []byte{0x6a, 1, 1}, Amount: chain.NewAmount(1)})
	bare := to("")
	bare.Facts.Movements[0].To, bare.Facts.Movements[0].Lock = "51", []byte{0x51}
	elsewhere := to(address)
	elsewhere.Facts.Network = chain.Mainnet
	change := to(address)
	change.Facts.Movements[1].To, change.Facts.Movements[1].Address = other, other
	only := `"unlisted": "refuse", `
	for name, c := range map[string]struct {
		file    string
		subject Subject
		code    chain.Code // of the refusal
	}{
		"on it":               {only + at("allow", address), to(address), ""},
		"not on it":           {only + at("allow", address), to(other), chain.NotAllowed},
		"empty list":          {only + `"allow": []`, to(address), chain.NotAllowed},
		"denied":              {at("deny", address), to(address), chain.Denied},
		"not denied":          {at("deny", address), to(other), ""},
		"on both":             {at("deny", address) + ", " + at("allow", address), to(address), chain.Denied},
		"data is no payment":  {only + at("allow", address), data, ""},
		"data that burns":     {only + at("allow", address), burning, chain.NotAllowed},
		"a script":            {only + `"allow": [{"chain": "BTC", "network": "testnet", "script": "51"}]`, bare, ""},
		"another script":      {only + `"allow": [{"chain": "BTC", "network": "testnet", "script": "52"}]`, bare, chain.NotAllowed},
		"data that is denied": {`"deny": [{"chain": "BTC", "network": "testnet", "script": "6a0101"}]`, data, chain.Denied},
		"own change":          {only + at("allow", address) + ", " + at("deny", other), change, ""},
		"other network":       {only + at("allow", address), elsewhere, chain.ChainNotAllowed},
	} {
		v := judge(mustParse(t, one(c.file, "")), c.subject, &memory{})
		switch {
		case c.code == "" && v.Refused():
			t.Errorf("%s: refused for %v", name, v.Refusals)
		case c.code != "" && (!v.Refused() || v.Refusals[0].Code != c.code):
			t.Errorf("%s: %v, want %s", name, v.Refusals, c.code)
		}
	}
	if v := judge(mustParse(t, one(at("allow", address), "")), to(address), &memory{}); len(v.Codes()) != 0 {
		t.Errorf("a listed destination is flagged: %v", v.Codes())
	}
}

func TestFees(t *testing.T) {
	for name, c := range map[string]struct {
		rule   string
		fee    int64
		vsize  int64
		refuse bool
	}{
		"rate, at":            {`"maxFeeRate": 10`, 1410, 141, false},
		"rate, above":         {`"maxFeeRate": 10`, 1411, 141, true},
		"sum, at":             {`"maxFee": 500`, 500, 141, false},
		"sum, above":          {`"maxFee": 500`, 501, 141, true},
		"percent, at":         {`"maxFeePercent": 5`, 3000, 141, false},
		"percent, above":      {`"maxFeePercent": 5`, 3001, 141, true},
		"percent of zero":     {`"maxFeePercent": 0`, 1, 141, true},
		"nothing for nothing": {`"maxFeePercent": 0`, 0, 141, false},
		"percent, huge":       {`"maxFeePercent": 10000, "maxFeeRate": 9223372036854775806`, math.MaxInt64 - 1, 1, true},
		"beyond a rate":       {`"maxFeeRate": 9223372036854775806`, math.MaxInt64, 141, true},
		"percent, huge sums":  {`"maxFeePercent": 1, "maxFeeRate": 9223372036854775806`, math.MaxInt64 / 4, math.MaxInt64 / 2, true},
		"built in, at":        {``, 141_000, 141, false},
		"built in, above":     {``, 141_001, 141, true},
		"below zero":          {``, -1, 141, true},
	} {
		s := sound() // pays 60,000
		s.Facts.Fee, s.Facts.Size = chain.NewAmount(uint64(c.fee)), c.vsize
		v := judge(mustParse(t, one("", c.rule)), s, knowing("a"))
		if v.Refused() != c.refuse {
			t.Errorf("%s: %v", name, v.Codes())
		}
		if c.refuse && c.fee >= 0 && c.fee < math.MaxInt64 && v.Refusals[0].Code != chain.FeeAbovePolicy {
			t.Errorf("%s: %v", name, v.Codes())
		}
	}
}

func TestAge(t *testing.T) {
	const h = 3600
	p := mustParse(t, one(`"maxRequestAgeHours": 72`, ""))
	for name, c := range map[string]struct {
		created int64
		refuse  bool
	}{
		"now": {noon, false}, "old, at": {noon - 72*h, false}, "old, above": {noon - 72*h - 1, true},
		"ahead, at": {noon + 72*h, false}, "ahead, above": {noon + 72*h + 1, true}, "nobody says": {0, true}, "before time": {-1, true},
		"the end of time": {math.MaxInt64, true}, "the beginning": {math.MinInt64, true},
	} {
		v := p.Judge([]Subject{sound()}, Circumstances{Created: c.created}, knowing("a"))[0]
		if v.Refused() != c.refuse || (c.refuse && v.Refusals[0].Code != chain.RequestTooOld) {
			t.Errorf("%s: %v", name, v.Codes())
		}
	}
}

// A time that cannot be is refused without any rule about age; one that is a
// little ahead is noted.
func TestRequestTime(t *testing.T) {
	for name, c := range map[string]struct {
		created       int64
		refuse, noted bool
	}{
		"now": {noon, false, false}, "nobody says": {0, false, false}, "an hour ahead": {noon + hour, false, false}, "long ago": {earliest, false, false},
		"a day ahead": {noon + day, false, false}, "more than a day": {noon + day + 1, false, true}, "the last": {latest - 1, false, true},
		"before 2020": {earliest - 1, true, false}, "2120": {latest, true, false}, "the end of time": {math.MaxInt64, true, false},
		"the beginning": {math.MinInt64, true, false}, "before 1970": {-1, true, false},
	} {
		v := Default(utxoCoins{}).Judge([]Subject{sound()}, Circumstances{Created: c.created}, knowing("a"))[0]
		if v.Refused() != c.refuse || slices.Contains(v.Codes(), chain.RequestTime) != (c.refuse || c.noted) {
			t.Errorf("%s: %v", name, v.Codes())
		}
	}
}

// A review is bound to its words: they are the same an hour later.
func TestTimesAreStatedAbsolutely(t *testing.T) {
	p := mustParse(t, one(`"maxRequestAgeHours": 72`, ""))
	for name, c := range map[string]struct {
		created int64
		stated  string
	}{
		"ahead":     {noon + 50*hour, "made on " + clock(noon+50*hour)},
		"far ahead": {noon + 100*hour, "asked for on " + clock(noon+100*hour)},
		"old":       {noon - 100*hour, "asked for on " + clock(noon-100*hour)},
	} {
		words := func(now int64) string {
			h := knowing("a")
			h.now = now
			v := p.Judge([]Subject{sound()}, Circumstances{Created: c.created}, h)[0]
			var all []string
			for _, r := range slices.Concat(v.Refusals, v.Findings) {
				all = append(all, r.Text())
			}
			return strings.Join(all, "\n")
		}
		now, later := words(noon), words(noon+hour)
		if now != later || !strings.Contains(now, c.stated) {
			t.Errorf("%s: %s, then %s", name, now, later)
		}
	}
}

// A signer whose clock has lost its battery knows no age either.
func TestAgeUnknownAtTheBeginningOfTime(t *testing.T) {
	v := judge(mustParse(t, one(`"maxRequestAgeHours": 72`, "")), sound(), &memory{})
	if !v.Refused() || v.Refusals[0].Code != chain.RequestTooOld {
		t.Errorf("%v", v.Codes())
	}
}

func TestOffline(t *testing.T) {
	for text, refused := range map[string][2]bool{ // up or unknown, down
		`"requireOffline": true`: {true, false}, `"requireOffline": false`: {false, false}, ``: {false, false},
	} {
		p := mustParse(t, one(text, ""))
		if p.RequiresOffline() != refused[0] {
			t.Errorf("%s: requires %v", text, p.RequiresOffline())
		}
		for i, down := range []bool{false, true} {
			v := p.Judge([]Subject{sound()}, Circumstances{Offline: down}, knowing("a"))[0]
			if v.Refused() != refused[i] || (v.Refused() && v.Refusals[0].Code != chain.NotOffline) {
				t.Errorf("%s, offline %v: %v", text, down, v.Codes())
			}
		}
	}
}

func TestApprovers(t *testing.T) {
	ann, bob, eve := identity.Public{2}, identity.Public{3}, identity.Public{5}
	p := mustParse(t, one(`"approvers": {"needed": 2, "keys": [{"name": "ann", "key": "02`+strings.Repeat("0", 62)+`"},
		{"name": "bob", "key": "03`+strings.Repeat("0", 62)+`"}, {"key": "04`+strings.Repeat("0", 62)+`"}]}`, ""))
	if keys := p.Approvers(); len(keys) != 3 || keys[0] != ann || keys[1] != bob {
		t.Errorf("approvers %v", keys)
	}
	for name, c := range map[string]struct {
		vouched []identity.Public
		refuse  bool
	}{
		"nobody": {nil, true}, "one": {[]identity.Public{ann}, true}, "one twice": {[]identity.Public{ann, ann}, true},
		"a stranger": {[]identity.Public{ann, eve}, true}, "two": {[]identity.Public{bob, ann}, false}, "two and one": {[]identity.Public{bob, eve, ann}, false},
	} {
		s := sound()
		s.Vouched = c.vouched
		v := judge(p, s, knowing("a"))
		if v.Refused() != c.refuse || (c.refuse && v.Refusals[0].Code != chain.ApprovalMissing) {
			t.Errorf("%s: %v", name, v.Codes())
		}
	}
}

func TestQuorum(t *testing.T) {
	ann, bob := identity.Public{1}, identity.Public{2}
	p := mustParse(t, one("", `"quorum": [{"per": "batch", "above": 100, "operators": 2}, {"per": "day", "above": 0, "operators": 1}, {"per": "day", "above": 300, "operators": 3}]`))
	batch := [32]byte{9}
	for name, c := range map[string]struct {
		pay    []Subject
		past   *memory
		quorum int
		enough []identity.Public
	}{
		"own only":   {[]Subject{pay("1", 1, "to")}, was(0, "x", 1000), 0, nil},
		"little":     {[]Subject{pay("1", 1, "to", 1)}, was(aDay, "x", 1000), 1, []identity.Public{ann}},
		"at":         {[]Subject{pay("1", 1, "to", 60), pay("2", 2, "to", 40)}, was(0, "x", 100), 1, []identity.Public{ann}},
		"above":      {[]Subject{pay("1", 1, "to", 60), pay("2", 2, "to", 41)}, was(0, "x", 100), 2, []identity.Public{ann, bob}},
		"day, at":    {[]Subject{pay("1", 1, "to", 100)}, was(0, "x", 200), 1, []identity.Public{ann}},
		"day, above": {[]Subject{pay("1", 1, "to", 100)}, was(0, "x", 201), 3, []identity.Public{ann, bob, {7}}},
	} {
		for i, v := range p.Judge(c.pay, Circumstances{}, c.past) {
			if n, why := v.Quorum(); n != c.quorum || (n > 0) != (why != "") {
				t.Errorf("%s: item %d needs %d (%s)", name, i, n, why)
			}
			if _, err := v.Approve(batch, Agree(batch, c.enough...)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if c.quorum == 0 {
				continue
			}
			for short, who := range map[string][]identity.Public{"nobody": nil, "one too few": c.enough[1:], "one again and again": {ann, ann, ann}} {
				if short == "one again and again" && c.quorum == 1 {
					continue
				}
				if a, err := v.Approve(batch, Agree(batch, who...)); chain.CodeOf(err) != chain.QuorumMissing || a.valid {
					t.Errorf("%s, %s: %v", name, short, err)
				}
			}
		}
	}
}

// A transaction may pay a million destinations: what is said of it stays short.
func TestReasonsAreBounded(t *testing.T) {
	s := sound()
	for i := range 5000 {
		s.Facts.Movements = append(s.Facts.Movements, chain.Movement{To: string(rune('a'+i%26)) + strings.Repeat("z", i%300), Address: string(rune('a'+i%26)) + strings.Repeat("z", i%300), Amount: chain.NewAmount(uint64(int64(i)))})
		s.Facts.Findings = append(s.Facts.Findings, chain.Because(chain.Dust, "output %d is small", i).Of(chain.At{Part: chain.OfMovement, Index: len(s.Facts.Movements) - 1}))
	}
	v := judge(mustParse(t, one(`"unlisted": "refuse"`, "")), s, knowing())
	if n := len(v.Refusals) + len(v.Findings); n > 5*maxReasons {
		t.Errorf("%d reasons", n)
	}
	said := false
	for _, r := range v.Refusals {
		said = said || strings.HasSuffix(r.Text(), "and 4980 more like this")
	}
	if !said {
		t.Error("nothing says how many were left out")
	}
}
