package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

// setupKey is a key of the wallet. Address is that of index 0 of a mnemonic.
type setupKey struct {
	SignatureID string   `json:"signatureId"`
	Chain       chain.ID `json:"chain"`
	Network     string   `json:"network"`
	Address     string   `json:"address"`
	New         bool     `json:"new"` // made now
}

// setupReply is what setup prints.
type setupReply struct {
	Wallet      string     `json:"wallet"`
	Keys        []setupKey `json:"keys"`
	Watch       string     `json:"watch"`
	Fingerprint string     `json:"fingerprint"` // of this signer
	Relays      []string   `json:"relays"`      // fingerprints of those that are paired
	Next        string     `json:"next"`        // a command, on the other machine
}

// answers are those that setup takes by flags, or asks for.
type answers struct {
	recipe
	chains []string
	stick  string
	relay  string // file; "" is the one on the stick, if it is there

	another bool // a person agreed to replace the watch file of another signer
}

func (a *app) setup() *cobra.Command {
	g := answers{recipe: recipe{words: hd.Words}}
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "set this signer up, step by step; may be run again",
		Long: `setup makes what a signer needs, and asks for what it needs to know: the wallet
with its password, a first key, the watch file on the stick, and, once the stick
has the relay's identity, the pairing with that relay. What is there already is
named and left as it is, so run it as often as you like: before and after the
stick was at the relay. It ends with the command to type on the other machine.
Where the stick has the watch file of another signer, as it has when --path was left
out the second time, setup asks before it makes a wallet or writes over that file.

Every answer is a flag as well. With --password-file nothing is asked, and --stick
is needed; --chain is BTC unless given. The steps are those of generatemanagedwallet,
watch and pair. Without --testnet the first key is one for real coins.

Exit status: 0 done, 1 failed, 2 usage, 12 wrong password, 21 the relay, or another
signer, was not agreed to, 22 the relay's file cannot be read.`,
		Example: `  kms-offline --path wallet.kms --testnet setup
  kms-offline --path wallet.kms setup --chain BTC,LTC --show-mnemonic --stick /media/usb`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runSetup(g, cmd.Flags().Changed("show-mnemonic"))
		},
	}
	g.flags(cmd)
	cmd.Flags().BoolVar(&g.show, "show-mnemonic", false,
		"show the words of new keys, for the paper backup; asked for otherwise")
	cmd.Flags().StringSliceVar(&g.chains, "chain", nil,
		"coins to have a key for, such as BTC,LTC; asked for where there is none")
	cmd.Flags().StringVar(&g.stick, "stick", "", "folder of the stick to the relay; asked for otherwise")
	cmd.Flags().StringVar(&g.relay, "relay", "",
		"file with the relay's identity (default "+cli.RelayFile+" on the stick, if it is there)")
	return cmd
}

func (a *app) runSetup(g answers, showSaid bool) error {
	tty, err := a.setupTerminal()
	if err != nil {
		return err
	}
	defer tty.close()
	if g.asks() && tty == nil {
		_, err := g.terminal()
		return cli.Fail(cli.Usage, errors.Join(errNoTerminal, err),
			"leave --password-file out: words and dice need a terminal")
	}
	if err := a.askStick(tty, &g); err != nil {
		return err
	}
	if g.another, err = a.isAnother(g.stick); err != nil {
		return err
	}
	a.step("1 of 4: the wallet, encrypted with a password of yours")
	w, keys, err := a.setupWallet(tty, &g, showSaid)
	if err != nil {
		return err
	}
	defer w.Close()
	made, err := a.setupStore(tty, w, g, keys)
	if err != nil {
		return err
	}
	return a.setupPairing(w, g, made)
}

