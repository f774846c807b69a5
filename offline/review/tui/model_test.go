package tui

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"coldkms/offline/review"
)

// watcher knows of a session what its screen showed, and nothing else.
type watcher struct {
	t      *testing.T
	d      *Desk
	keys   Decoder
	marks  map[int]Mark // by number, of what the screen said
	key    Key          // pressed last
	before string       // the screen when it was pressed
	log    []string
}

var (
	saidOne    = regexp.MustCompile(`^(\d+) (approved|rejected) \(u undoes\)`)
	saidMany   = regexp.MustCompile(`^(\d+) items (approved|rejected) \(u undoes\)`)
	saidUndone = regexp.MustCompile(`^undone: (\d+) is (\w+) again`)
	undoneMany = regexp.MustCompile(`^undone: (\d+) items`)
	listRow    = regexp.MustCompile(`(?m)^[> ]([-+.x]) *[1-9cde]? +(\d+) `)
	rowAt      = regexp.MustCompile(`(?m)^>[-+.x] *(?:[1-9cde] )? *(\d+) `)
	itemShown  = regexp.MustCompile(`(?m)^The item.*\[(\d+) of \d+\]`)
)

var markOf = map[string]Mark{"approved": Approved, "rejected": Rejected, "undecided": Undecided}

// sends lets the terminal send something, and checks the screen after each key.
func (w *watcher) sends(what string) (ev Event) {
	w.log = append(w.log, fmt.Sprintf("%q", what))
	feed := func(k Key, ok bool) {
		if ok {
			w.key, w.before = k, drawn(w.d)
			if got := w.d.Press(k); got != None {
				ev = got
			}
			w.looks()
		}
	}
	for i := range len(what) {
		feed(w.keys.Feed(what[i]))
	}
	for w.keys.Pending() {
		feed(w.keys.Pause())
	}
	return ev
}

// looks takes from the screen what was decided, and compares what it lists.
func (w *watcher) looks() {
	w.t.Helper()
	shown := drawn(w.d)
	said := message(w.d)
	if m := saidOne.FindStringSubmatch(said); m != nil {
		w.decided(m[1], markOf[m[2]])
	}
	if m := saidUndone.FindStringSubmatch(said); m != nil {
		n, _ := strconv.Atoi(m[1])
		w.marks[n] = markOf[m[2]]
	}
	if saidMany.MatchString(said) || undoneMany.MatchString(said) {
		w.counted(shown)
	}
	if w.d.page != listPage && w.d.page != frontPage || w.d.small {
		return
	}
	for _, m := range listRow.FindAllStringSubmatch(shown, -1) {
		n, _ := strconv.Atoi(m[2])
		if want := w.markOf(n); m[1] != "x" && Mark(m[1][0]) != want {
			w.t.Fatalf("%v: %d is shown as %s, was said to be %s:\n%s", w.log, n, m[1], want, shown)
		}
	}
}

func (w *watcher) markOf(n int) Mark {
	if m, said := w.marks[n]; said {
		return m
	}
	return Undecided
}

// decided checks that one item was decided about that was on the screen when
// the key was pressed: at the cursor, or in full.
func (w *watcher) decided(number string, m Mark) {
	w.t.Helper()
	n, _ := strconv.Atoi(number)
	if w.key != 'a' && w.key != 'r' { // about all that are listed, of which this was the only one
		w.marks[n] = m
		return
	}
	at := rowAt.FindStringSubmatch(w.before)
	if at == nil {
		at = itemShown.FindStringSubmatch(w.before)
	}
	if at == nil || at[1] != number {
		w.t.Fatalf("%v: %s was decided, the screen showed:\n%s", w.log, number, w.before)
	}
	if m == Approved && strings.Contains(w.before, "Enter: all of it") {
		w.t.Fatalf("%v: %s was approved, of which the screen showed a part:\n%s", w.log, number, w.before)
	}
	w.marks[n] = m
}

