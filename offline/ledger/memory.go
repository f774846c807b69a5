package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// memory is what the lines say, ready to be asked.
type memory struct {
	signer  string
	genesis string
	keyed   bool   // lines are authenticated
	root    uint64 // first line that is, and its hash
	began   string
	clock   int64
	standing
	noes
	origins

	signed   map[string]signed             // by pending id
	spent    map[string][sha256.Size]byte  // outpoint → content
	freed    map[string][sha256.Size]byte  // outpoint → content that spent it until a person released it
	heads    map[[sha256.Size]byte]uint64  // every head this ledger ever had → its line
	accepted map[[sha256.Size]byte]uint64  // heads that it lost, as a person knows → the line that says so
	seen     map[string]uint64             // relay → the latest line that it was known to have seen
	paid     []Paid                        // of each signed content once, in the order of the clock
	known    map[destination]struct{}      // what was ever paid
	contents map[[sha256.Size]byte]made    // what was ever signed, under whatever id
	claimed  map[[sha256.Size]byte]claimed // of it, what rests on claims
	released map[[sha256.Size]byte]uint64  // content that a person released → the line; until it is signed again
	indices  map[string]*indices           // mnemonic → its indices
}

// made is how content was signed; final is zero where the line does not say it.
type made struct {
	txID, final [sha256.Size]byte
	fee         Amount
	id          string // under which it was signed first
	at          At     // where
}

// claimed is what content that rests on claims was.
type claimed struct {
	bare   [sha256.Size]byte
	claims []chain.Claim
}

// Record is how content was signed.
type Record struct {
	TxID, Final [sha256.Size]byte // id and SHA-256 of the finished transaction; Final is zero in lines of before
	Fee         Amount            // as it was computed then
	Bare        [sha256.Size]byte // digest of the transaction alone
	Claims      []chain.Claim     // on which it rests
	Released    uint64            // line in which a person released it; 0: none, or it was signed again since
	ID          string            // pending id under which it was signed first
	Line        uint64            // of the ledger, where it was
}

type signed struct {
	content [sha256.Size]byte
	request string
}

type destination struct {
	chain.Coin
	token, to string
}

// Paid is what one movement that was signed pays beyond change, or the fee of a
// transaction that was signed.
type Paid struct {
	Clock int64 // Unix seconds by the ledger's clock
	chain.Coin
	Token   string // of the coin; none: the coin itself
	To      string // canonical name of the destination; none of a fee
	Value   Amount
	Fee     bool
	Changed bool   // of a fee: its transaction had change
	Size    uint32 // of a fee: what its rate is per; 0 where the line does not say it
	Content [sha256.Size]byte
	Batch   bundle.Digest // of which it was signed first
}

func newMemory() memory {
	return memory{
		signed: map[string]signed{}, spent: map[string][sha256.Size]byte{},
		standing: newStanding(), noes: newNoes(), origins: newOrigins(),
		heads: map[[sha256.Size]byte]uint64{}, accepted: map[[sha256.Size]byte]uint64{},
		seen: map[string]uint64{}, known: map[destination]struct{}{}, contents: map[[sha256.Size]byte]made{}, claimed: map[[sha256.Size]byte]claimed{}, released: map[[sha256.Size]byte]uint64{}, freed: map[string][sha256.Size]byte{},
		indices: map[string]*indices{},
	}
}

// remember takes one line in. It changes nothing where it fails.
func (m *memory) remember(r record) error {
	if err := m.admits(r); err != nil {
		return err
	}
	line := r.line
	m.clock = line.Clock
	if r.keyed && !m.keyed {
		m.keyed, m.root, m.began = true, line.N, hex.EncodeToString(r.sum[:])
	}
	m.standing.follow(line)
	m.hear(line)
	m.origins.follow(line)
	switch line.Kind {
	case KindGenesis:
		m.signer, m.genesis = line.Signer, hex.EncodeToString(r.sum[:])
	case KindReviewed:
		m.reviewed(line)
		m.saw(line)
	case KindAgreed:
		m.saw(line)
	case KindApproved:
		m.approvedIn(line)
	case KindSigned:
		m.sign(line)
		m.end(line.Request, line) // its approvals are used
	case KindRefused:
		// said no to a part: what was reviewed is not what was wanted
		if line.Code == chain.RefusedByPerson && line.Act != ActLeftOut {
			m.end(line.Request, line)
		}
	case KindReleased:
		m.release(line)
	case KindDeclined:
		m.end(line.Request, line)
		if line.Act != ActDiscard { // which says nothing of what is left out
			delete(m.left, line.Request)
		}
	case KindLeftOut:
		m.endOthers(line.Request, line)
		m.left[line.Request] = line.Left
	case KindAccepted:
		head, _ := bundle.ParseDigest(line.Head)
		m.accepted[head], m.old = line.N, At{line.N, line.Time}
		m.endAll(line)
	case KindClock:
		m.restamp()
	case KindPolicy:
		m.policy, m.policies = PolicySet{Hash: line.Policy, Line: line.N, Time: line.Time}, true
		m.old = At{}
		m.endAll(line)
	case KindOperator:
		m.enrol(line)
	case KindWallet:
		m.act(line)
	case KindUpgraded:
		m.endAll(line)
	}
	m.heads[r.sum] = line.N
	return nil
}

