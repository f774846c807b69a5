package tui

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/chaintest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const known, like = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "tb1qw508r3kyzpdy4fuz0jjynzcrxyv3x0sxpjzsx"

// batch has n items: of twenty one is refused, one wants a look, two are noted.
func batch(n int) review.Batch {
	b := review.Batch{Digest: bundle.Digest{0xab}, Created: 1_790_000_000}
	for i := range n {
		id, network, to := chain.BTC, chain.Testnet, known
		if i%10 == 9 {
			id, to = chain.LTC, "tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0"
		}
		it := review.Item{ID: fmt.Sprintf("%024x", 0x1000+i), Coin: chain.Coin{Chain: id, Network: network}, Facts: &chain.Facts{
			Coin: chain.Coin{Chain: id, Network: network}, Fee: chain.NewAmount(1000), Size: 141,
			Sources: []chain.Source{{ID: strings.Repeat("f", 64) + ":0", Kind: "P2WPKH", Amount: chain.NewAmount(uint64(int64(100_000 + i))), Proven: true, Own: true}},
			Movements: []chain.Movement{
				{Address: to, Kind: "P2WPKH", Amount: chain.NewAmount(uint64(int64(40_000 + i)))},
				{Address: "tb1qls3snph7j4h3p6r0f609cevqnl9q6cg92aqnn8", Kind: "P2WPKH", Amount: chain.NewAmount(59_000), Change: chain.NewAmount(59_000), Own: &chain.Key{SignatureID: "00000000-0000-4000-8000-000000000002", Index: chain.NoIndex}},
			}}}
		switch i % 20 {
		case 3:
			it.Refusals = []policy.Reason{{Code: chain.Dust, Message: "%s", Args: []any{"output 0 pays 12, less than nodes relay"}}}
		case 5:
			it.Facts.Movements[0].Address = like
			it.Findings = []policy.Reason{{Code: chain.FlagLookAlike, Message: "%s", Args: []any{"output 0 pays " + like + ", which begins and ends like " + known + " and is another"}}}
		case 7, 8:
			it.Findings = []policy.Reason{{Code: chain.FlagNew, At: chain.At{Part: chain.OfMovement}, Message: "%s", Args: []any{"output 0 pays " + to + ", which was never paid before"}}}
		}
		*it.Facts = chaintest.Complete(*it.Facts)
		b.Items = append(b.Items, it)
	}
	return b
}

// press types keys; it gives the last event that is not None.
func press(d *Desk, keys string) Event {
	var last Event
	for _, k := range keys {
		if ev := d.Press(Key(k)); ev != None {
			last = ev
		}
	}
	return last
}

func drawn(d *Desk) string {
	var b strings.Builder
	for _, l := range d.Screen() {
		b.WriteString(strings.TrimRight(l.Text, " ") + "\n")
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now:\n%s", path, got)
	}
}

// Each screen is what it was; each has exactly the lines and columns that it
// may have.
func TestScreens(t *testing.T) {
	for _, x := range []struct {
		name, keys    string
		width, height int
	}{
		{"batch", "", 80, 24}, {"list", "l", 80, 24}, {"look", "l/look\r", 80, 24}, {"typing", "l/LTC unde", 80, 24},
		{"item", "l/look\r\r", 80, 24}, {"help", "l?", 80, 24}, {"leave", "lq", 80, 24},
		{"refused", "la", 80, 24}, {"nothing", "l/nowhere\r", 80, 24}, {"undecided", "ls", 80, 24},
		{"several", "l/look\rV", 80, 24}, {"last", "l/look\rR/all\rAV20\r" + "V10\r" + "s", 80, 24},
		{"small", "l/look\r", 60, 16}, {"large", "loo", 132, 40},
	} {
		d := New(batch(100))
		d.Resize(x.width, x.height)
		press(d, x.keys)
		lines := d.Screen()
		if len(lines) != x.height {
			t.Errorf("%s has %d lines, the screen has %d", x.name, len(lines), x.height)
		}
		for i, l := range lines {
			if len(l.Text) > x.width {
				t.Errorf("%s: line %d has %d columns", x.name, i, len(l.Text))
			}
		}
		golden(t, x.name, drawn(d))
	}
}

