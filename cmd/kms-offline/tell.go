package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
)

// person returns where a person reads what was done: the terminal that stdout
// is, or that stderr is; nil where there is none, or JSON was asked for.
func (a *app) person() io.Writer {
	if a.json {
		return nil
	}
	for _, w := range []io.Writer{a.Out, a.Err} {
		if f, ok := onTerminal(w); ok {
			return f
		}
	}
	return nil
}

// inWords tells a person in words what was done, and programs as data: on a
// terminal of their own nobody reads a thousand lines of JSON.
func inWords[T any](a *app, values []T, asked int, words func(T) string) error {
	if to := a.person(); to != nil {
		for _, v := range values {
			if _, err := io.WriteString(to, cli.Printable(words(v))); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
	}
	if _, ok := onTerminal(a.Out); ok && !a.json {
		return nil
	}
	return printOneOrAll(a.Streams, values, asked)
}

func (a *app) tellSigned(replies []signReply, asked int) error {
	return inWords(a, replies, asked, signReply.words)
}

// sumsOf says how much what was signed pays, in lines.
func sumsOf(f finished) string {
	var b strings.Builder
	signed := func(i int) bool { return f.done.Outcomes[i].Err == nil }
	for _, line := range f.judged.Batch.SumLines(signed) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if again := f.judged.Batch.Again(signed); again > 0 {
		fmt.Fprintf(&b, "  of these, %s nothing new\n",
			counted(again, "item was signed before and pays", "items were signed before and pay"))
	}
	return b.String()
}

// words say what was signed, how much that pays, what was not and why, and
// where the result is.
func (r signReply) words() string {
	var b strings.Builder
	all := len(r.Signed) + len(r.Refused)
	fmt.Fprintf(&b, "signed %d of %s\n%s", len(r.Signed), counted(all, "transaction", "transactions"), r.sums)
	if codes := r.refusals(); codes != "" {
		fmt.Fprintf(&b, "not signed: %s\n", codes)
	}
	if r.Result != "" { // of a PSBT that is refused nothing is written
		fmt.Fprintf(&b, "result: %s\n", r.Result)
	}
	fmt.Fprintf(&b, "ledger: %d lines, head words: %s\n", r.Ledger.Lines, r.Ledger.Words)
	return b.String()
}

// refusals counts by code what was not signed, the most frequent first.
func (r signReply) refusals() string {
	n := make(map[chain.Code]int)
	for _, refused := range r.Refused {
		n[refused.Code]++
	}
	codes := slices.SortedFunc(maps.Keys(n), func(x, y chain.Code) int {
		if n[x] != n[y] {
			return n[y] - n[x]
		}
		return strings.Compare(string(x), string(y))
	})
	var words []string
	for _, code := range codes {
		words = append(words, fmt.Sprintf("%s %d", code, n[code]))
	}
	return strings.Join(words, ", ")
}

func (a *app) tellApproved(replies []approveReply, asked int) error {
	return inWords(a, replies, asked, approveReply.words)
}

// words say who has approved, of how many.
func (r approveReply) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "approved by %s", r.Operator)
	switch {
	case r.Elsewhere:
		b.WriteString(", in a round that counts on another machine only\n")
	case r.Needed == 0:
		b.WriteString("; this batch needs no operators\n")
	default:
		fmt.Fprintf(&b, ": %d of %d so far (%s)\n", len(r.Approved), r.Needed, strings.Join(r.Approved, ", "))
	}
	fmt.Fprintf(&b, "batch digest: %s\nround: %s\n", r.Digest, r.Round)
	if r.Approval != nil {
		fmt.Fprintf(&b, "approval: %s\n", *r.Approval)
	}
	return b.String()
}
