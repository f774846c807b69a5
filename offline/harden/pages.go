package harden

import "sync"

// chunkSize is how much is taken from the system at once, in bytes: a small
// wallet takes one. An unprivileged process may lock some megabytes
// (RLIMIT_MEMLOCK), enough for some ten thousand entries.
const chunkSize = 64 << 10

// Pages are memory that the system does not swap out and leaves out of core
// files, for secrets that stay for as long as the program runs. Go's own
// memory can have neither promise. Where the system refuses, secrets are kept
// in pages that are not locked, and Unlocked says how many bytes that are.
//
// What it cannot promise: copies that the libraries make while they work with
// a secret lie in Go's memory until it is used again (docs/THREATS.md).
type Pages struct {
	mu       sync.Mutex
	free     []byte
	locked   int
	unlocked int
}

// Keep moves a secret here: the slice that it gives holds it, the one it was
// given is wiped. It is safe for concurrent use.
func (p *Pages) Keep(secret []byte) []byte {
	if len(secret) == 0 {
		return secret
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < len(secret) {
		chunk, locked := takePages((len(secret) + chunkSize - 1) / chunkSize * chunkSize)
		if chunk == nil {
			p.unlocked += len(secret)
			return secret // there is no such memory: it stays where it is
		}
		p.free = chunk
		if locked {
			p.locked += len(chunk)
		} else {
			p.unlocked += len(chunk)
		}
	}
	kept := p.free[:len(secret):len(secret)]
	p.free = p.free[len(secret):]
	copy(kept, secret)
	clear(secret)
	return kept
}

// Bytes returns how much memory is locked, and how much should be and is not.
func (p *Pages) Bytes() (locked, unlocked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.locked, p.unlocked
}
