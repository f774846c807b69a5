package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

// check is one line of the self-test.
type check struct {
	Name   string `json:"check"`
	OK     bool   `json:"ok"`
	Warn   bool   `json:"warning,omitempty"` // does not hold, and is not ours to mend
	Detail string `json:"detail,omitempty"`
}

func (a *app) selftest() *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "check the air gap and the cryptography on this machine",
		Long: `selftest prints a line a check: what the kernel refuses to this program, whether
the randomness looks alive, and known answers of the cryptography.

Exit status: 0 all hold, 1 one does not.`,
		Example: "  kms-offline selftest",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			checks := append(a.gapChecks(), a.cryptoChecks()...)
			failed := 0
			for _, c := range checks {
				if !c.OK && !c.Warn {
					failed++
				}
			}
			if err := a.showChecks(checks); err != nil {
				return err
			}
			if failed > 0 {
				return cli.Fail(cli.Failed, fmt.Errorf("%d of %d checks failed", failed, len(checks)), "do not sign on this machine")
			}
			return nil
		},
	}
}

func (a *app) showChecks(checks []check) error {
	if a.json {
		return a.JSON(checks)
	}
	for _, c := range checks {
		word := "ok    "
		switch {
		case c.Warn:
			word = "WARN  "
		case !c.OK:
			word = "FAILED"
		}
		if _, err := fmt.Fprintf(a.Out, "%s  %s  %s\n", word, c.Name, cli.Printable(c.Detail)); err != nil {
			return err
		}
	}
	return nil
}

// cryptoChecks are known answers from published vectors.
func (a *app) cryptoChecks() []check {
	return []check{
		result("passwords are stretched at full cost", checkCost()),
		result("randomness is alive", a.checkRandomness()),
		result("BIP 39 words, BIP 32 keys and BTC address", checkDerivation()),
		result("ECDSA is deterministic (RFC 6979) and verifies", checkECDSA()),
	}
}

func result(name string, err error) check {
	if err != nil {
		return check{Name: name, Detail: err.Error()}
	}
	return check{Name: name, OK: true}
}

// checkCost finds a program that was built for tests.
func checkCost() error {
	if wallet.CheapKDF {
		return errors.New("built with coldkms_cheap_kdf, for tests: its wallets protect nothing")
	}
	return nil
}

func (a *app) checkRandomness() error {
	b := make([]byte, 4096)
	defer clear(b)
	_, err := a.random.Read(b)
	return err
}

var errKnownAnswer = errors.New("not the published answer")

// checkDerivation derives the wallet that Tatum KMS publishes in its README.
func checkDerivation() error {
	words, err := hd.MnemonicOf(make([]byte, 16))
	if err != nil {
		return err
	}
	if string(words) != "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about" {
		return errKnownAnswer
	}
	coin, err := families().Derivation(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})
	if err != nil {
		return err
	}
	account, err := hd.AccountOf(words, nil, coin)
	if err != nil {
		return err
	}
	defer account.Wipe()
	_, public, err := account.Key(0)
	if err != nil {
		return err
	}
	// m/44'/0'/0'/0/0 of the all-zero entropy, as every BIP 44 wallet derives it
	if hex.EncodeToString(public) != "03aaeb52dd7494c361049de67cc680e83ebcbbbdbeb13637d92cd845f70308af5e" {
		return errKnownAnswer
	}
	return nil
}

// checkECDSA signs the message "Satoshi Nakamoto" with key 1, a vector that
// every implementation of RFC 6979 for secp256k1 shares.
func checkECDSA() error {
	one := append(make([]byte, 31), 1)
	key, public := btcec.PrivKeyFromBytes(one)
	digest, err := hex.DecodeString("a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e")
	if err != nil {
		return err
	}
	want, err := hex.DecodeString("3045022100934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d802202442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5")
	if err != nil {
		return err
	}
	sig := ecdsa.Sign(key, digest)
	if !bytes.Equal(sig.Serialize(), want) || !sig.Verify(digest, public) {
		return errKnownAnswer
	}
	return nil
}

// gapChecks lists what the kernel refuses to this process.
func (a *app) gapChecks() []check {
	checks := make([]check, len(a.guard.Checks))
	for i, c := range a.guard.Checks {
		checks[i] = check{Name: c.Name, OK: c.InForce, Warn: c.Warning, Detail: c.Detail}
	}
	return append(checks, a.checkPages(), a.checkOnline())
}

// checkPages locks a page as a wallet's secrets are.
func (a *app) checkPages() check {
	a.pages.Keep([]byte("a secret"))
	c := check{Name: "secrets in locked pages"}
	locked, unlocked := a.pages.Bytes()
	switch {
	case unlocked > 0:
		c.Warn, c.Detail = true, fmt.Sprintf("%d bytes could not be locked: raise ulimit -l, or turn swap off", unlocked)
	default:
		c.OK, c.Detail = true, fmt.Sprintf("mlock: %d bytes", locked)
	}
	return c
}

// checkOnline reports whether the machine has a network. That is no failure of
// this program: it has no way to use one.
func (a *app) checkOnline() check {
	c := check{Name: "no network interface is up"}
	if a.online == nil {
		return c
	}
	up, known := a.online()
	switch {
	case !known:
		c.Warn, c.Detail = true, "cannot be seen on this system"
	case len(up) > 0:
		c.Warn, c.Detail = true, strings.Join(up, ", ")+": take the machine off every network"
	default:
		c.OK = true
	}
	return c
}
