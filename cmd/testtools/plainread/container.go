// Package plainread reads every file of Coldkms, written from docs/FORMAT.md
// alone: it imports nothing of this module, so that a mistake of the document,
// or a change of the code, is found by the tests that use it.
package plainread

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
	"regexp"
)

// Identity reads a public identity file (*.kmsid).
func Identity(b []byte) (key []byte, err error) {
	if len(b) != 104 || string(b[:8]) != "CKMSID\x00\x01" || !ed25519.Verify(b[8:40], b[:40], b[40:]) {
		return nil, errors.New("not a public identity")
	}
	return b[8:40], nil
}

// Fingerprint returns the 22 hex digits of a key's fingerprint.
func Fingerprint(key []byte) string {
	sum := sha256.Sum256(append([]byte("coldkms fingerprint v1\n"), key...))
	return hex.EncodeToString(sum[:11])
}

// Container is what request, result and watch file have in common.
type Container struct {
	Kind   byte
	Author []byte
	Body   []byte
	Digest string
}

// OpenContainer reads a container.
func OpenContainer(b []byte) (c Container, err error) {
	if len(b) < 106 || string(b[:4]) != "CKMS" || b[5] != 1+b2i(b[4] == 'Q') {
		return c, errors.New("not a container of version 1, or request of version 2")
	}
	c.Kind, c.Author = b[4], b[6:38]
	if !ed25519.Verify(c.Author, bytes.Join([][]byte{[]byte("coldkms bundle v1\n"), b[:38], b[102:]}, nil), b[38:102]) {
		return c, errors.New("its signature does not fit")
	}
	packed := bytes.NewReader(b[106:])
	c.Body, err = io.ReadAll(io.LimitReader(flate.NewReader(packed), 256<<20))
	if err != nil || packed.Len() > 0 || len(c.Body) != int(binary.BigEndian.Uint32(b[102:])) {
		return c, fmt.Errorf("the body does not expand to its length: %v", err)
	}
	sum := sha256.Sum256(bytes.Join([][]byte{[]byte("coldkms digest v1\n"), {c.Kind}, c.Author, c.Body}, nil))
	c.Digest = hex.EncodeToString(sum[:])
	return c, nil
}

// open reads a container of this kind and the array in it.
func open(b []byte, kind byte, types string) (Container, []any, error) {
	c, err := OpenContainer(b)
	if err == nil && c.Kind != kind {
		err = fmt.Errorf("kind %c, want %c", c.Kind, kind)
	}
	if err != nil {
		return c, nil, err
	}
	v, err := cbor(c.Body)
	if err != nil {
		return c, nil, err
	}
	list, err := record(v, types)
	return c, list, err
}