// admits reports whether a line may follow what is remembered.
func (m *memory) admits(r record) error {
	line := r.line
	switch {
	case line.Clock < m.clock && line.Kind != KindClock:
		return errors.New("its clock is behind that of the line before")
	case (line.Kind == KindGenesis) != (line.N == 1):
		return errors.New("a first line that is not the first, or another that is")
	}
	if err := m.admitsVersion(r); err != nil {
		return err
	}
	switch line.Kind {
	case KindSigned:
		_, err := bundle.ParseDigest(line.Content)
		return err
	case KindAccepted:
		_, err := bundle.ParseDigest(line.Head)
		return err
	case KindReviewed, KindApproved:
		if r.keyed {
			return m.admitsRound(line)
		}
		return nil
	case KindGenesis, KindUpgraded, KindAsked, KindAgreed, KindDeclined, KindLeftOut, KindRefused, KindReleased, KindClock, KindPolicy, KindOperator, KindWallet:
		return nil
	}
	return fmt.Errorf("kind %.20q is not known to this version", line.Kind)
}

// admitsVersion reports whether the first authenticated line is one that says
// so, and no other line does.
func (m *memory) admitsVersion(r record) error {
	first := r.keyed && !m.keyed
	states := r.line.Version != 0 || r.line.Kind == KindUpgraded
	switch {
	case first != states:
		return errors.New("the version of its format does not fit those before it")
	case first && r.line.Version != Version:
		return fmt.Errorf("version %d is not known to this program", r.line.Version)
	case first && r.line.N > 1 && r.line.Kind != KindUpgraded:
		return errors.New("lines are authenticated without an upgrade")
	}
	return nil
}

func judgedAs(policy, judged string) string { return policy + " " + judged }

func (m *memory) saw(line Line) {
	if line.Relay != "" {
		m.seen[line.Relay] = max(m.seen[line.Relay], line.Seen)
	}
}

func (m *memory) sign(line Line) {
	content, _ := bundle.ParseDigest(line.Content)
	m.signed[line.ID] = signed{content: content, request: line.Request}
	delete(m.released, content)
	for _, op := range line.Spent {
		m.spent[op] = content
		if m.freed[op] == content {
			delete(m.freed, op)
		}
	}
	before, again := m.contents[content]
	if !again || before.final == ([sha256.Size]byte{}) {
		now := madeBy(line)
		if again {
			now.id, now.at = before.id, before.at
		}
		m.contents[content] = now
	}
	if again {
		return
	}
	if len(line.Claimed) > 0 {
		bare, _ := bundle.ParseDigest(line.Bare)
		m.claimed[content] = claimed{bare: bare, claims: line.Claimed}
	}
	batch, _ := bundle.ParseDigest(line.Request)
	for _, p := range line.Paid {
		m.paid = append(m.paid, Paid{Clock: line.Clock, Coin: line.coin(), Token: p.Token, To: p.To, Value: p.Value, Content: content, Batch: batch})
		m.known[destination{line.coin(), p.Token, p.To}] = struct{}{}
	}
	if cost := line.cost(); !cost.IsZero() {
		m.paid = append(m.paid, Paid{Clock: line.Clock, Coin: line.coin(), Value: cost, Fee: true, Content: content, Batch: batch,
			Changed: line.changed(), Size: line.size()})
	}
	m.use(line)
}

// changed reports whether something came back.
func (l Line) changed() bool {
	return slices.ContainsFunc(l.Own, func(o Own) bool { return !o.Change.IsZero() })
}

// size is what the fee rate is per, or 0 where it cannot be.
func (l Line) size() uint32 {
	if l.Size < 0 || l.Size > math.MaxUint32 {
		return 0
	}
	return uint32(l.Size)
}

// cost is the fee and what was burnt.
func (l Line) cost() Amount {
	if l.Fee == nil {
		return l.Burnt
	}
	return l.Fee.Plus(l.Burnt)
}

// madeBy returns what a line says about how something was signed.
func madeBy(line Line) (m made) {
	m.id = line.ID
	m.at = At{line.N, line.Time}
	m.txID, _ = bundle.ParseDigest(line.TxID)
	m.final, _ = bundle.ParseDigest(line.Final)
	if line.Fee != nil {
		m.fee = *line.Fee
	}
	return m
}

// Record returns how content was signed, under whatever id.
func (m *memory) Record(content [sha256.Size]byte) (Record, bool) {
	of, ok := m.contents[content]
	r := Record{TxID: of.txID, Final: of.final, Fee: of.fee, Bare: content, Released: m.released[content], ID: of.id, Line: of.at.Line}
	if c, rests := m.claimed[content]; rests {
		r.Bare, r.Claims = c.bare, c.claims
	}
	return r, ok
}

// SignedAt returns where content was signed first, under whatever id.
func (m *memory) SignedAt(content [sha256.Size]byte) (At, bool) {
	of, ok := m.contents[content]
	return of.at, ok
}

