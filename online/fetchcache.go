package online

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// Memory is what a program that fetches again and again remembers of the last
// lists of Tatum: the same list once more needs no look into the journal. It
// is in memory only, and forgotten when the program ends.
type Memory struct {
	mu    sync.Mutex
	last  map[string][sha256.Size]byte
	waits map[string]time.Time // unlisted items that still wait, and when that was asked
}

// maxMemory bounds how many lists are remembered.
const maxMemory = 1000

func (m *Memory) same(account string, id chain.ID, o FetchOptions, list []json.RawMessage) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sum, known := m.last[key(account, id, o)]
	return known && sum == digest(list)
}

func (m *Memory) keep(account string, id chain.ID, o FetchOptions, list []json.RawMessage) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil || len(m.last) >= maxMemory {
		m.last = make(map[string][sha256.Size]byte)
	}
	m.last[key(account, id, o)] = digest(list)
}

// forget drops the digest of the last list, so that the next one is taken even if it is equal.
func (m *Memory) forget(account string, id chain.ID, o FetchOptions) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.last, key(account, id, o))
}

func key(account string, id chain.ID, o FetchOptions) string {
	return fmt.Sprintf("%q %q %d %q", account, id, o.Network, o.IDs)
}

func digest(list []json.RawMessage) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, raw := range list {
		fmt.Fprintf(h, "%d ", len(raw))
		h.Write(raw)
	}
	h.Sum(sum[:0])
	return sum
}

// How many unlisted items are asked after at a time, and how often each is.
const (
	unlistedAtOnce = 64
	unlistedEvery  = 10 * time.Minute
)

// due returns the unlisted items to ask after now, those never asked first,
// and whether that is all there is to know of them. Without a memory it is all
// of them.
func (m *Memory) due(absent []journal.Item, now time.Time) (due []journal.Item, all bool) {
	if m == nil {
		return absent, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range absent {
		if now.Sub(m.waits[it.ID]).Abs() >= unlistedEvery {
			due = append(due, it)
		}
	}
	slices.SortStableFunc(due, func(a, b journal.Item) int { return m.waits[a.ID].Compare(m.waits[b.ID]) })
	if len(due) > unlistedAtOnce {
		return due[:unlistedAtOnce], false
	}
	return due, true
}

// asked remembers that an unlisted item still waits.
func (m *Memory) asked(id string, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waits == nil || len(m.waits) >= maxWaits {
		m.waits = make(map[string]time.Time)
	}
	m.waits[id] = now
}

// maxWaits bounds how many unlisted items are remembered.
const maxWaits = 100_000