var shortID = regexp.MustCompile(`^([0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
var anyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// id reads an id in its one form.
func id(v any) (string, error) {
	switch x := v.(type) {
	case []byte:
		s := hex.EncodeToString(x)
		if len(x) == 12 {
			return s, nil
		}
		if len(x) == 16 {
			return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], nil
		}
	case string:
		if anyID.MatchString(x) && !shortID.MatchString(x) {
			return x, nil
		}
	}
	return "", fmt.Errorf("%v is no id", v)
}

// Item is one item of a request.
type Item struct {
	ID, Chain  string
	Network    int64
	Tx         Tx
	Keys       []string // signature id and index
	Statements int
}

// Request is what a request has.
type Request struct {
	Container
	Signer   []byte
	Created  int64
	Head     []byte
	Items    []Item
	Previous [][]byte
}

// OpenRequest reads a request (*.kmsreq).
func OpenRequest(b []byte) (r Request, err error) {
	c, list, err := open(b, 'Q', "bibaa")
	if err != nil {
		return r, err
	}
	r = Request{Container: c, Signer: list[0].([]byte), Created: list[1].(int64), Head: list[2].([]byte)}
	if r.Previous, err = previousOf(list[4].([]any)); err != nil {
		return r, err
	}
	if len(r.Signer) != 32 || len(r.Head) != 0 && len(r.Head) != 32 {
		return r, errors.New("signer or ledger head of another size")
	}
	for _, v := range list[3].([]any) {
		it, err := item(v, len(r.Previous))
		if err != nil {
			return r, err
		}
		r.Items = append(r.Items, it)
	}
	return r, nil
}

// previousOf reads the attachments, of which there is one at most: that of UTXO.
func previousOf(attachments []any) ([][]byte, error) {
	if len(attachments) == 0 {
		return nil, nil
	}
	pair, err := record(attachments[0], "sa")
	if err != nil {
		return nil, err
	}
	if len(attachments) > 1 || pair[0] != "utxo" || len(pair[1].([]any)) == 0 {
		return nil, fmt.Errorf("attachment of family %v", pair[0])
	}
	return byteStrings(pair[1].([]any), 0, 1<<22)
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func byteStrings(list []any, least, most int) (out [][]byte, err error) {
	for _, v := range list {
		b, ok := v.([]byte)
		if !ok || len(b) < least || len(b) > most {
			return nil, fmt.Errorf("not %d to %d bytes: %v", least, most, v)
		}
		out = append(out, b)
	}
	return out, nil
}

func item(v any, previous int) (it Item, err error) {
	list, err := record(v, "?ssibbaa")
	if err != nil {
		return it, err
	}
	if it.ID, err = id(list[0]); err != nil {
		return it, err
	}
	if list[1] != "utxo" {
		return it, fmt.Errorf("family %v", list[1])
	}
	it.Chain, it.Network = list[2].(string), list[3].(int64)
	for _, v := range list[6].([]any) {
		key, err := record(v, "?i")
		if err != nil {
			return it, err
		}
		name, err := id(key[0])
		if err != nil {
			return it, err
		}
		it.Keys = append(it.Keys, fmt.Sprint(name, " ", key[1]))
	}
	statements, err := byteStrings(list[7].([]any), 104, 104)
	if err != nil {
		return it, err
	}
	it.Statements = len(statements)
	it.Tx, err = readTx(list[4].([]byte), list[5].([]byte), previous)
	return it, err
}

// Outcome is what became of one item.
type Outcome struct {
	ID           string
	Signatures   [][]byte
	Code, Reason string
}

// Result is what a result has.
type Result struct {
	Container
	Request, Head, Policy []byte
	Length                int64
	Outcomes              []Outcome
	Operators             [][]byte
}

// OpenResult reads a result (*.kmsres).
func OpenResult(b []byte) (r Result, err error) {
	c, list, err := open(b, 'R', "bbibaa")
	if err != nil {
		return r, err
	}
	r = Result{Container: c, Request: list[0].([]byte), Head: list[1].([]byte), Length: list[2].(int64),
		Policy: list[3].([]byte)}
	if len(r.Request) != 32 || len(r.Head) != 32 || len(r.Policy) != 0 && len(r.Policy) != 32 {
		return r, errors.New("a digest of another size")
	}
	if r.Operators, err = byteStrings(list[5].([]any), 32, 32); err != nil {
		return r, err
	}
	for _, v := range list[4].([]any) {
		o, err := record(v, "?ass")
		if err != nil {
			return r, err
		}
		name, err := id(o[0])
		if err != nil {
			return r, err
		}
		signatures, err := byteStrings(o[1].([]any), 64, 129)
		if err != nil {
			return r, err
		}
		r.Outcomes = append(r.Outcomes, Outcome{name, signatures, o[2].(string), o[3].(string)})
	}
	return r, nil
}

// Watched is one entry of a watch file.
type Watched struct {
	ID, Chain, XPub string
	Network         int64
	Public          []byte
}

// OpenWatch reads a watch file (*.kmswatch).
func OpenWatch(b []byte) (c Container, entries []Watched, err error) {
	c, list, err := open(b, 'W', "ia")
	if err != nil {
		return c, nil, err
	}
	for _, v := range list[1].([]any) {
		e, err := record(v, "?sisb")
		if err != nil {
			return c, nil, err
		}
		name, err := id(e[0])
		if err != nil {
			return c, nil, err
		}
		entries = append(entries, Watched{ID: name, Chain: e[1].(string), Network: e[2].(int64), XPub: e[3].(string),
			Public: e[4].([]byte)})
	}
	return c, entries, nil
}
