package main

import (
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/strength"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

// strongHint is how a password is made that withstands guessing.
const strongHint = "take five random words, or 14 random characters"

// checkStrength refuses a new password of a wallet with keys of mainnet that is
// easy to guess, unless a person insists, or --weak-password does. Whose it is
// names the password. For testnet it only warns.
func (a *app) checkStrength(whose string, password []byte, network chain.Network) error {
	bits := strength.Bits(password)
	if bits >= strength.Floor {
		return nil
	}
	fmt.Fprintf(a.Err, "WARNING: %s is easy to guess (about 2^%d guesses; 2^%d are the least for mainnet): %s\n",
		whose, bits, strength.Floor, strongHint)
	if network != chain.Mainnet || a.weakPassword {
		return nil
	}
	weak := cli.Fail(cli.Refused, fmt.Errorf("%s is too weak for keys of mainnet: nothing was changed", whose), strongHint+
		"; --weak-password takes it all the same")
	tty, err := openTerminal()
	if err != nil {
		return weak
	}
	defer tty.close()
	yes, err := tty.confirm("Whoever finds a copy of the wallet can try passwords for years. Take this one all the same?")
	if err != nil || yes {
		return err
	}
	return weak
}

// networkOf returns mainnet for a wallet that has a key of it.
func networkOf(w *wallet.Wallet) chain.Network {
	for _, e := range w.Entries() {
		if e.Network == chain.Mainnet {
			return chain.Mainnet
		}
	}
	return chain.Testnet
}
