// Package bundle has the files that cross the air gap: Request, Result and
// Watch. Each is one value in deterministic CBOR (RFC 8949, section 4.2.1),
// compressed, in a container signed by its author. docs/FORMAT.md is the
// byte-exact description.
//
// One value has one encoding: what is read is encoded again and compared, and
// whatever differs is refused. Everything from outside is measured before
// room is made for it.
package bundle

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"coldkms/shared/identity"
)

// maxExpansion bounds body against file. Deflate itself stays below 1032; real
// bundles below 10.
const maxExpansion = 200

// ErrInvalid is in the chain of every error about a file that is no valid bundle.
var ErrInvalid = errors.New("bundle is not valid")

// ErrVersion is returned, with ErrInvalid, where the file is of another version of
// its format.
var ErrVersion = errors.New("bundle is of another version")

// newer says what to do about a file of version v where another is read.
func newer(v, reads byte) string {
	if v < reads {
		return "it was made by an older program; export again with kms-online of this version"
	}
	return "it was made by a newer program; use the same version of Coldkms on both machines"
}

// ErrKind is returned, with ErrInvalid, where the file is a bundle of another kind.
var ErrKind = errors.New("bundle is of another kind")

// ErrWallet is returned, with ErrInvalid and ErrKind, for a signer's wallet.
var ErrWallet = errors.New("this is a wallet: keep it off the stick")

// Kind tells the kinds of bundle apart.
type Kind byte

// The kinds of bundle.
const (
	KindRequest Kind = 'Q'
	KindResult  Kind = 'R'
	KindWatch   Kind = 'W'
)

// String names the kind in a sentence.
func (k Kind) String() string {
	switch k {
	case KindRequest:
		return "request"
	case KindResult:
		return "result"
	case KindWatch:
		return "watch file"
	}
	return "unknown"
}

const (
	magic      = "CKMS"
	headerSize = len(magic) + 2 + ed25519.PublicKeySize + ed25519.SignatureSize + 4
	signTag    = "coldkms bundle v1\n"
	digestTag  = "coldkms digest v1\n"
)

// version is that of the form of a kind. Requests of version 1 had a table of
// previous transactions, and no attachments.
func (k Kind) version() byte {
	if k == KindRequest {
		return 2
	}
	return 1
}

// Digest names one bundle everywhere: SHA-256 over its kind, its author and
// its canonical body, so that neither compression nor file name matter.
type Digest [sha256.Size]byte

// String returns 64 hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads 64 hex digits.
func ParseDigest(s string) (Digest, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != sha256.Size {
		return Digest{}, fmt.Errorf("bundle: %.80q is not a digest of 64 hex digits", s)
	}
	return Digest(b), nil
}

func digestOf(kind Kind, author identity.Public, body []byte) Digest {
	h := sha256.New()
	h.Write([]byte(digestTag))
	h.Write([]byte{byte(kind)})
	h.Write(author[:])
	h.Write(body)
	return Digest(h.Sum(nil))
}

// seal compresses body and signs the container:
//
//	4 bytes  magic "CKMS"
//	1        kind
//	1        version
//	32       author's public key
//	64       Ed25519 signature over tag, magic, kind, version, author and all that follows the signature
//	4        length of the body, big endian
//	…        body, raw deflate (RFC 1951)
func seal(kind Kind, author identity.Private, body []byte) ([]byte, error) {
	if len(body) > MaxBody {
		return nil, fmt.Errorf("bundle: %w: %d bytes, at most %d: export fewer at once (--max)", ErrTooLarge, len(body), MaxBody)
	}
	file, err := deflate(body, flate.BestCompression)
	if err == nil && len(body) > (len(file)-headerSize)*maxExpansion {
		file, err = deflate(body, flate.NoCompression) // a reader would take it for a bomb
	}
	if err != nil {
		return nil, fmt.Errorf("bundle: compress: %w", err)
	}
	return wrap(kind, author, len(body), file)
}

