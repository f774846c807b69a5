package main

import (
	"fmt"
	"strconv"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/shared/identity"
)

// checkLedger has a person name how far the ledger was when they noted it last,
// before anything that states no line of the ledger is signed under a policy that
// wants it. A relay states in its requests how far it has seen the ledger; a PSBT,
// and a request of a relay that has seen nothing, state none, so that old files
// put back together would not be noticed.
func (a *app) checkLedger(session *openSession, judged *offline.Judged, o signOptions) error {
	states := !judged.IsUnasked() && len(judged.Request.LedgerHead) > 0
	if states || !session.Policy.RequiresLedgerCheck() || session.lengthKnown {
		return nil
	}
	noted, err := a.notedLedger(o)
	if err != nil {
		return err
	}
	if err := session.isNoted(noted); err != nil {
		return cli.Fail(cli.Refused, err, "if old files were put back, put the newest wallet, ledger and mark in their place (docs/OPERATIONS.md)")
	}
	session.lengthKnown = true
	return nil
}

// leastWords is how many head words show that a ledger has the line of a number:
// 44 bits of its hash.
const leastWords = 4

// isNoted returns nil if a ledger has the line that somebody noted, by number
// and first head words, or by all head words. That holds whatever was added
// since, and nobody can pad an old ledger to it. A number alone proves nothing:
// an old ledger reaches it with any lines.
func (s *openSession) isNoted(noted string) error {
	words := strings.Fields(strings.ToLower(noted)) // as they are written down by hand
	if len(words) == 0 {
		return errNoWords
	}
	n, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return s.hasWords(words)
	}
	if words = words[1:]; len(words) < leastWords {
		return errNoWords
	}
	if typed := strings.Join(words, " "); !strings.HasPrefix(identity.Words(s.Ledger.HeadAt(n))+" ", typed+" ") {
		return fmt.Errorf("the ledger, of %d lines, had not these head words at line %d: nothing was signed", s.length, n)
	}
	return nil
}

var errNoWords = fmt.Errorf("a number of lines alone proves nothing: name it with at least the first %d head words, or all eight head words: nothing was signed", leastWords)

// hasWords returns nil if some line of the ledger has exactly these head words.
func (s *openSession) hasWords(words []string) error {
	typed := strings.Join(words, " ")
	if len(words) != len(strings.Fields(identity.Words(s.Ledger.HeadBytes()))) {
		return errNoWords
	}
	for head := range s.Ledger.Heads() {
		if identity.Words(head) == typed {
			return nil
		}
	}
	return fmt.Errorf("the ledger, of %d lines, had not these head words at any line: nothing was signed", s.length)
}

// notedLedger returns --noted, or asks.
func (a *app) notedLedger(o signOptions) (string, error) {
	if o.noted != "" {
		return strings.Join(strings.Fields(o.noted), " "), nil
	}
	tty, err := openTerminal()
	if err != nil {
		return "", cli.Fail(cli.Usage, err, `name what you noted last, such as: --noted "123 inmate wolf apple lens"`)
	}
	defer tty.close()
	answer, err := tty.line("The policy wants the ledger checked. How many lines did you note last, and with which\nhead words, at least the first four (such as 123 inmate wolf apple lens)? ")
	if err != nil {
		return "", cli.Fail(cli.Declined, err, "nothing was signed")
	}
	return strings.Join(strings.Fields(answer), " "), nil
}
