//go:build unix

package loop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/offline/wallet/tatumkms"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
)

// walletVectors derives every wallet of wallets.json: xpub, addresses, keys.
func walletVectors(t *testing.T, dir string, n *tally) {
	var file struct {
		Wallets []struct {
			Chain    string `json:"chain"`
			Testnet  bool   `json:"testnet"`
			Mnemonic string `json:"mnemonic"`
			XPub     string `json:"xpub"`
			Keys     []struct {
				Index      int64  `json:"index"`
				Address    string `json:"address"`
				PrivateKey string `json:"privateKey"`
			} `json:"keys"`
		} `json:"wallets"`
	}
	readJSON(t, filepath.Join(dir, "wallets.json"), &file)
	for i, w := range file.Wallets {
		if !isBuilt(w.Chain) {
			n.skipped++
			continue
		}
		err := func() error {
			c, network := chain.ID(w.Chain), chain.NetworkOf(w.Testnet)
			e, err := wallet.FromMnemonic("id", hdtest.Coin(chain.Coin{Chain: c, Network: network}), []byte(w.Mnemonic), nil, time.Now())
			if err != nil {
				return err
			}
			if e.XPub != w.XPub {
				return fmt.Errorf("xpub %s, want %s", e.XPub, w.XPub)
			}
			account, err := hd.AccountOf([]byte(w.Mnemonic), nil, hdtest.Coin(chain.Coin{Chain: c, Network: network}))
			if err != nil {
				return err
			}
			p, err := chainutxo.ParamsOf(chain.Coin{Chain: c, Network: network})
			if err != nil {
				return err
			}
			for _, k := range w.Keys {
				private, public, err := account.Key(k.Index)
				if err != nil {
					return err
				}
				wif, err := hd.EncodeWIF(private, true, hdtest.Coin(chain.Coin{Chain: c, Network: network}))
				if err != nil {
					return err
				}
				address, _ := p.KeyAddress(public)
				watched, err := hd.PublicKey(e.XPub, hdtest.Coin(chain.Coin{Chain: c, Network: network}), k.Index)
				if err != nil {
					return err
				}
				if string(wif) != k.PrivateKey || address != k.Address || string(watched) != string(public) {
					return fmt.Errorf("index %d: %s %s, want %s %s", k.Index, address, wif, k.Address, k.PrivateKey)
				}
			}
			return nil
		}()
		n.check(t, fmt.Sprintf("wallets.json %d (%s)", i, w.Chain), err)
	}
}

// walletFileVectors opens every wallet.dat with its password and compares each
// entry; one that is marked so must not be taken over.
func walletFileVectors(t *testing.T, dir string, n *tally) {
	paths, err := filepath.Glob(filepath.Join(dir, "walletdat", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		var v walletFile
		readJSON(t, path, &v)
		file, err := os.ReadFile(strings.TrimSuffix(path, "json") + "dat")
		if err != nil {
			t.Fatal(err)
		}
		n.check(t, "walletdat "+v.Name, v.open(file))
	}
}

type walletFile struct {
	Name       string
	Password   string
	ExpectFail bool
	Contents   map[string]struct {
		tatumEntry
		XPub string `json:"xpub"`
	}
}

func (v walletFile) open(file []byte) error {
	got, err := tatumkms.Open(hdtest.Coins, file, []byte(v.Password), time.Now())
	if v.ExpectFail {
		if err == nil && (len(got.Refused) == 0 || len(got.Entries) > 0) {
			return errors.New("was taken over and must not be")
		}
		return nil
	}
	if err != nil {
		return err
	}
	if len(got.Entries)+len(got.Refused) != len(v.Contents) {
		return fmt.Errorf("%d entries, want %d", len(got.Entries)+len(got.Refused), len(v.Contents))
	}
	for _, e := range got.Entries {
		want, ok := v.Contents[e.ID]
		if !ok || string(e.Chain) != want.Chain || (e.Network == chain.Testnet) != want.Testnet {
			return fmt.Errorf("entry %s is %s on %s", e.ID, e.Chain, e.Network)
		}
		switch e.Kind {
		case wallet.Mnemonic:
			if string(e.Words) != want.Mnemonic || (want.XPub != "xpub-unknown" && e.XPub != want.XPub) {
				return fmt.Errorf("entry %s has another mnemonic or xpub", e.ID)
			}
		case wallet.PrivateKey:
			wif, err := hd.EncodeWIF(e.Key, e.Compressed, hdtest.Coin(e.Coin))
			if err != nil || string(wif) != want.PrivateKey {
				return fmt.Errorf("entry %s has another key (%v)", e.ID, err)
			}
		}
	}
	for _, r := range got.Refused {
		if want, ok := v.Contents[r.ID]; !ok || want.XPub != "xpub-unknown" {
			return fmt.Errorf("entry %s was refused: %s", r.ID, r.Text)
		}
	}
	return nil
}