// wrap signs what was compressed. file has room for the header before it, and
// becomes the container: what may be a hundred megabytes is not copied.
func wrap(kind Kind, author identity.Private, size int, file []byte) ([]byte, error) {
	if len(file) > MaxFile {
		return nil, fmt.Errorf("bundle: %w: %d bytes, at most %d: export fewer at once (--max)", ErrTooLarge, len(file), MaxFile)
	}
	binary.BigEndian.PutUint32(file[headerSize-4:], uint32(size))
	pub := author.Public()
	head := append(append([]byte(magic), byte(kind), kind.version()), pub[:]...)
	about := append([]byte(signTag), head...) // of what is signed, all that comes before the body
	body := headerSize - 4
	copy(file[body-len(about):], about)
	sig := author.Sign(file[body-len(about):])
	copy(file, head)
	copy(file[len(head):], sig[:])
	return file, nil
}

// deflate compresses, behind room for the header.
func deflate(body []byte, level int) ([]byte, error) {
	packed := bytes.NewBuffer(make([]byte, headerSize, headerSize+len(body)+len(body)/1024+1024))
	w, err := flate.NewWriter(packed, level)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	err = w.Close()
	return packed.Bytes(), err
}

func signed(head, rest []byte) []byte {
	return bytes.Join([][]byte{[]byte(signTag), head, rest}, nil)
}

// open checks a container and returns its author and body.
func open(kind Kind, file []byte) (identity.Public, []byte, error) {
	author, rest, err := authenticate(kind, file)
	if err != nil {
		return identity.Public{}, nil, err
	}
	body, err := expand(rest)
	return author, body, err
}

// authenticate checks everything of a container but its body, and returns its
// author and the body as it travels.
func authenticate(kind Kind, file []byte) (author identity.Public, rest []byte, err error) {
	if err := elsewhere(file); err != nil {
		return identity.Public{}, nil, fmt.Errorf("%w: %w: %w", ErrInvalid, ErrKind, err)
	}
	if len(file) < headerSize || len(file) > MaxFile || string(file[:len(magic)]) != magic {
		return identity.Public{}, nil, fmt.Errorf("%w: not a Coldkms file, or cut short", ErrInvalid)
	}
	head, tail := file[:len(magic)+2+ed25519.PublicKeySize], file[len(magic)+2+ed25519.PublicKeySize:]
	if v, reads := head[len(magic)+1], Kind(head[len(magic)]).version(); v != reads {
		return identity.Public{}, nil, fmt.Errorf("%w: %w: format version %d of a %s, this program reads version %d: %s", ErrInvalid, ErrVersion, v, Kind(head[len(magic)]), reads, newer(v, reads))
	}
	author = identity.Public(head[len(magic)+2:])
	sig, rest := [ed25519.SignatureSize]byte(tail), tail[ed25519.SignatureSize:]
	if !author.Verify(signed(head, rest), sig) {
		return identity.Public{}, nil, fmt.Errorf("%w: damaged or altered on the way (its signature does not fit)", ErrInvalid)
	}
	if got := Kind(head[len(magic)]); got != kind {
		return identity.Public{}, nil, fmt.Errorf("%w: %w: a %s, not a %s", ErrInvalid, ErrKind, got, kind)
	}
	return author, rest, nil
}

// IsWallet reports whether a file is a signer's wallet, which never crosses.
func IsWallet(file []byte) bool { return bytes.HasPrefix(file, []byte("CKMSWAL")) }

// elsewhere returns an error for a file of Coldkms that begins as a container
// does and is none.
func elsewhere(file []byte) error {
	switch {
	case IsWallet(file):
		return ErrWallet
	case bytes.HasPrefix(file, []byte("CKMSID")):
		return errors.New("this is a relay's public identity")
	case bytes.HasPrefix(file, []byte("CKMSAPP")):
		return errors.New("this is an operator's approval")
	}
	return nil
}

func expand(rest []byte) ([]byte, error) {
	size := int64(binary.BigEndian.Uint32(rest))
	packed := rest[4:]
	if size > MaxBody || size > int64(len(packed)+1)*maxExpansion {
		return nil, fmt.Errorf("%w: announces %d bytes in %d", ErrInvalid, size, len(packed))
	}
	in := bytes.NewReader(packed)
	r := flate.NewReader(in)
	body := make([]byte, size) // within maxExpansion of what is there
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("%w: does not expand: %v", ErrInvalid, err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF || in.Len() != 0 {
		return nil, fmt.Errorf("%w: expands to another length than announced", ErrInvalid)
	}
	return body, nil
}
