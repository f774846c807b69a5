package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/online/daemon"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// Bounds of a file of API keys.
const (
	maxKeyFile = 64 << 10
	maxKeys    = 64
)

// keyLine is one line of --api-key-file. The key itself is never shown, not
// even a line that does not parse: it may be one.
type keyLine struct {
	name    string
	network chain.Network
	key     string
}

var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// parseKeys reads lines of NAME NETWORK KEY, with # comments.
func parseKeys(text string) ([]keyLine, error) {
	var list []keyLine
	names := make(map[string]bool)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 3 || !keyName.MatchString(words[0]) || (words[1] != "mainnet" && words[1] != "testnet") {
			return nil, fmt.Errorf("line %d is not NAME mainnet|testnet KEY (a name is letters, digits and -)", n)
		}
		if names[words[0]] || len(list) == maxKeys {
			return nil, fmt.Errorf("line %d: a name that was used before, or more than %d keys", n, maxKeys)
		}
		names[words[0]] = true
		list = append(list, keyLine{words[0], chain.NetworkOf(words[1] == "testnet"), words[2]})
	}
	if len(list) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return list, nil
}

// keysPath returns the file that the API keys are in: that of --api-key-file, or, where
// no key is given in another way, the one that setup has put into the state directory.
// It is "" if there is none.
func (a *app) keysPath(s settings) (string, error) {
	if a.keyFile != "" || s.key != "" {
		return a.keyFile, nil
	}
	dir, err := a.dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, keysName)
	if _, err := a.fs.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return path, nil
}

// keyLines gathers the API keys: those of a file, or the only one.
func (a *app) keyLines(s settings) ([]keyLine, error) {
	path, err := a.keysPath(s)
	switch {
	case err != nil:
		return nil, err
	case path == "" && s.key == "":
		return nil, nil
	case path == "":
		return []keyLine{{network: chain.NetworkOf(a.testnet), key: s.key}}, nil
	case a.apiKey != "":
		return nil, cli.Fail(cli.Usage, errors.New("--api-key and --api-key-file exclude each other"), "")
	}
	text, err := durable.ReadFile(a.fs, path, maxKeyFile)
	if err == nil {
		err = durable.CheckSecret(a.fs, path)
	}
	var list []keyLine
	if err == nil {
		list, err = parseKeys(string(text))
	}
	if err != nil {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("API keys in %s: %w", path, err), "lines such as: tenant-a mainnet THE-KEY; and chmod 600 the file")
	}
	for i := range list {
		if list[i].name == "default" { // what was fetched while there was one key only
			list[i].name = ""
		}
	}
	return list, nil
}

// observer hears of every call with a key.
type observer func(key string) func(kind, outcome string, took time.Duration)

// keys makes a client for each API key, held to the limits of the command
// line. There may be none.
func (a *app) keys(observe observer) ([]daemon.Key, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	limits := tatum.Limits{PerSecond: a.rate}
	for _, text := range a.budgets {
		b, err := tatum.ParseBudget(text)
		if err != nil {
			return nil, cli.Fail(cli.Usage, fmt.Errorf("--budget: %w", err), "")
		}
		limits.Budgets = append(limits.Budgets, b)
	}
	if a.rate < 0 {
		return nil, cli.Fail(cli.Usage, errors.New("--rate is in calls a second"), "")
	}
	lines, err := a.keyLines(s)
	if err != nil {
		return nil, err
	}
	for _, l := range lines { // before anything comes under any of them
		a.secrets.Add(l.key)
	}
	var keys []daemon.Key
	for _, l := range lines {
		k := daemon.Key{Name: l.name, Network: l.network, Pace: tatum.NewPace(limits, a.now, rand.Float64)}
		config := tatum.Config{URL: s.url, Key: l.key, Now: a.now, Pace: k.Pace, Secrets: &a.secrets}
		if observe != nil {
			config.Observe = observe(l.name)
		} else { // a person waits for it
			config.Waits = func(why error) { a.say("%v: waiting for that, at most 30 seconds", why) }
		}
		if k.Client, err = tatum.New(config); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}
