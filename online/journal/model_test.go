//go:build unix

package journal_test

import (
	"fmt"
	"math/bits"
	"os"
	"slices"
	"testing"

	"coldkms/online/journal"
)

// The model is the world around the table of states: relays that claim, act
// outside, journal and crash at any moment; leases that run out under them; a
// signer that signs the same request in two ways; results that are lost, come
// late or twice; a Tatum that completes by itself or forgets to; a network
// that takes a transaction or does not. It explores all of it, by the table
// that the relay itself goes by.

// deal is one transaction in the world.
type deal struct {
	state   uint8 // index into journal.States()
	signed  uint8 // in the journal: 0 none, 1 or 2 which of the signer's byte strings
	lease   uint8 // 0 nobody, else the relay's number
	tatum   uint8 // 0 pending, 1 or 2 completed by that byte string, 3 dropped
	chain   uint8 // 0, or the byte string that the network has; another: a transaction of somebody else that spends the same
	sent    uint8 // bits of the byte strings that ever left
	media   uint8 // bits: 1 and 2 results with a signature, 4 with a refusal, 8 the request
	alarmed bool  // bytes left that the journal did not have, or what was kept is gone
}

// relay is a process: what it works with, as it saw it, and how far it is.
type relay struct {
	deal  uint8 // 0 idle, else the deal's number
	stage uint8
	state uint8 // of the deal when it was claimed
	bytes uint8
}

// another is somebody else's transaction on the chain.
const another = 3

const (
	claimed = iota
	sent    // the network has answered, or the reply was lost
	acted   // at Tatum: dropped, or marked
)

type world struct {
	deals  [2]deal
	relays [2]relay
}

// meaning says when the world lets a line of the table happen.
type meaning uint8

const (
	unknown meaning = iota // a line that nobody thought of: it happens at any time
	inside                 // whoever holds it decides so
	person                 // retry
	taken                  // a result is there
	onChain                // our bytes are with the network
	marked                 // Tatum says that our bytes completed it
	dropped                // it is dropped at Tatum
	dead                   // another transaction spends what ours spends, for good
)

type line = [2]journal.State

var meanings = map[line]meaning{
	{journal.Fetched, journal.Prepared}:    inside,
	{journal.Fetched, journal.Refused}:     inside,
	{journal.Fetched, journal.Rejected}:    dropped,
	{journal.Fetched, journal.Signed}:      taken,
	{journal.Prepared, journal.Fetched}:    inside,
	{journal.Prepared, journal.Exported}:   inside,
	{journal.Prepared, journal.Signed}:     taken,
	{journal.Prepared, journal.Rejected}:   dropped,
	{journal.Exported, journal.Prepared}:   inside,
	{journal.Exported, journal.Exported}:   inside,
	{journal.Exported, journal.Signed}:     taken,
	{journal.Exported, journal.Refused}:    taken,
	{journal.Exported, journal.Rejected}:   dropped,
	{journal.Signed, journal.Broadcast}:    onChain,
	{journal.Signed, journal.Failed}:       dead,
	{journal.Broadcast, journal.Completed}: marked,
	{journal.Broadcast, journal.Failed}:    dead,
	{journal.Completed, journal.Failed}:    dead,
	{journal.Refused, journal.Fetched}:     person,
	{journal.Refused, journal.Rejected}:    dropped,
	{journal.Refused, journal.Failed}:      taken,
	{journal.Rejected, journal.Failed}:     taken,
	{journal.Failed, journal.Signed}:       person,
	{journal.Failed, journal.Broadcast}:    onChain,
}

// model is a table and the rules that a seeded fault may switch off.
type model struct {
	names     []journal.State
	next      [16][]step // by state
	deals     int
	fence     bool // a step needs the lease
	overwrite bool // the database takes other signed bytes
	guess     bool // absence is taken for evidence
	rivals    bool // somebody else may spend what ours spends
}

type step struct {
	to      uint8
	meaning meaning
}

func newModel(deals int, table []line) *model {
	m := &model{names: journal.States(), deals: deals, fence: true, rivals: true}
	for _, l := range table {
		from, to := slices.Index(m.names, l[0]), slices.Index(m.names, l[1])
		m.next[from] = append(m.next[from], step{uint8(to), meanings[l]})
	}
	return m
}

func (m *model) is(s uint8, names ...journal.State) bool { return slices.Contains(names, m.names[s]) }

