package tui

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// keysOf are the keys in what a terminal sent, after which nothing came for a
// moment.
func keysOf(d *Decoder, sent string) (keys []Key) {
	for i := range len(sent) {
		if k, ok := d.Feed(sent[i]); ok {
			keys = append(keys, k)
		}
	}
	for d.Pending() {
		if k, ok := d.Pause(); ok {
			keys = append(keys, k)
		}
	}
	return keys
}

// What a terminal sends beside keys is no key, nor is its end: answers about
// colours and versions, control strings, long sequences, the mouse, function
// keys of consoles, keys with modifiers, characters beyond ASCII.
func TestSequencesAreNoKeys(t *testing.T) {
	for _, sent := range []string{
		"\x1b]11;rgb:AAAA/RRRR/VVVV\x07", "\x1b]11;rgb:aaaa/rrrr/vvvv\x1b\\", "\x1b]0;A\x1bA\x1b\x1b\\",
		"\x1bP>|XTerm(A)\x1b\\", "\x1bP1$rA\x07A\x1b\\", "\x1b_Ga=A\x1b\\", "\x1b^A\x1b\\", "\x1bXA\x1b\\",
		"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c",
		"\x1b[" + strings.Repeat("1;", 500) + "A", "\x1b[1;2A", "\x1b[1;5C", "\x1b[3~", "\x1b[99999999~",
		"\x1b[27;5;65~", "\x1b[65;5u", "\x1b[?1;2$y", "\x1b[12;40R", "\x1b[I",
		"\x1b[O", "\x1b[<0;33;33M", "\x1b[<0;33;33m", "\x1b[MAAA", "\x1b[[A", "\x1b[[E",
		"\x1bO5A", "\x1bOP", "\x1bOM", "\x1bNA", "\x1bA", "\x1b#A", "\x1b(A", "\x1b %A", "\x1b[1\r2\nA", "\x1b[1\x7fA",
		"\x9b1;2A", "\x9d11;A\x9c", "\x90A\x1b\\", "\x9fA\x9c", "\x8fP", "\xc2\x9b1A", "\xc2\x9d0;A\xc2\x9c",
		"\x1b]0;\xc3\x9cA\x07", "\xc3\x9b", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff\xfe\x80",
	} {
		var d Decoder
		got := keysOf(&d, sent+"z")
		if !slices.Equal(got, []Key{'z'}) {
			t.Errorf("%q has the keys %q", sent, got)
		}
		for at := range len(sent) { // split, with a moment in between
			var d Decoder
			got := keysOf(&d, sent[:at])
			got = append(got, keysOf(&d, sent[at:])...)
			got = slices.DeleteFunc(got,
				func(k Key) bool { return k == Unended || k == Escape && at > 0 && sent[at-1] == esc })
			if len(got) > 0 && (sent[at-min(at, 1)] != esc || second[sent[at]] != 0) {
				t.Errorf("%q, split at %d, has the keys %q", sent, at, got)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	for sent, want := range map[string][]Key{
		"aR \x7f\r\n\x08\x0c": {'a', 'R', ' ', Backspace, Enter, Enter, Backspace, CtrlL},
		"\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[1~\x1b[H\x1bOF\x1b[8~\x9bA": {Up, Down, PageUp, PageDown, Home, Home, End, End, Up},
		"\x1b":                                {Escape},
		"\x1b\x1b[A":                          {Up},
		"\x1b[1\x18a":                         {'a'},
		"\x1b]0;a\x1aa":                       {'a'},
		"\x1b]0;a\x03":                        {CtrlC},
		"\x1b]0;aA":                           {Unended},
		"\x1b[200~A\x1b[201~A":                {Pasted},
		"\x1b[200~A\x1b[20\x1b[201":           {Pasted, Unended},
		"\x1b[200~\x1b\x1b[201~":              {Pasted},
		"\x1b[200~\x1b[200~\x1b[201~":         {Pasted},
		"\x1b[200~\x18\x1a\x9c\x07\x1b\\\x03": {Pasted, CtrlC},
	} {
		var d Decoder
		if got := keysOf(&d, sent); !slices.Equal(got, want) {
			t.Errorf("%q has the keys %q, want %q", sent, got, want)
		}
	}
	var d Decoder
	keysOf(&d, "\x1b[200~A\x1b[201~")
	d.Feed('\x1b')
	d.Drop()
	if got := keysOf(&d, "[A"); len(got) > 0 {
		t.Errorf("the end of what was thrown away is %q", got)
	}
	if got := keysOf(&d, "a"); !slices.Equal(got, []Key{'a'}) {
		t.Errorf("after a moment there is %q", got)
	}
}

// What a terminal lets through behind the end of pasted text was pasted too.
func TestPastedTwice(t *testing.T) {
	var d Decoder
	if got := keysOf(&d, "\x1b[200~a\x1b[201~A\x1b[201~A"); !slices.Equal(got, []Key{Pasted}) {
		t.Errorf("pasted text has the keys %q", got)
	}
	if got := keysOf(&d, "a"); !slices.Equal(got, []Key{'a'}) {
		t.Errorf("after a moment there is %q", got)
	}
}

// FuzzKeys: no bytes bring the decoder down, and of what a terminal may send,
// in any order, nothing but keys is a key.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("a\x1b]11;A\x07\x02Az"))
	f.Add([]byte{1, 5, 'A', 'A', 0, 2, 0, 3, 9, 4, 'R', 5, 'V', 6, 'A', 7, 'A'})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2000 {
			return
		}
		var raw Decoder
		for _, k := range keysOf(&raw, string(in)) {
			if k > del && (k < Up || k > Unended) {
				t.Fatalf("%q has the key %x", in, k)
			}
		}
		var d Decoder
		for len(in) > 1 {
			sent, want, rest := segment(in)
			if got := keysOf(&d, sent); !slices.Equal(got, want) {
				t.Fatalf("%q has the keys %q, want %q", sent, got, want)
			}
			in = rest
		}
	})
}

// segment makes of some bytes what a terminal may send, and the keys in it.
func segment(in []byte) (sent string, want []Key, rest []byte) {
	kind, n := in[0]%7, min(int(in[1]), len(in)-2)
	body, rest := in[2:2+n], in[2+n:]
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(bytes.ToValidUTF8(body, nil)))
	parameters := strings.Map(func(r rune) rune { return ' ' + r%0x20 }, plain)
	switch kind {
	case 0:
		for _, r := range plain {
			want = append(want, Key(r))
		}
		return plain, want, rest
	case 1:
		return "\x1b]" + plain + "\x07", nil, rest
	case 2:
		return fmt.Sprintf("\x1b%c%s\x1b\\", "]PX^_"[n%5], plain), nil, rest
	case 3:
		return "\x1b[1" + parameters + "C", nil, rest
	case 4:
		return "\x1bO" + parameters + "R", nil, rest
	case 5:
		return "\x1b[200~" + string(bytes.ReplaceAll(body, []byte{3}, nil)) + "\x1b[201~", []Key{Pasted}, rest
	}
	return "\x1b(" + "B", nil, rest
}
