package review

import "fmt"

// Basis is by what a batch was judged: the policy in force, and how far the
// ledger was. A person who noted both after the last session sees by them
// whether old files were put back.
type Basis struct {
	Policy PolicyName `json:"policy"`
	Ledger LedgerName `json:"ledger"` // with the line of this review, once it is recorded
	Round  string     `json:"round"`  // nonce that approvals name, in hex; "" before the review is recorded
}

// PolicyName is a policy as a person knows it.
type PolicyName struct {
	Name  string `json:"name"`
	Hash  string `json:"hash"`  // hex; "" for the built-in one
	Since string `json:"since"` // when it was set, by the machine's clock; "" for the built-in one
	Line  uint64 `json:"line"`  // of the ledger, that set it
}

// String names a policy in one line, without its hash.
func (p PolicyName) String() string {
	switch {
	case p.Hash == "":
		return "the built-in one: none was ever set"
	case p.Name == "":
		return fmt.Sprintf("without a name, since %s (line %d)", p.Since, p.Line)
	}
	return fmt.Sprintf("%s, since %s (line %d)", p.Name, p.Since, p.Line)
}

// LedgerName is how far a ledger is.
type LedgerName struct {
	Lines uint64 `json:"lines"`
	Head  string `json:"head"`  // hash of the last line, in hex
	Words string `json:"words"` // the first 88 bits of it
}

func (b Basis) text(p *printer) {
	p.line("policy             %s", b.Policy)
	p.line("ledger             %s, head words:", many(int(b.Ledger.Lines), "line", "lines"))
	p.line("                   %s", b.Ledger.Words)
}