// unsigned states hold no bytes: the database wants it so.
func (m *model) unsigned(s uint8) bool {
	return m.is(s, journal.Fetched, journal.Prepared, journal.Exported, journal.Refused, journal.Rejected)
}

// enter is a line of the table on the journal.
func (m *model) enter(d *deal, to uint8) {
	if m.unsigned(to) && d.signed != 0 {
		d.signed, d.alarmed = 0, true // what was acknowledged is gone
	}
	d.state = to
	if m.is(to, journal.Exported) {
		d.media |= 8 // written at once, or by the next export
	}
}

// each calls f with every world that can come next.
func (m *model) each(w world, f func(world)) {
	for i := range m.deals {
		m.around(w, i, f)
	}
	for r := range w.relays {
		m.relay(w, r, f)
	}
}

// around is what happens to a deal without a relay that holds it.
func (m *model) around(w world, i int, f func(world)) {
	d := w.deals[i]
	with := func(change func(*deal)) {
		next := w
		change(&next.deals[i])
		if next != w {
			f(next)
		}
	}
	if d.lease != 0 {
		with(func(d *deal) { d.lease = 0 }) // it runs out
	}
	if d.chain == 0 && m.rivals {
		with(func(d *deal) { d.chain = another })
	}
	if d.media&8 != 0 {
		for _, result := range []uint8{1, 2, 4} {
			with(func(d *deal) { d.media |= result }) // signed, once more, or refused
		}
	}
	if d.lease != 0 && m.fence {
		return
	}
	for _, s := range m.next[d.state] {
		switch s.meaning {
		case unknown:
			with(func(d *deal) { m.enter(d, s.to) })
		case person:
			with(func(d *deal) { m.enter(d, s.to) })
		case taken:
			m.importing(d, s, with)
		}
	}
	if m.overwrite && d.signed != 0 {
		for v := uint8(1); v <= 2; v++ {
			if d.media&v != 0 {
				with(func(d *deal) { d.signed = v })
			}
		}
	}
}

func (m *model) importing(d deal, s step, with func(func(*deal))) {
	if m.is(s.to, journal.Refused) {
		if d.media&4 != 0 {
			with(func(d *deal) { m.enter(d, s.to) })
		}
		return
	}
	for v := uint8(1); v <= 2; v++ {
		if d.media&v != 0 && d.signed == 0 {
			with(func(d *deal) { d.signed = v; m.enter(d, s.to) })
		}
	}
}

// relay is what one process can do next.
func (m *model) relay(w world, r int, f func(world)) {
	me := w.relays[r]
	number := uint8(r + 1)
	if me.deal == 0 {
		for i := range m.deals {
			if d := w.deals[i]; d.lease == 0 || !m.fence {
				next := w
				next.deals[i].lease = number
				next.relays[r] = relay{deal: uint8(i + 1), state: d.state, bytes: d.signed}
				f(next)
			}
		}
		return
	}
	i := int(me.deal - 1)
	change := func(change func(*deal, *relay)) {
		next := w
		change(&next.deals[i], &next.relays[r])
		f(next)
	}
	change(func(_ *deal, me *relay) { *me = relay{} }) // killed, any number of times: the lease stays
	change(func(d *deal, me *relay) { m.letGo(d, me, number) })
	if me.stage == claimed && me.bytes != 0 && m.is(me.state, journal.Signed) {
		for _, takes := range []bool{false, true} {
			for _, completes := range []bool{false, true} {
				change(func(d *deal, me *relay) { send(d, me, takes, completes) })
			}
		}
	}
	if me.stage == claimed && m.is(me.state, journal.Fetched, journal.Prepared, journal.Exported, journal.Refused) && w.deals[i].tatum == 0 {
		change(func(d *deal, me *relay) { d.tatum, me.stage = 3, acted }) // reject
	}
	if me.bytes != 0 && w.deals[i].tatum == 0 && w.deals[i].chain == me.bytes && m.is(me.state, journal.Broadcast) && me.stage == claimed {
		change(func(d *deal, me *relay) { d.tatum, me.stage = me.bytes, acted }) // mark
	}
	m.journal(w.deals[i], me, number, change)
}