// The last word is asked for once its end was on the screen, where the digest
// stands right above the question, and anew on a screen of another size.
func TestLastWordIsReadToTheEnd(t *testing.T) {
	b := batch(100)
	for i := range 20 {
		b.Notices = append(b.Notices, fmt.Sprintf("notice %d", i))
	}
	d := New(b)
	press(d, "l/look\rR/all\rA\rV10\r")
	press(d, "\x1b/undecided\rV10\rs")
	golden(t, "last-first", drawn(d))
	for _, early := range []string{"sign 90\r", "G", string(rune(End))} {
		d = New(b)
		d.Resize(60, 16)
		press(d, "l/look\rR/all\rAV10\rs")
		if got := drawn(d); !strings.Contains(got, "lines 1 to 13 of") || strings.Contains(got, "Type ") {
			t.Fatalf("asked on the first page:\n%s", got)
		}
		if ev := press(d, early); ev == Sign || ev == Ask && strings.HasPrefix(early, "G") {
			t.Errorf("%q: event %d", early, ev)
		}
	}
	d = New(b)
	press(d, "l/look\rR/all\rAV10\rs")
	if ev := press(d, " "); ev != Ask {
		t.Fatalf("at the end: event %d", ev)
	}
	golden(t, "last-end", drawn(d))
	press(d, "sign 90")
	d.Resize(60, 16)
	if ev := press(d, "\r"); ev == Sign {
		t.Error("what was typed before the size changed signs")
	}
}

// Below the smallest screen no key decides anything.
func TestTooSmall(t *testing.T) {
	d := New(batch(100))
	press(d, "l/look\rR/all\rAV10\rs")
	d.Resize(12, 3)
	if got := drawn(d); got != "12 x 3 is\ntoo small:\nmake it 60 x\n" {
		t.Errorf("it shows:\n%s", got)
	}
	if ev := press(d, "ls90\rsign 90\rda R"); ev != None {
		t.Errorf("event %d", ev)
	}
	if press(d, "q") != Later || press(d, "\x03") != Later {
		t.Error("q and Ctrl-C leave")
	}
	d.Resize(0, 0)
	d.Screen()
	d.Resize(80, 24)
	if ev := press(d, "s"); ev != Ask {
		t.Errorf("on a screen again: event %d", ev)
	}
}

// What policy refused cannot be approved, by no key and by no kept mark.
func TestRefusedStaysRefused(t *testing.T) {
	d := New(batch(100))
	press(d, "l/refused\raaaaaV\r")
	d.Answer("approve 4")
	if d.count[Approved] != 0 || d.marks[3] != Undecided {
		t.Fatal("a refused item was approved")
	}
	kept := []byte(d.Marks())
	kept[3] = byte(Approved)
	if d.SetMarks(string(kept)) || d.marks[3] != Undecided {
		t.Error("a kept mark approves what is refused")
	}
	for _, bad := range []string{"", "+", strings.Repeat(".", 101), strings.Repeat("!", 100)} {
		if d.SetMarks(bad) {
			t.Errorf("marks %.10q are taken up", bad)
		}
	}
	kept[3], kept[0] = byte(Undecided), byte(Rejected)
	if !d.SetMarks(string(kept)) || d.Marks() != string(kept) {
		t.Error("marks do not come back as they were kept")
	}
}

func TestShow(t *testing.T) {
	d := New(batch(100))
	for words, want := range map[string]int{
		"": 100, "all": 100, "ok": 80, "noted": 10, "look": 5, "refused": 5, "flagged": 15, "new": 10, "LTC": 10, "ltc look": 0, "btc noted": 10,
		"look-alike": 5, "dust": 5, "0.00040007": 1, "40007": 1, "00000000000000000000100a": 1, like: 5, review.Groups(like): 5, strings.ToUpper(like): 5,
		"undecided": 95, "unopened": 5, "approved": 0, "undecided ok": 80, "nobody": 0, "testnet": 100, "mainnet": 0,
	} {
		d.show(words)
		if len(d.view) != want {
			t.Errorf("%q shows %d items, want %d", words, len(d.view), want)
		}
	}
}

