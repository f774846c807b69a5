//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
)

// inputs is the folder of the files themselves.
const inputs = "in"

// Case is one input and how it must be met.
type Case struct {
	Name    string     `json:"name"`
	Path    string     `json:"path"`              // of the input; relative to the corpus, or absolute
	Command []string   `json:"command,omitempty"` // what reads it; none: review, then sign
	Flags   []string   `json:"flags,omitempty"`   // of review and sign
	Exit    int        `json:"exit"`              // of review, or of Command
	Sign    int        `json:"sign,omitempty"`    // exit of sign, without a terminal to ask on; none: follows from the others
	Code    chain.Code `json:"code,omitempty"`    // an item has this code
	Flagged bool       `json:"flagged,omitempty"` // Code is a finding: a person decides
	Says    string     `json:"says,omitempty"`    // on stderr, where no item is judged
	Sound   bool       `json:"sound,omitempty"`   // not hostile: it must be signed, or the rest proves nothing
}

// corpus collects the cases while they are written.
type corpus struct {
	dir    string
	target *target
	cases  []Case
	salt   uint32
}

// add writes a file and expects what e says. Names are unique.
func (c *corpus) add(name string, file []byte, e Case) {
	e.Name, e.Path = name, filepath.Join(inputs, fmt.Sprintf("%03d-%s", len(c.cases), plain(name)))
	check(os.WriteFile(filepath.Join(c.dir, e.Path), file, 0o600))
	c.put(e)
}

// plain makes a file name of a case's name.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name)
}

// put takes in a case whose input is there.
func (c *corpus) put(e Case) {
	for _, other := range c.cases {
		if other.Name == e.Name {
			panic("two cases are called " + e.Name)
		}
	}
	c.cases = append(c.cases, e)
}

// refused, flagged, partly and invalid say how an input must be met.
func refused(code chain.Code) Case { return Case{Exit: cli.Refused, Code: code} }
func flagged(code chain.Code) Case { return Case{Exit: cli.Done, Code: code, Flagged: true} }
func invalid(says string) Case     { return Case{Exit: cli.BadBundle, Says: says} }
func failed(says string) Case      { return Case{Exit: cli.Failed, Says: says} }

// quoted is a path as the index has it: as Go writes it in ASCII, without the
// quotes. Names that are no text would not survive JSON.
func quoted(path string) string {
	q := strconv.QuoteToASCII(path)
	return q[1 : len(q)-1]
}

// in returns the path of the input.
func (e Case) in(dir string) (string, error) {
	path, err := strconv.Unquote(`"` + e.Path + `"`)
	if err != nil || filepath.IsAbs(path) {
		return path, err
	}
	return filepath.Join(dir, path), nil
}

// next returns a number that no other payment has.
func (c *corpus) next() uint32 {
	c.salt++
	return c.salt
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](v T, err error) T {
	check(err)
	return v
}