// journal makes the relay's step, if the deal is where the relay saw it and
// still its own.
func (m *model) journal(d deal, me relay, number uint8, change func(func(*deal, *relay))) {
	if d.state != me.state || (m.fence && d.lease != number) {
		return
	}
	for _, s := range m.next[d.state] {
		var may bool
		switch s.meaning {
		case inside:
			may = true
		case onChain:
			may = me.bytes != 0 && d.chain == me.bytes
		case marked:
			may = me.bytes != 0 && d.tatum == me.bytes
		case dropped:
			may = d.tatum == 3 && me.stage == acted
		case dead:
			may = d.chain == another || m.guess
		}
		if may {
			change(func(d *deal, me *relay) { m.enter(d, s.to); m.letGo(d, me, number) })
		}
	}
}

func (m *model) letGo(d *deal, me *relay, number uint8) {
	if d.lease == number {
		d.lease = 0
	}
	*me = relay{}
}

// send lets bytes leave. The network takes them or not, Tatum completes by
// itself or not, and the relay may hear of it or not: it looks in any case.
func send(d *deal, me *relay, takes, completes bool) {
	d.sent |= 1 << (me.bytes - 1)
	if d.signed != me.bytes {
		d.alarmed = true // not, or not any more, in the journal
	}
	if takes && d.chain == 0 {
		d.chain = me.bytes
		if completes && d.tatum == 0 {
			d.tatum = me.bytes
		}
	}
	me.stage = sent
}

// wrong says which promise a world breaks, "" for none.
func (m *model) wrong(w world) string {
	for i := range m.deals {
		d := w.deals[i]
		switch {
		case bits.OnesCount8(d.sent) > 1:
			return "I1: two byte strings left for one id"
		case d.alarmed:
			return "I2, I3: bytes left that are not in the journal, or what was acknowledged is gone"
		case d.sent != 0 && m.unsigned(d.state):
			return "I3: what was sent is forgotten"
		case m.is(d.state, journal.Completed) && (d.signed == 0 || d.tatum != d.signed || d.chain != d.signed):
			return "falsely done"
		case m.is(d.state, journal.Failed) && d.signed != 0 && d.chain == d.signed:
			return "I9: a payment is called dead that the chain has"
		}
	}
	return ""
}

// explore visits every world. It returns how many there are, and the first
// promise that is broken.
func (m *model) explore() (worlds int, broken string) {
	seen := map[uint64]struct{}{0: {}}
	todo := []uint64{0}
	for len(todo) > 0 && broken == "" {
		w := unpack(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
		m.each(w, func(next world) {
			if broken == "" {
				broken = m.wrong(next)
			}
			key := m.canonical(next)
			if _, known := seen[key]; known || broken != "" {
				return
			}
			seen[key] = struct{}{}
			todo = append(todo, key)
		})
	}
	return len(seen), broken
}

// stuck returns a reachable world from which something signed can never be
// completed, nor come before a person.
func (m *model) stuck() string {
	m.rivals = false // then it need not end well
	first := world{}
	before := map[world][]world{first: nil}
	todo := []world{first}
	var good []world
	for len(todo) > 0 {
		w := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if d := w.deals[0]; d.signed == 0 || d.tatum == 3 || m.is(d.state, journal.Completed) {
			good = append(good, w)
		}
		m.each(w, func(next world) {
			if _, known := before[next]; !known {
				todo = append(todo, next)
			}
			before[next] = append(before[next], w)
		})
	}
	fine := make(map[world]bool, len(before))
	for len(good) > 0 {
		w := good[len(good)-1]
		good = good[:len(good)-1]
		if !fine[w] {
			fine[w] = true
			good = append(good, before[w]...)
		}
	}
	for w := range before {
		if !fine[w] {
			return fmt.Sprintf("never ends: %+v", w)
		}
	}
	return ""
}

// canonical takes worlds that differ only by the names of relays and deals
// for one, and packs it.
func (m *model) canonical(w world) uint64 {
	best := min(w.pack(), swapRelays(w).pack())
	if m.deals == 2 {
		best = min(best, swapDeals(w).pack(), swapDeals(swapRelays(w)).pack())
	}
	return best
}

func swapRelays(w world) world {
	w.relays[0], w.relays[1] = w.relays[1], w.relays[0]
	for i := range w.deals {
		if w.deals[i].lease != 0 {
			w.deals[i].lease = 3 - w.deals[i].lease
		}
	}
	return w
}

func swapDeals(w world) world {
	w.deals[0], w.deals[1] = w.deals[1], w.deals[0]
	for i := range w.relays {
		if w.relays[i].deal != 0 {
			w.relays[i].deal = 3 - w.relays[i].deal
		}
	}
	return w
}

// pack makes 56 bits of a world in which nothing is alarming.
func (w world) pack() (k uint64) {
	put := func(v uint8, bits int) { k = k<<bits | uint64(v) }
	for _, d := range w.deals {
		put(d.state, 4)
		put(d.signed, 2)
		put(d.lease, 2)
		put(d.tatum, 2)
		put(d.chain, 2)
		put(d.sent, 2)
		put(d.media, 4)
	}
	for _, r := range w.relays {
		put(r.deal, 2)
		put(r.stage, 2)
		put(r.state, 4)
		put(r.bytes, 2)
	}
	return k
}

func unpack(k uint64) (w world) {
	take := func(bits int) uint8 {
		v := uint8(k & (1<<bits - 1))
		k >>= bits
		return v
	}
	for i := 1; i >= 0; i-- {
		r := &w.relays[i]
		r.bytes, r.state, r.stage, r.deal = take(2), take(4), take(2), take(2)
	}
	for i := 1; i >= 0; i-- {
		d := &w.deals[i]
		d.media, d.sent, d.chain, d.tatum = take(4), take(2), take(2), take(2)
		d.lease, d.signed, d.state = take(2), take(2), take(4)
	}
	return w
}

// modelEnv makes TestModel explore two transactions, which takes a while.
const modelEnv = "KMS_MODEL"

// All that can happen is looked at, by the table in state.go.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, l := range journal.Transitions() {
		if meanings[l] == unknown {
			t.Errorf("%s to %s: say in the model what it means", l[0], l[1])
		}
	}
	deals := 1
	if os.Getenv(modelEnv) != "" {
		deals = 2
	}
	m := newModel(deals, journal.Transitions())
	worlds, broken := m.explore()
	if broken != "" {
		t.Error(broken)
	}
	if t.Failed() {
		return
	}
	fmt.Printf("model: %d transactions, 2 relays, any number of crashes: %d states, I1 to I3 and I9 hold in each\n", deals, worlds)
	if s := newModel(1, journal.Transitions()).stuck(); s != "" {
		t.Error(s)
	}
}