func TestOrders(t *testing.T) {
	d := New(batch(100))
	d.show("")
	if got := fmt.Sprint(d.view[:6]); got != "[45 65 85 5 25 47]" {
		t.Errorf("by attention: %s", got)
	}
	for name, first := range map[string]int{"number": 0, "amount": 98, "payee": 0, "rarity": 0} {
		d.Answer("order " + name)
		d.show("ok")
		if d.view[0] != first {
			t.Errorf("by %s: item %d comes first", name, d.view[0]+1)
		}
	}
}

// A plain yes signs what nothing is wrong with, and not what insists on more.
func TestPlainAnswers(t *testing.T) {
	calm := batch(3)
	calm.Items[1].Findings = []policy.Reason{{Code: chain.FlagNew}, {Code: chain.FlagSignedBefore}, {Code: chain.FlagReplaceable}, {Code: chain.FlagSameAgain, Severity: chain.Note}}
	for answer, want := range map[string]Event{
		"y": Sign, "yes": Sign, "YES": Sign, "sign 3": Sign, " Sign  3 ": Sign, "sign 2": None, "sign": None, "n": Decline, "no": Decline, "": Decline,
		"later": Later, "yess": None, "hello": None, "reject 1": Changed, "show 2": None, "list": None,
	} {
		if _, ev := New(calm).Answer(answer); ev != want {
			t.Errorf("%q gives %d, want %d", answer, ev, want)
		}
	}
	if q := New(calm).Question(); q != "1 of 3 were signed before and pay nothing new. Sign 3 transactions? [y/N] " {
		t.Errorf("asked: %q", q)
	}
	d := New(batch(8)) // item 6 looks like a known address
	if q := d.Question(); !strings.Contains(q, `Sign 7 transactions?`) || strings.Contains(q, "y/N") {
		t.Errorf("asked: %q", q)
	}
	if reply, ev := d.Answer("yes"); ev != None || !strings.Contains(reply, `"sign 7"`) {
		t.Errorf("yes gives %d, %q", ev, reply)
	}
	if _, ev := d.Answer("reject 6"); ev != Changed {
		t.Errorf("reject gives %d", ev)
	}
	if q := d.Question(); q != "Sign 6 transactions? [y/N] " {
		t.Errorf("asked: %q", q)
	}
	if _, ev := d.Answer("y"); ev != Sign || fmt.Sprint(d.Without(d.Kept())) != "[5]" {
		t.Errorf("y gives %d, without %v", ev, d.Without(d.Kept()))
	}
	if _, ev := d.Answer("reject all"); ev != Changed {
		t.Error("reject all")
	}
	if _, ev := d.Answer("y"); ev != Sign { // the relay is told that all are refused
		t.Errorf("with nothing left y gives %d", ev)
	}
	d.Unasked = true // there is nobody to tell
	for _, answer := range []string{"y", "sign 0", "sign 8"} {
		if _, ev := d.Answer(answer); ev != None {
			t.Errorf("with nothing left %q gives %d", answer, ev)
		}
	}
}

func TestPlainScreens(t *testing.T) {
	d := New(batch(40))
	var b strings.Builder
	for _, answer := range []string{"yes", "list look", "reject 6", "list", "more", "approve ok", "show 26", "show x", "approve 39-41", "undo all", "?"} {
		reply, _ := d.Answer(answer)
		fmt.Fprintf(&b, "%s%s\n%s", d.Question(), answer, reply)
	}
	golden(t, "plain", b.String()+d.Before()+d.Question()+"\n")
}

// A short talk, line by line; docs/REVIEW.md shows it.
func TestPlainTalk(t *testing.T) {
	d := New(batch(8))
	var b strings.Builder
	b.WriteString(d.Before())
	for _, answer := range []string{"yes", "list look", "reject 6"} {
		fmt.Fprintf(&b, "%s%s\n", d.Question(), answer)
		reply, _ := d.Answer(answer)
		b.WriteString(reply + "\n")
	}
	fmt.Fprintf(&b, "%s%sy\n", d.Before(), d.Question())
	golden(t, "talk", b.String())
}

