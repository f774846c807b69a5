//go:build unix

package main

import (
	"encoding/json"
	"fmt"
)

// withdraw goes beyond the guide: a withdrawal from a virtual account, whose
// coins lie on addresses of the wallet's xpub.
func (d *demo) withdraw() error {
	d.title("And a withdrawal: Tatum chooses among the addresses of the xpub, the mnemonic signs")
	var reply struct{ Address string }
	if err := d.offline(&reply, "--path wallet.kms --testnet getaddress "+d.mnemonicID+" 1", unlock()); err != nil {
		return err
	}
	if err := d.sandbox(nil, "faucet "+d.coin.chain()+reply.Address+" "+d.coin.fund); err != nil {
		return err
	}
	body := fmt.Sprintf(`{
  "senderAccountId": "5fbaca3001421166273b3779", "address": %q, "amount": %q, "fee": %q,
  "signatureId": %q, "indices": [1],
  "xpub": %q
}`, d.coin.elsewhere, d.coin.pays, d.coin.fee, d.mnemonicID, d.xpub)
	answer, err := d.curl("POST", "/v3/offchain/"+d.coin.path+"/transfer", body)
	if err != nil {
		return err
	}
	var pending struct{ SignatureID string }
	if err := json.Unmarshal(answer, &pending); err != nil {
		return err
	}
	d.pendingID = pending.SignatureID
	d.say("Its change goes to the key that the wallet has as an entry of its own, too: that is to be looked at.")
	d.looked = true
	if err := d.across(); err != nil {
		return err
	}
	return d.completed()
}
