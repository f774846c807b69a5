package bundle

import (
	"fmt"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

// Watch is the public half of a signer's wallet, for its relay.
type Watch struct {
	Created int64 // Unix seconds by the signer's clock
	Entries []WatchEntry
}

// WatchEntry is one entry of the wallet without its secret. One of XPub and
// PubKey is set; both are empty for an entry that cannot be signed for yet.
type WatchEntry struct {
	SignatureID string
	chain.Coin
	XPub   string // of a mnemonic, at the depth of the chain's path, in Tatum's form
	PubKey []byte // of a private key, 33 or 65 bytes
}

type watchWire struct {
	_       struct{} `cbor:",toarray"`
	Created int64
	Entries []watchEntryWire
}

type watchEntryWire struct {
	_       struct{} `cbor:",toarray"`
	ID      ident
	Chain   string
	Network uint8
	XPub    string
	PubKey  []byte
}

// SealedWatch is a Watch that came out of, or goes into, a file.
type SealedWatch struct {
	Watch
	Signer identity.Public
	File   []byte
}

// SealWatch encodes and signs a Watch.
func SealWatch(watch Watch, signer identity.Private) (SealedWatch, error) {
	if err := watch.check(); err != nil {
		return SealedWatch{}, err
	}
	w := watchWire{Created: watch.Created, Entries: make([]watchEntryWire, len(watch.Entries))}
	for i, e := range watch.Entries {
		w.Entries[i] = watchEntryWire{ID: ident(e.SignatureID), Chain: string(e.Chain), Network: uint8(e.Network), XPub: e.XPub, PubKey: e.PubKey}
	}
	body, err := marshal(w)
	if err != nil {
		return SealedWatch{}, err
	}
	file, err := seal(KindWatch, signer, body)
	if err != nil {
		return SealedWatch{}, err
	}
	return SealedWatch{Watch: watch, Signer: signer.Public(), File: file}, nil
}

// OpenWatch reads a watch file. Errors have ErrInvalid in their chain.
func OpenWatch(file []byte) (SealedWatch, error) {
	signer, body, err := open(KindWatch, file)
	if err != nil {
		return SealedWatch{}, err
	}
	var w watchWire
	if err := unmarshal(body, &w); err != nil {
		return SealedWatch{}, err
	}
	watch := Watch{Created: w.Created, Entries: make([]WatchEntry, len(w.Entries))}
	for i, e := range w.Entries {
		watch.Entries[i] = WatchEntry{SignatureID: string(e.ID), Coin: chain.Coin{Chain: chain.ID(e.Chain), Network: chain.Network(e.Network)}, XPub: e.XPub, PubKey: e.PubKey}
	}
	if err := watch.check(); err != nil {
		return SealedWatch{}, err
	}
	return SealedWatch{Watch: watch, Signer: signer, File: file}, nil
}

func (w Watch) check() error {
	if len(w.Entries) > MaxItems {
		return fmt.Errorf("%w: %d entries, at most %d", ErrInvalid, len(w.Entries), MaxItems)
	}
	seen := make(map[string]bool, len(w.Entries))
	for _, e := range w.Entries {
		if !pending.ValidSignatureID(e.SignatureID) || seen[e.SignatureID] {
			return fmt.Errorf("%w: entry %.80q", ErrInvalid, e.SignatureID)
		}
		seen[e.SignatureID] = true
		if e.Network != chain.Mainnet && e.Network != chain.Testnet {
			return fmt.Errorf("%w: entry %s: network %d", ErrInvalid, e.SignatureID, e.Network)
		}
	}
	return nil
}