// That at most one byte string leaves does not rest on leases.
func TestModelWithoutLeases(t *testing.T) {
	t.Parallel()
	m := newModel(1, journal.Transitions())
	m.fence = false
	if worlds, broken := m.explore(); broken != "" {
		t.Errorf("%d worlds: %s", worlds, broken)
	}
}

// The model is not blind: a line too many or too few in the table, and a
// database that takes other bytes, are seen.
func TestModelMutants(t *testing.T) {
	t.Parallel()
	table := journal.Transitions()
	without := func(from, to journal.State) []line {
		return slices.DeleteFunc(slices.Clone(table), func(l line) bool { return l == line{from, to} })
	}
	with := func(from, to journal.State) []line { return append(slices.Clone(table), line{from, to}) }
	for name, lines := range map[string][]line{
		"signed to fetched":     with(journal.Signed, journal.Fetched),
		"failed to fetched":     with(journal.Failed, journal.Fetched),
		"completed to prepared": with(journal.Completed, journal.Prepared),
		"exported to completed": with(journal.Exported, journal.Completed),
		"signed to rejected":    with(journal.Signed, journal.Rejected),
		"broadcast to refused":  with(journal.Broadcast, journal.Refused),
		"no signed to broadcast": slices.DeleteFunc(without(journal.Signed, journal.Broadcast), func(l line) bool {
			return l == line{journal.Failed, journal.Broadcast}
		}),
		"no broadcast to completed": slices.DeleteFunc(without(journal.Broadcast, journal.Completed), func(l line) bool {
			return l == line{journal.Broadcast, journal.Failed}
		}),
		"no failed to signed": without(journal.Failed, journal.Signed),
	} {
		m := newModel(1, lines)
		if _, broken := m.explore(); broken == "" && m.stuck() == "" {
			t.Errorf("%s: not seen", name)
		}
	}
	m := newModel(1, table)
	m.overwrite = true
	if _, broken := m.explore(); broken == "" {
		t.Error("a database that takes other bytes is not seen")
	}
	m = newModel(1, table)
	m.guess = true
	if _, broken := m.explore(); broken == "" {
		t.Error("a relay that takes absence for evidence is not seen")
	}
}
