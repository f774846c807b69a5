package file

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tyler-smith/go-bip39/wordlists"
)

// ErrName is returned for a name that not every stick and system can store.
var ErrName = errors.New("not a name that every stick can store")

// Name is what a file on a stick is called, so that two people can tell files
// apart aloud: when, of which network, how much, and two words that differ
// where the content does.
type Name struct {
	Created int64    // Unix seconds
	Network string   // such as testnet; "" for both
	Items   int      // how many transactions
	Digest  [32]byte // of the content
	Ending  string   // such as .kmsreq
}

// String returns coldkms-20261123-101500-testnet-3items-amber-otter-1a2b3c4d.kmsreq.
func (n Name) String() string {
	parts := []string{"coldkms", time.Unix(n.Created, 0).UTC().Format("20060102-150405")}
	if n.Network != "" {
		parts = append(parts, n.Network)
	}
	items := "1item"
	if n.Items != 1 {
		items = fmt.Sprintf("%ditems", n.Items)
	}
	return strings.Join(append(parts, items, Words(n.Digest), fmt.Sprintf("%x", n.Digest[:4])), "-") + n.Ending
}

// Words are 22 bits of a digest as two words of the BIP 39 English list, after
// the four bytes that a name has in hex.
func Words(digest [32]byte) string {
	bits := uint32(digest[4])<<16 | uint32(digest[5])<<8 | uint32(digest[6])
	return wordlists.English[bits>>13&0x7ff] + "-" + wordlists.English[bits>>2&0x7ff]
}

// maxName is what FAT and ext4 both store, with room for what is put in front
// and behind while a file is written or set aside.
const maxName = 200

// reserved are devices of Windows, with any ending.
const reserved = " con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9 "

// CheckName reports whether FAT, exFAT, NTFS, ext4 and APFS all store a name as
// it is (ECMA-107 and Microsoft's "Naming Files, Paths, and Namespaces").
func CheckName(name string) error {
	stem, _, _ := strings.Cut(name, ".")
	switch {
	case name == "", name == ".", name == "..", len(name) > maxName, !utf8.ValidString(name):
		return fmt.Errorf("%w: %.60q is empty, too long, or not UTF-8", ErrName, name)
	case strings.ContainsAny(name, `<>:"/\|?*`), strings.ContainsFunc(name,
		func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return fmt.Errorf("%w: %.60q has one of <>:\"/\\|?* or a control character", ErrName, name)
	case strings.HasSuffix(name, "."), strings.HasSuffix(name, " "), strings.HasPrefix(name, " "):
		return fmt.Errorf("%w: %.60q begins or ends with a space, or ends with a point", ErrName, name)
	case strings.Contains(reserved, " "+strings.ToLower(strings.TrimSpace(stem))+" "):
		return fmt.Errorf("%w: %.60q is a device of Windows", ErrName, name)
	}
	return nil
}
