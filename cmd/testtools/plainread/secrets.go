package plainread

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/text/unicode/norm"
)

// Entry is one signature id of a wallet.
type Entry struct {
	ID, Chain, XPub                string
	Network, Kind, Created         int64
	Words, Passphrase, Key, Public []byte
	Compressed                     bool
	JSON                           []byte
}

// Wallet is what a wallet file has.
type Wallet struct {
	Seed      []byte
	Ledger    []byte
	Relays    [][]byte // keys
	Entries   []Entry
	Policy    []byte
	Operators map[string][]byte // name: sealed seed
}

// unseal decrypts a file of the wallet's form.
func unseal(b, password []byte) ([]byte, error) {
	if len(b) < 120+16 || string(b[:8]) != "CKMSWAL\x00" || b[8] != 1 || b[9] != 1 || b[11] != 0 {
		return nil, errors.New("not a wallet of version 1")
	}
	sum := sha256.Sum256(b[:112])
	if !bytes.Equal(sum[:8], b[112:120]) || int(binary.BigEndian.Uint32(b[20:])) != len(b)-120 {
		return nil, errors.New("its header is damaged")
	}
	master := argon2.IDKey(norm.NFC.Bytes(password), b[24:56], binary.BigEndian.Uint32(b[16:]),
		binary.BigEndian.Uint32(b[12:]), b[10], 32)
	headerKey, err := hkdf.Expand(sha256.New, master, "coldkms wallet v1 header", 32)
	if err != nil {
		return nil, err
	}
	if code := mac(headerKey, b[:80]); !hmac.Equal(code, b[80:112]) {
		return nil, errors.New("wrong password")
	}
	bodyKey, err := hkdf.Expand(sha256.New, master, "coldkms wallet v1 body", 32)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(bodyKey)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, b[56:80], b[120:], b[:120])
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// OpenWallet reads a wallet file.
func OpenWallet(b, password []byte) (w Wallet, err error) {
	raw, err := unseal(b, password)
	if err != nil {
		return w, err
	}
	v, err := cbor(raw)
	if err != nil {
		return w, err
	}
	body, err := fields(v, map[int64]string{1: "b", 2: "B", 3: "a", 4: "a", 5: "B", 6: "A", 7: "B"})
	if err != nil {
		return w, err
	}
	w.Seed, w.Operators = body[1].([]byte), map[string][]byte{}
	w.Ledger, _ = body[2].([]byte)
	w.Policy, _ = body[5].([]byte)
	for _, v := range body[3].([]any) {
		r, err := fields(v, map[int64]string{1: "b", 2: "s", 3: "i"})
		if err != nil {
			return w, fmt.Errorf("relay: %w", err)
		}
		w.Relays = append(w.Relays, r[1].([]byte))
	}
	for _, v := range body[4].([]any) {
		e, err := entry(v)
		if err != nil {
			return w, fmt.Errorf("entry: %w", err)
		}
		w.Entries = append(w.Entries, e)
	}
	operators, _ := body[6].([]any)
	for _, v := range operators {
		o, err := fields(v, map[int64]string{1: "s", 2: "b", 3: "b", 4: "i"})
		if err != nil {
			return w, fmt.Errorf("operator: %w", err)
		}
		w.Operators[o[1].(string)] = o[3].([]byte)
	}
	return w, nil
}

func entry(v any) (e Entry, err error) {
	f, err := fields(v, map[int64]string{1: "s", 2: "s", 3: "i", 4: "i", 5: "i", 6: "B", 7: "B", 8: "S", 9: "B", 10: "T",
		11: "B", 12: "B"})
	if err != nil {
		return e, err
	}
	e = Entry{ID: f[1].(string), Chain: f[2].(string), Network: f[3].(int64), Kind: f[4].(int64), Created: f[5].(int64)}
	for key, to := range map[int64]*[]byte{6: &e.Words, 7: &e.Passphrase, 9: &e.Key, 11: &e.Public, 12: &e.JSON} {
		*to, _ = f[key].([]byte)
	}
	e.XPub, _ = f[8].(string)
	e.Compressed, _ = f[10].(bool)
	return e, nil
}

// OperatorSeed decrypts the key of an operator.
func (w Wallet) OperatorSeed(name string, password []byte) ([]byte, error) {
	return unseal(w.Operators[name], password)
}

// Approval is what an operator's approval has.
type Approval struct{ Operator, Batch, Policy, Judgement, Round []byte }

// OpenApproval reads an operator's approval (*.kmsapproval).
func OpenApproval(b []byte) (a Approval, err error) {
	if len(b) != 224 || string(b[:8]) != "CKMSAPP\x03" {
		return a, errors.New("not an approval of version 3")
	}
	a = Approval{b[8:40], b[40:72], b[72:104], b[104:136], b[136:160]}
	if !ed25519.Verify(a.Operator, append([]byte("coldkms operator approval v3\n"), b[40:160]...), b[160:]) {
		return a, errors.New("its signature does not fit")
	}
	return a, nil
}

// Ledger reads a ledger and its mark under the seed of the wallet's identity
// and returns its lines; every one must have a code.
func Ledger(log, mark, seed []byte) (lines []map[string]any, err error) {
	key := mac(seed, []byte("coldkms ledger key v2\n"))
	before := strings.Repeat("0", 64)
	for raw := range strings.Lines(string(log)) {
		raw, ended := strings.CutSuffix(raw, "\n")
		if !ended || len(raw) < 131 || raw[64] != ' ' || raw[129] != ' ' {
			return nil, fmt.Errorf("line %d is no line", len(lines)+1)
		}
		sum := sha256.Sum256([]byte("coldkms ledger v2\n" + raw[130:]))
		code := mac(key, []byte("coldkms ledger line v2\n"), sum[:])
		if raw[:64] != hex.EncodeToString(sum[:]) || raw[65:129] != hex.EncodeToString(code) {
			return nil, fmt.Errorf("hash or code of line %d does not fit", len(lines)+1)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(raw[130:]), &line); err != nil {
			return nil, err
		}
		if line["prev"] != before || line["n"] != float64(len(lines)+1) {
			return nil, fmt.Errorf("line %d does not follow the one before", len(lines)+1)
		}
		before = raw[:64]
		lines = append(lines, line)
	}
	m, err := ReadMark(mark, seed)
	if err == nil && (m.Head != before || m.N != uint64(len(lines))) {
		err = errors.New("the mark names another line")
	}
	if err != nil {
		return nil, err
	}
	return lines, nil
}

// Mark is a mark of a ledger. Copy is of a backup.
type Mark struct {
	N         uint64
	Head, Mac string
	Copy      bool
}

// ReadMark reads a mark under the seed of the wallet's identity.
func ReadMark(mark, seed []byte) (m Mark, err error) {
	if err := json.Unmarshal(mark, &m); err != nil {
		return m, err
	}
	tag := "coldkms ledger mark v2\n"
	if m.Copy {
		tag = "coldkms ledger mark of a copy v2\n"
	}
	key := mac(seed, []byte("coldkms ledger key v2\n"))
	want := mac(key, []byte(tag), binary.BigEndian.AppendUint64(nil, m.N), []byte(m.Head))
	if m.Mac != hex.EncodeToString(want) {
		return m, errors.New("the mark's code does not fit")
	}
	return m, nil
}
