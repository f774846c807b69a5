//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
	"coldkms/shared/psbt/psbttest"
)

// What the wallet is called and protected with.
const (
	walletName = "wallet.kms"
	password   = "hostile corpus"
	words      = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
)

// target is the wallet that the corpus is aimed at: a private key and a
// mnemonic of each coin on testnet, a private key of BTC on mainnet, entries
// that share a secret, and an entry of a chain that is not signed for.
type target struct {
	relay  identity.Private
	signer identity.Public
	book   *ledger.Ledger
}

func coins() []chain.ID { return []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH} }

// signatureID returns the id of entry n.
func signatureID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// single and mnemonic name the entries of a coin.
func single(id chain.ID) string   { return signatureID(10 + at(id)) }
func mnemonic(id chain.ID) string { return signatureID(20 + at(id)) }

const (
	onMainnet  = 30
	ofEthereum = 40
)

func at(id chain.ID) int {
	for i, c := range coins() {
		if c == id {
			return i
		}
	}
	panic("no coin " + string(id))
}

// secretOf is the private key of the entry of a coin.
func secretOf(id chain.ID) []byte { return bytes.Repeat([]byte{byte(0x31 + at(id))}, 32) }

func mainnetSecret() []byte { return bytes.Repeat([]byte{0x51}, 32) }

func publicOf(secret []byte) *btcec.PublicKey {
	_, public := btcec.PrivKeyFromBytes(secret)
	return public
}

// ownScripts are the ways to pay to the private key of a coin: P2PKH, P2WPKH,
// P2SH-P2WPKH, P2PK, P2TR.
func ownScripts(id chain.ID) [][]byte { return psbttest.Scripts(publicOf(secretOf(id))) }

// stranger is the P2PKH script of somebody else.
func stranger(n byte) []byte { return psbttest.Scripts(publicOf(bytes.Repeat([]byte{n}, 32)))[0] }

func keyOf(n byte) identity.Private {
	return must(identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize)))
}

// stopped is the clock of the corpus.
func stopped() time.Time { return time.Unix(1_790_000_000, 0) }

// ahead is the clock of the ledger: later than that of any machine, to which
// nothing then seems to have jumped.
func ahead() time.Time { return time.Unix(4_000_000_000, 0) }

// newTarget writes wallet, ledger and password file.
func newTarget(dir string) *target {
	t := &target{relay: keyOf(1)}
	path := filepath.Join(dir, walletName)
	store := wallet.Store{FS: durable.OS{}, Coins: hdtest.Coins, Rand: rand.NewChaCha8([32]byte{7}),
		Cost: wallet.Cost{Memory: 64, Passes: 1, Lanes: 1}}
	w := must(store.New(path, []byte(password)))
	defer w.Close()
	t.signer = must(w.Identity()).Public()
	for _, id := range coins() {
		check(w.Add(
			must(wallet.FromKey(single(id), hdtest.Coin(chain.Coin{Chain: id, Network: chain.Testnet}), secretOf(id), true,
				stopped())),
			must(wallet.FromMnemonic(mnemonic(id), hdtest.Coin(chain.Coin{Chain: id, Network: chain.Testnet}), []byte(words),
				nil, stopped())),
		))
	}
	check(w.Add(
		must(wallet.FromKey(signatureID(onMainnet), hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}),
			mainnetSecret(), true, stopped())),
		must(wallet.FromKey(signatureID(mainnetInDOGE), hdtest.Coin(chain.Coin{Chain: chain.DOGE, Network: chain.Testnet}),
			mainnetSecret(), true, stopped())),
		must(wallet.FromKey(signatureID(mainnetInLTC), hdtest.Coin(chain.Coin{Chain: chain.LTC, Network: chain.Testnet}),
			mainnetSecret(), true, stopped())),
		must(wallet.FromKey(signatureID(mainnetInBCH), hdtest.Coin(chain.Coin{Chain: chain.BCH, Network: chain.Testnet}),
			mainnetSecret(), true, stopped())),
		must(wallet.FromKey(signatureID(twinInLTC), hdtest.Coin(chain.Coin{Chain: chain.LTC, Network: chain.Mainnet}),
			twinSecret(), true, stopped())),
		must(wallet.FromKey(signatureID(twinInDOGE), hdtest.Coin(chain.Coin{Chain: chain.DOGE, Network: chain.Mainnet}),
			twinSecret(), true, stopped())),
		must(wallet.FromMnemonic(signatureID(wordsOnMain),
			hdtest.Coin(chain.Coin{Chain: chain.BCH, Network: chain.Mainnet}), []byte(sharedWords), nil, stopped())),
		must(wallet.FromMnemonic(signatureID(wordsOnTest),
			hdtest.Coin(chain.Coin{Chain: chain.BCH, Network: chain.Testnet}), []byte(sharedWords), nil, stopped())),
		must(wallet.FromForeign(signatureID(ofEthereum), chain.Coin{Chain: "ETH", Network: chain.Testnet},
			[]byte(`{"mnemonic":"x"}`), stopped())),
	))
	check(w.Pair(wallet.Relay{Key: t.relay.Public(), Added: stopped().Unix()}))
	t.book = must(ledger.Create(ledger.NewFiles(durable.OS{}, path+".ledger"), ledger.OwnerOf(must(w.Identity())), ahead))
	check(t.book.Append(ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActPair, Relay: t.relay.Public().Fingerprint()}))
	check(w.SetLedger([]byte(t.book.Root())))
	check(w.Save())
	check(os.WriteFile(filepath.Join(dir, "pw"), []byte(password+"\n"), 0o600))
	return t
}

// params are a coin's constants on testnet.
func params(id chain.ID) utxo.Params {
	return must(utxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet}))
}