// setupWallet opens the wallet, or makes one, and makes the words of the keys
// that it lacks. Those of a new wallet are made first, so that nothing is asked
// between its ledger and its first key.
func (a *app) setupWallet(tty *terminal, g *answers, showSaid bool) (*opened, []setupWords, error) {
	path, err := a.walletPath()
	if err != nil {
		return nil, nil, err
	}
	var keys []setupWords
	fresh := errors.Is(a.store().Probe(path), wallet.ErrNoWallet)
	if fresh {
		if keys, err = a.setupKeys(tty, nil, g, showSaid); err != nil {
			return nil, nil, err
		}
	}
	w, err := a.openOrCreate()
	if err == nil && !fresh {
		keys, err = a.setupKeys(tty, w.Entries(), g, showSaid)
	}
	if err != nil {
		wipeAll(keys)
		if w != nil {
			w.Close()
		}
		return nil, nil, err
	}
	return w, keys, nil
}

// setupWords are the words of a key that is to be stored.
type setupWords struct {
	coin chain.ID
	newWords
}

func wipeAll(keys []setupWords) {
	for _, k := range keys {
		k.wipe()
	}
}

// setupTerminal opens the terminal that setup asks on; with --password-file
// nothing is asked, and it is nil.
func (a *app) setupTerminal() (*terminal, error) {
	if a.passwordFile != "" {
		return nil, nil
	}
	tty, err := openTerminal()
	return tty, cli.Fail(cli.Usage, err,
		"give the password with --password-file, and the folder of the stick with --stick")
}

// step tells a person where setup is.
func (a *app) step(format string, args ...any) {
	fmt.Fprintf(a.Err, "setup: "+format+"\n", args...)
}

func (a *app) askStick(tty *terminal, g *answers) (err error) {
	if g.stick == "" && tty != nil {
		a.step("two files cross on a stick, and both are public: the relay is to know this signer, and this signer the relay")
		g.stick, err = tty.line("Folder of the stick, such as /media/usb:")
	}
	if err == nil && g.stick == "" {
		err = cli.Fail(cli.Usage, errors.New("setup needs the folder of the stick"), "name it: --stick /media/usb")
	}
	return err
}

// setupKeys makes words for each coin that is asked for and has no key.
func (a *app) setupKeys(tty *terminal, has []wallet.Entry, g *answers, showSaid bool) ([]setupWords, error) {
	missing, err := a.missing(tty, has, g.chains)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	if tty != nil && !showSaid {
		a.step("the words of a key, on paper, are what brings coins back when this machine is gone")
		if g.show, err = tty.confirmUnlessNo("Show them, to be written down?"); err != nil {
			return nil, err
		}
	}
	var keys []setupWords
	for _, id := range missing {
		made, err := a.makeWords(tty, g.recipe)
		if err != nil {
			wipeAll(keys)
			return nil, err
		}
		keys = append(keys, setupWords{id, made})
	}
	return keys, nil
}

// missing returns the coins that a key is to be made for.
func (a *app) missing(tty *terminal, entries []wallet.Entry, names []string) ([]chain.ID, error) {
	has := make(map[chain.ID]bool)
	for _, e := range entries {
		if e.Signable() && e.Network == a.network() {
			has[e.Chain] = true
		}
	}
	if len(names) == 0 && len(has) > 0 {
		return nil, nil
	}
	if len(names) == 0 {
		var err error
		if names, err = a.askCoins(tty); err != nil {
			return nil, err
		}
	}
	var list []chain.ID
	for _, name := range names {
		id, err := chainArg(strings.ToUpper(name))
		if err != nil {
			return nil, err
		}
		if !has[id] {
			has[id] = true
			list = append(list, id)
		}
	}
	return list, nil
}

// askCoins asks for which coins to make a key. It is BTC where nothing is typed, or
// nobody can be asked.
func (a *app) askCoins(tty *terminal) (names []string, err error) {
	typed := ""
	if tty != nil {
		typed, err = tty.line(fmt.Sprintf("For which coins of %s, of %s? [BTC]", a.network(), builtNames()))
	}
	if typed == "" {
		typed = string(chain.BTC)
	}
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' }), err
}

