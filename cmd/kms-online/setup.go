package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
	"coldkms/shared/transport/file"
)

// keysName is the file of the API key in the state directory.
const keysName = "api-keys"

// setupReply is what setup prints.
type setupReply struct {
	State       string `json:"state"`                // folder
	APIKeyFile  string `json:"apiKeyFile,omitempty"` // "" where the key comes from elsewhere
	Identity    string `json:"identity"`             // the file that the signer gets
	Fingerprint string `json:"fingerprint"`
	Signer      string `json:"signer,omitempty"` // fingerprint, once paired
	Next        string `json:"next"`             // a command
}

// answers are those that setup takes by flags, or asks for.
type answers struct {
	stick, watch string
	yes          bool
}

func (a *app) setup() *cobra.Command {
	var g answers
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "set this relay up, step by step; may be run again",
		Long: `setup makes what a relay needs, and asks for what it needs to know: a file with
the API key (mode 0600, in the state directory), the relay's identity, a copy of
its public half on the stick, and, once the stick has the signer's watch file, the
pairing with that signer. What is there already is named and left as it is, so run
it as often as you like: before and after the stick was at the signer. It ends with
the next command to type, and on which machine.

Every answer is a flag as well, and without a terminal they are needed: --stick,
one of --api-key-file, --env-file and --api-key (or TATUM_API_KEY), and --yes once
the words of the signer were compared. The steps are those of init and pair.

Exit status: 0 done, 1 failed, 2 usage, 21 the signer was not agreed to, 22 the
watch file is none.`,
		Example: `  kms-online --testnet setup
  kms-online --testnet setup --stick /media/usb --api-key-file /etc/kms-online/api-keys --yes`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.runSetup(g) },
	}
	cmd.Flags().StringVar(&g.stick, "stick", "", "folder of the stick to the signer; asked for otherwise")
	cmd.Flags().StringVar(&g.watch, "watch", "",
		"the signer's watch file (default "+cli.WatchFile+" on the stick, if it is there)")
	cmd.Flags().BoolVar(&g.yes, "yes", false, "the signer's words were compared: do not ask")
	return cmd
}

func (a *app) runSetup(g answers) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	ask, noTerminal := openAsker()
	if noTerminal == nil {
		defer ask.close()
	}
	if err := a.askStick(ask, &g); err != nil {
		return err
	}
	reply := setupReply{State: dir}
	id, err := a.setupIdentity(dir)
	if err != nil {
		return explain(err)
	}
	reply.Identity, reply.Fingerprint = id.Path, id.Public.Fingerprint()
	if reply.APIKeyFile, err = a.setupKey(ask, dir); err != nil {
		return explain(err)
	}
	if err := a.setupStick(id, g.stick); err != nil {
		return explain(err)
	}
	if reply.Signer, err = a.setupSigner(ask, g); err != nil {
		return explain(err)
	}
	reply.Next = a.tellNext(g.stick, reply)
	return a.JSON(reply)
}

func (a *app) askStick(ask *asker, g *answers) (err error) {
	if g.stick == "" && ask != nil {
		a.say("setup: two files cross on a stick, and both are public: each side is to know the other")
		g.stick, err = ask.line("Folder of the stick, such as /media/usb:")
	}
	if err == nil && g.stick == "" {
		err = cli.Fail(cli.Usage, errors.New("setup needs the folder of the stick"), "name it: --stick /media/usb")
	}
	return err
}

// setupIdentity makes the state directory and the identity, as init does.
func (a *app) setupIdentity(dir string) (online.Identity, error) {
	a.say("setup: 1 of 4: the state directory %s, and the identity of this relay", dir)
	ctx, stop := interruptible()
	defer stop()
	id, err := online.InitShared(ctx, a.fs, dir, a.database(), rand.Reader, a.now)
	if err != nil {
		return id, err
	}
	if id.New {
		a.say("a new relay, with an empty journal, was made in %s", dir)
	} else {
		a.say("setup: there already")
	}
	a.compare("this relay's", id.Public)
	return id, nil
}

// setupKey makes sure that there is an API key for the network that is set up, and
// returns the file that it is in, "" if it comes from elsewhere.
func (a *app) setupKey(ask *asker, dir string) (string, error) {
	network := chain.NetworkOf(a.testnet)
	a.say("setup: 2 of 4: the API key of Tatum, for %s", network)
	path := filepath.Join(dir, keysName)
	given := a.keyFile != ""
	keys, err := a.keys(nil)
	if err != nil {
		return "", err
	}
	for _, k := range keys {
		if k.Network == network {
			s, err := a.settings()
			if err != nil {
				return "", err
			}
			kept, err := a.keysPath(s)
			if kept == "" {
				a.say("setup: there already, from the environment or a flag; it is not kept: each command needs it again")
			} else {
				a.say("setup: there already, in %s", kept)
			}
			return kept, err
		}
	}
	if given {
		return "", cli.Fail(cli.Usage, fmt.Errorf("--api-key-file has no key for %s", network),
			"add a line such as: "+network.String()+" "+network.String()+" THE-KEY")
	}
	if ask == nil {
		return "", errNoKey()
	}
	return path, a.askKey(ask, path, network)
}

