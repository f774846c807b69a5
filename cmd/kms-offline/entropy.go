package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
)

// recipe is what new words are made of, and what of them is shown.
type recipe struct {
	words                  int
	dice, passphrase, show bool
}

// asks reports whether a terminal is needed.
func (r recipe) asks() bool { return r.dice || r.passphrase || r.show }

// terminal opens the terminal if the recipe needs one. It may be nil.
func (r recipe) terminal() (*terminal, error) {
	if !r.asks() {
		return nil, nil
	}
	tty, err := openTerminal()
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "--dice, --passphrase and --show-mnemonic ask and show on a terminal only")
	}
	return tty, nil
}

// newWords are words, their passphrase, and the dice they were made of.
type newWords struct {
	mnemonic, passphrase []byte
	mixed                hd.Mixed // nothing without dice
}

func (n newWords) wipe() {
	clear(n.mnemonic)
	clear(n.passphrase)
	n.mixed.Wipe()
}

// makeWords makes words by a recipe. All that is asked is asked here, before
// a wallet is opened.
func (a *app) makeWords(tty *terminal, r recipe) (n newWords, err error) {
	if r.dice {
		if n.mixed, err = a.throwDice(tty, r.words); err == nil {
			n.mnemonic, err = hd.MnemonicOf(n.mixed.Entropy)
		}
	} else {
		n.mnemonic, err = hd.NewMnemonic(a.random, r.words)
	}
	if err == nil && r.passphrase {
		n.passphrase, err = askPassphrase(tty)
	}
	if err != nil {
		n.wipe()
		return newWords{}, keyError(err)
	}
	return n, nil
}

// throwDice asks for throws and mixes them with the system's randomness.
func (a *app) throwDice(tty *terminal, words int) (hd.Mixed, error) {
	need, err := hd.Throws(words)
	if err != nil {
		return hd.Mixed{}, err
	}
	system, err := hd.DrawSystem(a.random)
	if err != nil {
		return hd.Mixed{}, err
	}
	tty.print(fmt.Sprintf(`
Throw a die with six faces %d times, or more often, and type the digits 1 to 6
in the order of the throws, with spaces or without, a line at a time.
The system's part is drawn already, so it cannot depend on your dice. Its SHA-256:
  %x
`, need, sha256.Sum256(system)))
	throws, err := askThrows(tty, need)
	if err != nil {
		clear(system)
		return hd.Mixed{}, err
	}
	mixed, err := hd.Mix(system, throws, words)
	if err == nil {
		err = agreeToDoubts(tty, throws)
	}
	if err != nil {
		clear(system)
		clear(throws)
		mixed.Wipe()
		return hd.Mixed{}, err
	}
	return mixed, nil
}

// askThrows asks line by line until there are enough. A line with another
// character is not taken at all.
func askThrows(tty *terminal, need int) ([]byte, error) {
	throws := make([]byte, 0, hd.MaxThrows+maxAnswer)
	for len(throws) < need {
		typed, err := tty.typed(fmt.Sprintf("%d of %d throws: ", len(throws), need))
		if err != nil {
			clear(throws)
			return nil, err
		}
		more, err := hd.ParseDice(typed)
		clear(typed)
		if err != nil {
			tty.print(fmt.Sprintf("%v: this line is not taken, type it again\n", err))
			continue
		}
		throws = append(throws, more...)
		clear(more)
	}
	return throws, nil
}

// agreeToDoubts shows what looks wrong about the throws and asks.
func agreeToDoubts(tty *terminal, throws []byte) error {
	doubts := hd.Doubts(throws)
	if len(doubts) == 0 {
		return nil
	}
	tty.print("These do not look like throws of a fair die: " + strings.Join(doubts, "; ") + ".\n")
	yes, err := tty.confirm("The system's randomness is mixed in all the same. Use them?")
	if err != nil {
		return err
	}
	if !yes {
		return cli.Fail(cli.Declined, errors.New("declined: the throws were not used"), "nothing was stored: throw again")
	}
	return nil
}

// transcript is what the operator can compute the words again from, elsewhere.
func transcript(m hd.Mixed) string {
	return fmt.Sprintf(`
TRANSCRIPT, AS SECRET AS THE WORDS: who has it has the coins. It is for one check
on another machine without a network (docs/ENTROPY.md); then burn it.

  system   %x
  dice     %s
  entropy  %x
  = %s

`, m.System, m.Dice, m.Entropy, m.Recipe())
}

// askPassphrase asks for a BIP 39 passphrase twice. Nothing typed is none.
func askPassphrase(tty *terminal) ([]byte, error) {
	typed, err := tty.secretTwice("Enter the BIP 39 passphrase (nothing for none):", "Repeat the passphrase:", "passphrases")
	if err != nil {
		return nil, err
	}
	defer clear(typed)
	passphrase, err := hd.Passphrase(typed)
	return passphrase, cli.Fail(cli.Failed, err, "nothing was stored")
}

// keyError adds an exit code and a hint to errors of making keys.
func keyError(err error) error {
	switch {
	case errors.Is(err, hd.ErrWordCount):
		return cli.Fail(cli.Usage, err, "")
	case errors.Is(err, hd.ErrDice):
		return cli.Fail(cli.Failed, err, "nothing was stored: throw again")
	case errors.Is(err, hd.ErrEntropy):
		return cli.Fail(cli.Failed, err, "nothing was stored: make no keys on this machine; see kms-offline selftest")
	}
	return err
}
