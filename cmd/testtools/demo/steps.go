//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"coldkms/cmd/testtools/expect"
	"coldkms/cmd/testtools/fakecamera"
)

const password = "a long demo password"

func typed(prompt, reply string) expect.Answer { return expect.Answer{Prompt: prompt, Reply: reply} }

// agree answers the question at the end of a review: a plain yes, or the number of
// transactions where something is to be looked at.
func (d *demo) agree() expect.Answer {
	if d.looked {
		return typed(`type "sign 1"`, "sign 1")
	}
	return typed("Sign 1 transaction? [y/N]", "yes")
}

func unlock() expect.Answer { return typed("access wallet storage:", password) }

func (d *demo) wallet() error {
	d.title("Step 1: generate a " + d.coin.id + " wallet (offline machine)")
	var reply struct{ SignatureID, XPub string }
	err := d.offline(&reply, "--path wallet.kms --testnet generatemanagedwallet "+d.coin.id,
		typed("new password", password), typed("Repeat", password))
	d.mnemonicID, d.xpub = reply.SignatureID, reply.XPub
	return err
}

func (d *demo) privateKey() error {
	d.title("Step 2: generate a private key, index 0")
	var reply struct{ PrivateKey string }
	err := d.offline(&reply, "--path wallet.kms --testnet getprivatekey "+d.mnemonicID+" 0", unlock(),
		typed("Go on?", "yes"))
	d.key = reply.PrivateKey
	return err
}

func (d *demo) address() error {
	d.title("Step 3: generate its blockchain address")
	var reply struct{ Address string }
	err := d.offline(&reply, "--path wallet.kms --testnet getaddress "+d.mnemonicID+" 0", unlock())
	d.from = reply.Address
	return err
}

func (d *demo) store() error {
	d.title("Step 4: store the private key, under a signature id of its own")
	var reply struct{ SignatureID string }
	err := d.offline(&reply, "--path wallet.kms --testnet storemanagedprivatekey "+d.coin.id,
		typed("private key to store:", d.key), unlock())
	d.keyID = reply.SignatureID
	if err != nil {
		return err
	}
	return d.offline(nil, "--path wallet.kms --testnet export", unlock(), typed("Go on?", "yes"))
}

func (d *demo) pair() error {
	d.title("Step 5: instead of a daemon that signs blindly: pair the two machines, once")
	d.say("Public halves go over; a person compares the words on both screens.")
	if err := d.offline(nil, "--path wallet.kms watch --out signer.kmswatch", unlock()); err != nil {
		return err
	}
	var id struct{ Identity string }
	if err := d.online(&id, "--state relay --testnet init"); err != nil {
		return err
	}
	return errors.Join(d.takeWatch(), d.takeIdentity(id.Identity))
}

func (d *demo) takeWatch() error {
	if !d.byQR {
		if err := d.copy(filepath.Join(d.dir, "offline", "signer.kmswatch"), "usb/signer.kmswatch"); err != nil {
			return err
		}
		return d.online(nil, "--state relay --testnet pair ../usb/signer.kmswatch")
	}
	if err := d.offline(nil, "show signer.kmswatch --qr-out ../screen/watch"); err != nil {
		return err
	}
	if err := d.shoot("watch"); err != nil {
		return err
	}
	return d.online(nil, "--state relay --testnet pair --qr ../camera/watch")
}

func (d *demo) takeIdentity(path string) error {
	same := typed("same words?", "yes")
	if !d.byQR {
		if err := d.copy(path, "usb/relay.kmsid"); err != nil {
			return err
		}
		return d.offline(nil, "--path wallet.kms pair ../usb/relay.kmsid", unlock(), same)
	}
	if err := d.online(nil, "--state relay show "+path+" --qr-out ../screen/identity"); err != nil {
		return err
	}
	if err := d.shoot("identity"); err != nil {
		return err
	}
	return d.offline(nil, "--path wallet.kms pair --qr ../camera/identity", unlock(), same)
}

// shoot is the camera of one machine in front of the screen of the other.
func (d *demo) shoot(what string) error {
	l := fakecamera.Lens{Model: "std", Width: 1280, Height: 720, Loss: .1, Seed: uint64(time.Now().UnixNano())}
	shown, taken, err := l.Shoot(filepath.Join(d.dir, "screen", what), filepath.Join(d.dir, "camera", what))
	if err == nil {
		d.say(fmt.Sprintf("A camera in front of that screen: %d symbols shown, %d pictures taken, crooked, blurred and noisy.", shown, taken))
	}
	return err
}

func (d *demo) fund() error {
	d.title("Step 6: send test " + d.coin.id + " to the address")
	var reply struct{ TxID string }
	err := d.sandbox(&reply, "faucet "+d.coin.chain()+d.from+" "+d.coin.fund)
	d.funding = reply.TxID
	return err
}