// askKey asks for an API key, tries it, and writes it into a file.
func (a *app) askKey(ask *asker, path string, network chain.Network) error {
	a.say("setup: it is kept in %s, for this user only, and is not shown", path)
	key, err := ask.secret("API key, from https://dashboard.tatum.io, for " + network.String() + ":")
	if err != nil {
		return err
	}
	a.secrets.Add(key)
	before, err := durable.ReadFile(a.fs, path, maxKeyFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, name := string(before), "default"
	if text != "" {
		name = network.String()
		text = strings.TrimSuffix(text, "\n") + "\n"
	}
	text += fmt.Sprintf("%s %s %s\n", name, network, key)
	if _, err := parseKeys(text); err != nil || strings.ContainsRune(key, '#') {
		return cli.Fail(cli.Usage, errors.New("that is not an API key: one has no spaces and no #"), "run setup again")
	}
	if err := a.tryKey(key); err != nil {
		return err
	}
	if err := durable.Replace(a.fs, path, []byte(text), durable.PermFile, nil); err != nil {
		return err
	}
	return nil
}

// tryKey returns an error if Tatum does not accept a key. It returns nil also if Tatum
// cannot be reached: fetch tries the key again.
func (a *app) tryKey(key string) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	client, err := tatum.New(tatum.Config{URL: s.url, Key: key, Now: a.now, Secrets: &a.secrets})
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	switch err = client.Ping(ctx); {
	case err == nil:
		a.say("setup: Tatum accepts it")
	case tatum.IsAuth(err):
		return err
	default:
		a.say("setup: it could not be tried: %v", err)
	}
	return nil
}

// setupStick puts the public identity onto the stick, and reads it back.
func (a *app) setupStick(id online.Identity, stick string) error {
	a.say("setup: 3 of 4: the public half of the identity, for the signer")
	path := filepath.Join(stick, cli.RelayFile)
	media := file.Of(a.fs, path)
	if !media.Present() {
		return fmt.Errorf("%s: %w", stick, online.ErrNoFolder)
	}
	public, err := durable.ReadFile(a.fs, id.Path, int64(identity.FileSize))
	if err != nil {
		return err
	}
	_, err = media.Put(cli.RelayFile, public)
	if errors.Is(err, file.ErrExists) {
		return cli.Fail(cli.Failed, fmt.Errorf("%s is of another relay", path),
			"take another stick, or another folder of it")
	}
	if err != nil {
		return err
	}
	a.say("setup: it is %s", path)
	return nil
}

// setupSigner pairs with the signer whose watch file is on the stick, and returns
// the fingerprint of the signer that is paired, "" for none.
func (a *app) setupSigner(ask *asker, g answers) (string, error) {
	a.say("setup: 4 of 4: the signer whose signatures this relay takes")
	path := g.watch
	if path == "" {
		path = filepath.Join(g.stick, cli.WatchFile)
		if _, err := a.fs.Stat(path); err != nil {
			return a.pairedSigner(path)
		}
	}
	text, err := a.readFile(path)
	if err != nil {
		return "", err
	}
	watch, err := bundle.OpenWatch(text)
	if err != nil {
		return "", err
	}
	paired := ""
	err = a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
		before, err := r.Signer(ctx)
		if err != nil {
			return err
		}
		a.compare("the signer's", watch.Signer)
		if before == watch.Signer {
			a.say("setup: paired already; its keys are those of %s now", path)
		} else if err := a.agreeToSigner(ask, g); err != nil {
			return err
		}
		signer, err := r.Pair(ctx, text)
		paired = signer.Fingerprint()
		return err
	})
	if err != nil {
		return "", err
	}
	return paired, nil
}

// pairedSigner returns the fingerprint of the signer that is paired already, "" if
// none is. missing is the watch file that is not on the stick.
func (a *app) pairedSigner(missing string) (signer string, err error) {
	err = a.relay(looking, func(ctx context.Context, r *online.Relay) error {
		key, err := r.Signer(ctx)
		if err == nil && key != (identity.Public{}) {
			signer = key.Fingerprint()
		}
		return err
	})
	switch {
	case err != nil:
	case signer == "":
		a.say("setup: %s is not there yet: the signer's setup puts it there", missing)
	default:
		a.say("setup: paired already")
	}
	return signer, err
}

// agreeToSigner asks the person whether the signer's screen shows the same words.
func (a *app) agreeToSigner(ask *asker, g answers) error {
	if g.yes {
		return nil
	}
	if ask == nil {
		return cli.Fail(cli.Usage, errNoTerminal,
			"compare the words with the signer's screen, then run the same command with --yes")
	}
	yes, err := ask.confirm("Does the signer's screen show the same words?")
	if err == nil && !yes {
		err = cli.Fail(cli.Declined, errors.New("declined: the signer was not paired"), "")
	}
	return err
}

// tellNext says what to type next, and returns that command.
func (a *app) tellNext(stick string, r setupReply) string {
	setup := "setup --stick " + cli.Quoted(stick)
	next := "kms-offline " + setup
	if a.testnet {
		next = "kms-offline --testnet " + setup
	}
	if r.Signer == "" {
		a.say("setup: next, on the offline machine, with the stick in it, and with --path if its wallet has one: %s", next)
		a.say("setup: then here, once more: kms-online %s", setup)
		return next
	}
	a.say("setup: all is done here. Next, on the offline machine, unless it has accepted this relay already, "+
		"with --path if its wallet has one: %s", next)
	a.say("setup: then here, whenever something waits at Tatum: kms-online fetch")
	return next
}
