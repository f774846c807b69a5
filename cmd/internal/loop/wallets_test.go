package loop

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/wallet"
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
			e, err := wallet.FromMnemonic("id", c, network, []byte(w.Mnemonic), nil, time.Now())
			if err != nil {
				return err
			}
			if e.XPub != w.XPub {
				return fmt.Errorf("xpub %s, want %s", e.XPub, w.XPub)
			}
			account, err := hd.AccountOf([]byte(w.Mnemonic), nil, c, network)
			if err != nil {
				return err
			}
			p, err := chainutxo.ParamsOf(c, network)
			if err != nil {
				return err
			}
			for _, k := range w.Keys {
				private, public, err := account.Key(k.Index)
				if err != nil {
					return err
				}
				wif, err := hd.EncodeWIF(private, true, c, network)
				if err != nil {
					return err
				}
				address, _ := p.KeyAddress(public)
				watched, err := hd.PublicKey(e.XPub, c, network, k.Index)
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

func walletFileVectors(t *testing.T, dir string, n *tally) {}
