package tui

import (
	"fmt"
	"strings"
	"testing"
)

// Consent fits the risk: a clean batch needs one confirmation. What wants a
// look is approved, opened or counted first, and then the number of all is
// typed under the largest risks.
func TestConsentFitsTheRisk(t *testing.T) {
	d := New(batch(100)) // 5 refused, 5 to look at, 10 noted, 80 ok
	press(d, "l/look\rR")
	if ev := press(d, "s"); ev != Ask || !strings.Contains(drawn(d), "Type y to sign 90 transactions") ||
		!strings.Contains(drawn(d), "not decided        90 items") {
		t.Fatalf("a clean batch: event %d\n%s", ev, drawn(d))
	}
	for _, wrong := range []string{"\r", "n\r", "sign\r", "sign 89\r", "89\r", "sign 90 now\r", "yes!\r"} {
		if ev := press(d, wrong); ev == Sign {
			t.Fatalf("%q signs", wrong)
		}
	}
	if ev := press(d, "y\r"); ev != Sign || fmt.Sprint(d.Without(d.Kept())) != "[5 25 45 65 85]" {
		t.Fatalf("y: event %d, without %v", ev, d.Without(d.Kept()))
	}

	d = New(batch(100))
	press(d, "1r2a") // 46 is opened and rejected, 66 opened and approved; 86 follows unasked
	press(d, "4")    // 6 is opened
	press(d, "qs")
	if got := drawn(d); !strings.Contains(got, "2 items want a look, not decided, and not opened") ||
		strings.Contains(got, "[6]") ||
		strings.Contains(got, "[46]") {
		t.Fatalf("what was not opened:\n%s", got)
	}
	for _, wrong := range []string{"\r", "y\r", "3\r", "94\r"} {
		if press(d, wrong); d.page != unseenPage {
			t.Fatalf("%q goes on", wrong)
		}
	}
	press(d, pressEsc)
	if got := drawn(d); !strings.Contains(got, "shown 2: unopened") {
		t.Fatalf("Esc:\n%s", got)
	}
	if ev := press(d, "s2\r"); ev != Ask {
		t.Fatalf("their number: event %d", ev)
	}
	if got := drawn(d); !strings.Contains(got, "NOT OPENED         2 items want a look") ||
		strings.Count(got, "RISK  ") != 3 ||
		strings.Contains(got, "[46]") {
		t.Fatalf("the largest risks:\n%s", got)
	}
	for _, wrong := range []string{"y\r", "yes\r", "\r", "4\r"} {
		if ev := press(d, wrong); ev == Sign {
			t.Fatalf("%q signs what wants a look", wrong)
		}
	}
	if ev := press(d, "94\r"); ev != Sign || fmt.Sprint(d.Without(d.Kept())) != "[45]" {
		t.Errorf("94: event %d, without %v", ev, d.Without(d.Kept()))
	}
}

// Keys from the first page to a fraud's details, and to reject it and sign the
// rest, whether the rest is clean or not.
func TestKeystrokes(t *testing.T) {
	for n, keys := range map[int]string{1: "1r" + "s4\r94\r", 5: "5r" + "s4\r94\r"} {
		d := New(batch(100))
		if ev := press(d, keys); ev != Sign || d.count[Rejected] != 1 || len(keys) > 12 {
			t.Errorf("%d: %d keys, event %d, %d rejected:\n%s", n, len(keys), ev, d.count[Rejected], drawn(d))
		}
	}
	d := New(batch(20)) // one wants a look
	if ev := press(d, "1rsy\r"); ev != Sign || d.count[Rejected] != 1 {
		t.Errorf("event %d:\n%s", ev, drawn(d))
	}
}

// An operator's answer is the number, or a no; all else is asked again.
func TestOperatorIsAskedAgain(t *testing.T) {
	d := New(batch(8)) // 7 can be signed
	d.Operator = "alice"
	for _, other := range []string{"", "y", "yes", "sign 7", "approve", "approve 6", "approve 7 now",
		"7", "a password", "no, not these", "?", "list"} {
		if reply, ev := d.Answer(other); ev != None || reply == "" {
			t.Errorf("%q: event %d, %q", other, ev, reply)
		}
	}
	d.Answer("reject 2")
	if q := d.Question(); q != "Take 1 transaction out of the batch.\n"+
		"To approve 6 transactions as alice type \"approve 6\", or \"no\": " {
		t.Error(q)
	}
	for answer, want := range map[string]Event{"approve 7": None, "approve 6": Sign, "Approve  6": Sign,
		"no": Decline, "later": Later} {
		if _, ev := d.Answer(answer); ev != want {
			t.Errorf("%q: event %d, want %d", answer, ev, want)
		}
	}
}
