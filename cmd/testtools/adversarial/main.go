//go:build unix

// Adversarial writes a corpus of hostile inputs for kms-offline: requests, PSBTs
// and things that are no files at all, with a wallet that they are aimed at
// and an index that says of each how it must be met.
//
//	go run ./cmd/testtools/adversarial -out DIR
//	kms-offline --path DIR/wallet.kms --password-file DIR/pw review DIR/in/NAME
//
// The corpus is the same on every run: no clock and no randomness is in it.
// The index is DIR/index.json. Run on a copy of the wallet: its ledger grows.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "", "folder to write the corpus into (required; new or empty)")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	cases, err := write(*out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "adversarial:", err)
		os.Exit(1)
	}
	fmt.Printf("%d hostile inputs and %d sound ones in %s\n", count(cases), len(cases)-count(cases), *out)
}

// write makes the whole corpus in a new or empty folder.
func write(dir string) (cases []Case, err error) {
	defer func() { // a generator has no errors worth handling: the builders panic
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	if err := os.MkdirAll(filepath.Join(dir, inputs), 0o700); err != nil {
		return nil, err
	}
	c := &corpus{dir: dir, target: newTarget(dir)}
	for _, part := range []func(){
		c.sound, c.amounts, c.proofs, c.keys, c.scripts, c.encodings, c.texts, c.names,
		c.containers, c.bodies, c.batches, c.history, c.sizes, c.drains, c.farIndices, c.burns, c.sharedSecrets, c.bareKeys, c.burntForms, c.otherClaims, c.times, c.packets, c.packetForms, c.specials, c.others,
	} {
		part()
	}
	index, err := json.MarshalIndent(c.cases, "", "  ")
	if err != nil {
		return nil, err
	}
	return c.cases, os.WriteFile(filepath.Join(dir, "index.json"), append(index, '\n'), 0o600)
}

func count(cases []Case) (hostile int) {
	for _, c := range cases {
		if !c.Sound {
			hostile++
		}
	}
	return hostile
}
