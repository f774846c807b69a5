package cli

import (
	"slices"
	"testing"
)

func TestParseConfig(t *testing.T) {
	lines, err := parseConfig("\ufeff# a comment\nstate = \"/a b\" # here\r\n\nrate=5\njson = true\n" +
		"budget = [\"5/hour\", \"7/day\" ,]\n[daemon] # its own\nperiod = 10\nchain = []\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []configLine{
		{"state", []string{"/a b"}, 2}, {"rate", []string{"5"}, 4}, {"json", []string{"true"}, 5},
		{"budget", []string{"5/hour", "7/day"}, 6}, {"daemon.period", []string{"10"}, 8}, {"daemon.chain", nil, 9},
	}
	same := func(a, b configLine) bool {
		return a.name == b.name && a.number == b.number && slices.Equal(a.values, b.values)
	}
	if !slices.EqualFunc(lines, want, same) {
		t.Errorf("%+v, want %+v", lines, want)
	}
	for _, bad := range []string{
		"state", "state =", "state = /a", "state = \"a", "state = 'a'", "state = \"a\" b", "[daemon", "[daemon] x = 1",
		"rate = 5.5", "budget = [\"a\" \"b\"]", "budget = [\"a\"", "a = 1\na = 2", "a = `x`", "x = yes", "a = {b = 1}",
	} {
		if got, err := parseConfig(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("a = [1, \"b\"] # c\n[d]\ne = true")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := parseConfig(text)
		if err != nil && lines != nil {
			t.Error("lines beside an error")
		}
	})
}