// counted takes up a decision about several: the screens that follow are
// compared with it, and its number with the heading.
func (w *watcher) counted(shown string) {
	for i, m := range w.d.Marks() {
		w.marks[i+1] = Mark(m)
	}
	a, r, u := w.d.Count()
	list := fmt.Sprintf("approved %d  rejected %d  undecided %d", a, r, u)
	if w.d.page == listPage && w.d.width >= 60 && !w.d.small && !strings.Contains(shown, list) {
		w.t.Fatalf("%v: the heading is not %q:\n%s", w.log, list, shown)
	}
}

// Random keys, sizes, pastes and what terminals send: each decision is about an
// item that was on the screen, each list shows what was said, and what is
// signed is what was not rejected, after what wants a look was opened, approved
// or counted.
func TestSessionSignsWhatItShowed(t *testing.T) {
	noise := []string{
		"\x1b]11;rgb:AAAA/RRRR/aaaa\x07",
		"\x1bP>|ARa\x1b\\",
		"\x1b[?1;2A",
		"\x1b[200~ARVyra\r\x1b[201~",
		"\x1b[[A",
		"\x1b[MAra",
		"\xc3\x9bA"[:2],
		"\x1b[27;5;65~",
		"\x1b",
	}
	keys := []string{
		"a",
		"r",
		"u",
		"a",
		"r",
		"j",
		"k",
		"n",
		"p",
		"\r",
		"\x1b[A",
		"\x1b[B",
		"\x1b[6~",
		" ",
		"g",
		"G",
		"A",
		"R",
		"V",
		"7\r",
		"l",
		"t",
		"T",
		"1",
		"3",
		"c",
		"q",
		"?",
		"o",
		"s",
		"y\r",
		"sign 26\r",
		"/look\r",
		"/ok\r",
		"/undecided\r",
		"\x0c",
	}
	signed := 0
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		d := New(batch(30))
		w := &watcher{t: t, d: d, marks: map[int]Mark{}}
		for step := range 120 {
			var ev Event
			switch n := rnd.IntN(20); {
			case n == 0:
				d.Resize(20+rnd.IntN(100), 8+rnd.IntN(30))
				w.keys.Drop()
				w.log = append(w.log, fmt.Sprint(d.width, "x", d.height))
			case n < 4:
				was := d.Marks()
				ev = w.sends(noise[rnd.IntN(len(noise))])
				if d.Marks() != was || ev == Sign {
					t.Fatalf("%v decided something", w.log)
				}
			case step > 100 && d.page == signPage:
				approved, _, undecided := d.Count()
				ev = w.sends(fmt.Sprintf("sign %d\r", approved+undecided))
			default:
				was := d.Marks()
				ev = w.sends(keys[rnd.IntN(len(keys))])
				if d.small && d.Marks() != was {
					t.Fatalf("%v decided on a screen that is too small", w.log)
				}
			}
			if ev == Sign {
				signed++
				w.compares()
			}
			if ev == Sign || ev == Decline || ev == Later {
				break
			}
		}
	}
	if signed < 5 {
		t.Errorf("only %d sessions end with a signature", signed)
	}
}

// compares what would be signed with what the screen said.
func (w *watcher) compares() {
	w.t.Helper()
	n := 0
	for i, r := range w.d.rows {
		if r.standing == review.Refused {
			continue
		}
		if kept := w.markOf(i+1) != Rejected; kept != w.d.Kept()(i) {
			w.t.Fatalf("%v: %d is signed: %v", w.log, i+1, !kept)
		} else if kept {
			n++
		}
	}
	if want := fmt.Sprintf("to sign            %d of 30", n); !strings.Contains(strings.Join(w.d.text, "\n"), want) {
		w.t.Fatalf("%v: the last word does not say %q:\n%s", w.log, want, strings.Join(w.d.text, "\n"))
	}
}