func (d *demo) pay() error {
	d.title("Step 7: your backend initiates a transaction; it stays pending until it is signed")
	from := fmt.Sprintf(`"fromAddress": [{"address": %q, "signatureId": %q}]`, d.from, d.keyID)
	if d.coin.byOutput {
		from = fmt.Sprintf(`"fromUTXO": [{"txHash": %q, "index": 0, "signatureId": %q}]`, d.funding, d.keyID)
	}
	body := fmt.Sprintf(`{
  %s,
  "to": [{"address": %q, "value": %s}, {"address": %q, "value": %s}]
}`, from, d.coin.elsewhere, d.coin.pays, d.from, d.coin.back)
	reply, err := d.curl("POST", "/v3/"+d.coin.path+"/transaction", body)
	if err != nil {
		return err
	}
	var pending struct{ SignatureID string }
	if err := json.Unmarshal(reply, &pending); err != nil {
		return err
	}
	d.pendingID = pending.SignatureID
	return nil
}

func (d *demo) across() error {
	d.say("Online: fetch it, prove what it spends, and hand the request over.")
	if err := d.online(nil, "--state relay --testnet fetch"); err != nil {
		return err
	}
	cross := d.byStick
	if d.byQR {
		cross = d.byScreen
	}
	if err := cross(); err != nil {
		return err
	}
	var sent struct{ Broadcast []struct{ TxID string } }
	if err := d.online(&sent, "--state relay --testnet broadcast"); err != nil {
		return err
	}
	if len(sent.Broadcast) != 1 {
		return fmt.Errorf("%d transactions were broadcast, want 1", len(sent.Broadcast))
	}
	d.txID = sent.Broadcast[0].TxID
	d.say("A block is mined.")
	if err := d.sandbox(nil, "mine "+d.coin.chain()+"1"); err != nil {
		return err
	}
	return d.online(nil, "--state relay --testnet status")
}

const offlineSays = "Offline: the signer proves and shows what it would sign, and asks."

// byStick carries request and result as files.
func (d *demo) byStick() error {
	var exported struct{ Request string }
	if err := d.online(&exported, "--state relay --testnet export --out ../usb"); err != nil {
		return err
	}
	d.say(offlineSays)
	var result struct{ Result string }
	if err := d.offline(&result, "--path wallet.kms sign ../usb/"+filepath.Base(exported.Request)+" --out ../usb",
		unlock(), d.agree()); err != nil {
		return err
	}
	d.say("Online again: verify the result against the journal, broadcast, mark complete.")
	return d.online(nil, "--state relay --testnet import ../usb/"+filepath.Base(result.Result))
}

// byScreen shows them to the other machine's camera.
func (d *demo) byScreen() error {
	d.crossings++
	request, result := fmt.Sprintf("request-%d", d.crossings), fmt.Sprintf("result-%d", d.crossings)
	if err := d.online(nil, "--state relay --testnet export --qr --qr-out ../screen/"+request); err != nil {
		return err
	}
	if err := d.shoot(request); err != nil {
		return err
	}
	d.say(offlineSays)
	if err := d.offline(nil, "--path wallet.kms sign --qr ../camera/"+request+" --qr-out ../screen/"+result, unlock(),
		d.agree()); err != nil {
		return err
	}
	if err := d.shoot(result); err != nil {
		return err
	}
	d.say("Online again: verify the result against the journal, broadcast, mark complete.")
	return d.online(nil, "--state relay --testnet import --qr ../camera/"+result)
}

func (d *demo) details() error {
	d.title("Step 8: get the transaction's details")
	if err := d.completed(); err != nil {
		return err
	}
	mined, err := d.curl("GET", "/v3/"+d.coin.path+"/transaction/"+d.txID, "")
	if err != nil {
		return err
	}
	// Tatum tells DOGE and BCH as their nodes do: by confirmations.
	var tx struct{ BlockNumber, Confirmations int64 }
	if err := json.Unmarshal(mined, &tx); err != nil || tx.BlockNumber <= 0 && tx.Confirmations <= 0 {
		return fmt.Errorf("the transaction is not in a block: %s (%v)", mined, err)
	}
	if tx.BlockNumber > 0 {
		d.say(fmt.Sprintf("Mined in block %d.", tx.BlockNumber))
	} else {
		d.say(fmt.Sprintf("Mined, with %d confirmation.", tx.Confirmations))
	}
	return nil
}

// completed wants Tatum to name the transaction that the relay sent.
func (d *demo) completed() error {
	reply, err := d.curl("GET", "/v3/kms/"+d.pendingID, "")
	if err != nil {
		return err
	}
	var kms struct{ TxID string }
	if err := json.Unmarshal(reply, &kms); err != nil || kms.TxID != d.txID {
		return fmt.Errorf("the API names txId %q, the relay sent %q (%v)", kms.TxID, d.txID, err)
	}
	return nil
}

func (d *demo) end() {
	d.title(fmt.Sprintf("Done in %s", time.Since(d.started).Round(100*time.Millisecond)))
	d.say(strings.TrimSpace(`
Everything is in ./demo: the relay's state, the wallet, its ledger and the stick.
Where to go next:
  README.md            the same by hand, with three terminals
  docs/OPERATIONS.md   set-up, daily work, drills
  docs/THREATS.md      what is promised, and what is not`))
}