// Whatever an item says, what is drawn is printable ASCII.
func TestHostileTexts(t *testing.T) {
	b := batch(1)
	const evil = "a\x1b[2J\x9b31m\x07\r\nb\u202ec\u200bd\xff\x00é"
	it := &b.Items[0]
	it.ID, it.Chain = evil, chain.ID("BTC"+evil)
	it.Findings = []policy.Reason{{Code: chain.Code("code" + evil), Message: "%s", Args: []any{evil + strings.Repeat("\x1b]0;x\x07", 50)}}}
	it.Facts.Movements[0] = chain.Movement{Address: evil + strings.Repeat("x", 300), Kind: evil, Amount: chain.MaxAmount()}
	it.Facts.Sources[0].ID = evil
	it.Vouched = []review.Vouched{{Name: evil}}
	b.Notices = []string{evil}
	for _, keys := range []string{"", "l", "l\r", "l?", "lq", "laS", "lV", "l/\x1b[A\x07x", "l/é"} {
		d := New(b)
		press(d, keys)
		for n, l := range d.Screen() {
			if i := strings.IndexFunc(l.Text, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Errorf("after %q, line %d has %q", keys, n, l.Text)
			}
		}
	}
}

// An address is on the screen whole or not at all, however wide that is.
func TestNoAddressIsCut(t *testing.T) {
	const long = "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c"
	for width := MinWidth; width <= 132; width++ {
		for _, keys := range []string{"", "l", "l\r"} {
			for _, reasons := range []int{0, 1, 2, 4} {
				b := batch(1)
				b.Items = append(b.Items, b.Items[0])
				b.Items[0].Facts.Movements[0].Address = long
				for range reasons {
					b.Items[0].Findings = append(b.Items[0].Findings, policy.Reason{Code: chain.FlagLookAlike, Message: "%s", Args: []any{strings.Repeat("word ", 20)}})
				}
				d := New(b)
				d.Resize(width, 24)
				press(d, keys)
				shown := strings.Join(strings.Fields(drawn(d)), " ")
				groups := strings.Fields(review.Groups(long))
				begins, whole := strings.Contains(shown, strings.Join(groups[:3], " ")), strings.Contains(shown, strings.Join(groups, " "))
				if begins != whole || keys == "l\r" && !whole {
					t.Fatalf("%d columns, %d reasons: the address is cut:\n%s", width, reasons, drawn(d))
				}
			}
		}
	}
}

// toldUnseen reports whether the last word says how many items were not opened.
func (d *Desk) toldUnseen() bool {
	n := len(d.unseen())
	return n == 0 || strings.Contains(strings.Join(d.text, "\n"), "NOT OPENED         "+wants(n))
}

// FuzzDesk: no key and no answer brings it down, signs without a question, or
// draws anything but ASCII.
func FuzzDesk(f *testing.F) {
	f.Add([]byte("lA/look\rV5\rssign 85\r"), false)
	f.Add([]byte("list look\nreject 6\ny\n"), true)
	f.Fuzz(func(t *testing.T, in []byte, plain bool) {
		if len(in) > 500 {
			return
		}
		d := New(batch(30))
		if plain {
			for l := range bytes.Lines(in) {
				d.Answer(string(l))
			}
			return
		}
		var keys Decoder
		for _, b := range in {
			k, ok := keys.Feed(b)
			if !ok {
				continue
			}
			if ev := d.Press(k); ev == Sign && (k != Enter || d.page != signPage || !d.toldUnseen()) {
				t.Fatalf("%q signs", in)
			}
			for _, l := range d.Screen() {
				if strings.IndexFunc(l.Text, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 || len(l.Text) > 80 {
					t.Fatalf("%q draws %q", in, l.Text)
				}
			}
		}
	})
}

// Ten thousand items are listed, filtered and drawn. What is allocated is
// for the lines of the screen, not for each item; BenchmarkTenThousand measures
// the time.
func TestTenThousandAtOnce(t *testing.T) {
	d := New(batch(10_000))
	for _, keys := range []string{"l", "G", "g", "/undecided 0.0004\r", "o", "A", "/look\r", "R", "/all\r"} {
		if n := testing.AllocsPerRun(1, func() { press(d, keys); d.Screen() }); n > 1000 {
			t.Errorf("%q: %.0f allocations", keys, n)
		}
	}
}

func BenchmarkTenThousand(b *testing.B) {
	d := New(batch(10_000))
	for _, x := range []struct{ name, keys string }{{"draw", "l"}, {"down", "j"}, {"filter", "/undecided 0.0004\r"}, {"sort", "o"}, {"all", "/all\r"}} {
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				press(d, x.keys)
				d.Screen()
			}
		})
	}
}
