package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"coldkms/shared/identity"
)

// Tags that keep the uses of an owner's key apart.
const (
	keyTag     = "coldkms ledger key v2\n"
	lineMACTag = "coldkms ledger line v2\n"
	markMACTag = "coldkms ledger mark v2\n"
	copyMACTag = "coldkms ledger mark of a copy v2\n"
)

// Owner is the wallet that a ledger belongs to. Its key authenticates every
// line and the mark: whoever can write to the disk but has no password cannot
// write a line that Open accepts.
type Owner struct {
	signer string // fingerprint
	key    [sha256.Size]byte
}

// OwnerOf derives the ledger key from the seed of a wallet's identity, so that
// every copy of the wallet has the same one.
func OwnerOf(id identity.Private) Owner {
	seed := id.Seed()
	defer clear(seed)
	return Owner{signer: id.Public().Fingerprint(), key: mac(seed, keyTag)}
}

// sealLine authenticates a line by its hash. The hash covers the line before,
// so the code covers everything up to here.
func (o Owner) sealLine(hash [sha256.Size]byte) [sha256.Size]byte {
	return mac(o.key[:], lineMACTag, hash[:])
}

// sealMark authenticates the last acknowledged line.
func (o Owner) sealMark(n uint64, head string, isCopy bool) [sha256.Size]byte {
	tag := markMACTag
	if isCopy {
		tag = copyMACTag
	}
	return mac(o.key[:], tag, binary.BigEndian.AppendUint64(nil, n), []byte(head))
}

func mac(key []byte, tag string, parts ...[]byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(tag))
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