// setupStore stores new keys, as generatemanagedwallet does, and returns their ids.
func (a *app) setupStore(tty *terminal, w *opened, g answers, keys []setupWords) (map[string]bool, error) {
	defer wipeAll(keys)
	a.step("2 of 4: keys of %s", a.network())
	if len(keys) == 0 {
		a.step("there already: %s", counted(w.Len(), "key", "keys"))
	}
	made := make(map[string]bool)
	for _, k := range keys {
		coin, err := a.coin(k.coin)
		if err != nil {
			return nil, err
		}
		e, err := a.storeIn(w, func(id string) (wallet.Entry, error) {
			return wallet.FromMnemonic(id, coin, k.mnemonic, k.passphrase, a.now())
		})
		if err != nil {
			return nil, err
		}
		made[e.ID] = true
		g.reveal(tty, k.newWords, e)
		a.step("made a key for %s %s", k.coin, a.network())
	}
	return made, nil
}

// setupPairing writes the watch file, accepts the relay if its identity is
// there, and says what comes next.
func (a *app) setupPairing(w *opened, g answers, made map[string]bool) error {
	id, err := w.Identity()
	if err != nil {
		return err
	}
	path, err := a.walletPath()
	if err != nil {
		return err
	}
	reply := setupReply{Wallet: path, Fingerprint: id.Public().Fingerprint(), Relays: []string{}}
	if reply.Keys, err = setupList(w, made); err != nil {
		return err
	}
	a.step("3 of 4: the public half of the wallet, for the relay")
	if reply.Watch, err = a.setupWatch(w, g); err != nil {
		return err
	}
	a.step("4 of 4: the relay whose requests this signer takes")
	if err := a.setupRelay(w, g); err != nil {
		return err
	}
	for _, r := range w.Relays() {
		reply.Relays = append(reply.Relays, r.Key.Fingerprint())
	}
	reply.Next = a.tellNext(g.stick, len(reply.Relays) > 0)
	return a.JSON(reply)
}

// setupList lists the keys that a relay can ask for, with their addresses.
func setupList(w *opened, made map[string]bool) ([]setupKey, error) {
	list := []setupKey{}
	for _, e := range w.Entries() {
		if !e.Signable() {
			continue
		}
		index := chain.NoIndex
		if e.Kind == wallet.Mnemonic {
			index = 0
		}
		at, err := keyAddress(w, e, index)
		if err != nil {
			return nil, err
		}
		list = append(list, setupKey{e.ID, e.Chain, e.Network.String(), at.Address, made[e.ID]})
	}
	return list, nil
}

// setupRelay accepts the relay whose identity is on the stick, or was named.
func (a *app) setupRelay(w *opened, g answers) error {
	path := g.relay
	if path == "" {
		path = filepath.Join(g.stick, cli.RelayFile)
		if _, err := a.fs.Stat(path); err != nil {
			if len(w.Relays()) > 0 {
				a.step("there already: %s", counted(len(w.Relays()), "relay", "relays"))
			} else {
				a.step("%s is not there yet: the relay's setup puts it there", inLine(path))
			}
			return nil
		}
	}
	relay, err := a.readRelay(path)
	if err != nil {
		return err
	}
	if w.Paired(relay) {
		a.step("paired already with the relay of %s", inLine(path))
		return nil
	}
	return a.pairWith(w, relay)
}

// tellNext says what to type next, and returns the command of the other machine.
func (a *app) tellNext(stick string, paired bool) string {
	testnet := ""
	if a.testnet {
		testnet = " --testnet"
	}
	if paired {
		next := "kms-online" + testnet + " fetch"
		a.step("all is done here. Next, on the online machine, once its setup is done as well: %s", next)
		return next
	}
	next := fmt.Sprintf("kms-online%s setup --stick %s", testnet, cli.Quoted(stick))
	a.step("next, on the online machine, with the stick in it: %s", next)
	again := fmt.Sprintf("kms-offline setup%s --stick %s", testnet, cli.Quoted(stick))
	a.step("then here, once more: %s", a.typed(again))
	return next
}