// Earlier returns where the transaction with this bare digest was signed before,
// under whatever id, or where another one was under this id, of which one
// outpoint is among these; same says which of the two.
func (m *memory) Earlier(id string, bare [sha256.Size]byte, outpoints []string) (at At, same, was bool) {
	now := m.signed[id].content
	for _, op := range outpoints {
		for _, by := range [...]map[string][sha256.Size]byte{m.spent, m.freed} {
			content, taken := by[op]
			if !taken {
				continue
			}
			if r, ok := m.Record(content); ok && r.Bare == bare {
				return m.contents[content].at, true, true
			}
			if content == now {
				at, was = m.contents[content].at, true
			}
		}
	}
	return at, false, was
}

// release frees what the transaction signed under an id spends. The id itself
// stays taken, but for the same transaction under other claims, and so does
// the sum that was counted.
func (m *memory) release(line Line) {
	content := m.signed[line.ID].content
	m.released[content] = line.N
	for op, by := range m.spent {
		if by == content {
			delete(m.spent, op)
			m.freed[op] = content
		}
	}
}

// restamp is for a clock that was set back by a person: what lies in its
// future counts as paid now, so that setting a clock frees no limit.
func (m *memory) restamp() {
	for i := len(m.paid) - 1; i >= 0 && m.paid[i].Clock > m.clock; i-- {
		m.paid[i].Clock = m.clock
	}
}

// Signed returns the content that was signed under a pending id.
func (m *memory) Signed(id string) ([sha256.Size]byte, bool) {
	s, ok := m.signed[id]
	return s.content, ok
}

// Freed returns the content that spent an outpoint until a person released it.
// It stays valid wherever a copy of it is.
func (m *memory) Freed(outpoint string) ([sha256.Size]byte, bool) {
	content, ok := m.freed[outpoint]
	return content, ok
}

// SignedIn reports whether exactly this content was signed under this id as part
// of this batch, and nobody released it since.
func (m *memory) SignedIn(batch bundle.Digest, id string, content [sha256.Size]byte) bool {
	s, ok := m.signed[id]
	return ok && s.content == content && s.request == batch.String() && m.released[content] == 0
}

// Spender returns the content of the signed transaction that spends an outpoint.
func (m *memory) Spender(outpoint string) ([sha256.Size]byte, bool) {
	content, ok := m.spent[outpoint]
	return content, ok
}

// Spends lists the outpoints that the transaction signed under id keeps taken.
func (m *memory) Spends(id string) []string {
	s, ok := m.signed[id]
	if !ok {
		return nil
	}
	var list []string
	for op, by := range m.spent {
		if by == s.content {
			list = append(list, op)
		}
	}
	slices.Sort(list)
	return list
}

// Payments goes through what was paid since a time of the ledger's clock (Unix
// seconds), newest first, each signed content once.
func (m *memory) Payments(since int64) iter.Seq[Paid] {
	return func(yield func(Paid) bool) {
		for _, p := range slices.Backward(m.paid) {
			if p.Clock < since || !yield(p) {
				return
			}
		}
	}
}

// Paid reports whether a destination was ever paid in a coin.
func (m *memory) Paid(coin chain.Coin, to string) bool {
	_, ok := m.known[destination{coin, "", to}]
	return ok
}

// Genesis returns the hash of the first line in hex.
func (m *memory) Genesis() string { return m.genesis }

// Root returns the hash of the first authenticated line in hex, or "" if there
// is none. A wallet remembers it, so that it never works with the memory of
// another, nor with lines that were not authenticated when it last was.
func (m *memory) Root() string { return m.began }

// Line returns the number of the line that this head belongs to.
func (m *memory) Line(head []byte) (n uint64, ok bool) {
	if len(head) != sha256.Size {
		return 0, false
	}
	n, ok = m.heads[[sha256.Size]byte(head)]
	return n, ok
}

// Common returns the last line that this ledger and another have in common; 0
// if there is none.
func (m *memory) Common(other *Ledger) (n uint64) {
	for head, at := range m.heads {
		if there, ok := other.heads[head]; ok && there == at {
			n = max(n, at)
		}
	}
	return n
}

// Heads goes through the hashes of all lines, in no order.
func (m *memory) Heads() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for head := range m.heads {
			if !yield(head[:]) {
				return
			}
		}
	}
}

// HeadAt returns the hash of line n, or nil if there is no such line.
func (m *memory) HeadAt(n uint64) []byte {
	for head, at := range m.heads {
		if at == n {
			return head[:]
		}
	}
	return nil
}

// Knows reports whether this was once the head of this ledger, or is one that a
// person knows to be lost.
func (m *memory) Knows(head []byte) bool {
	_, had := m.Line(head)
	return had || m.AcceptedIn(head) != 0
}

// AcceptedIn returns the line in which a person recorded that this head is lost,
// or 0 if there is none.
func (m *memory) AcceptedIn(head []byte) uint64 {
	if len(head) != sha256.Size {
		return 0
	}
	return m.accepted[[sha256.Size]byte(head)]
}

// Seen is the latest line that a relay was known to have seen.
func (m *memory) Seen(relay string) uint64 { return m.seen[relay] }
