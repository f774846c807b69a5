package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// configReply is what checkconfig prints. Nothing in it is secret.
type configReply struct {
	Wallet   walletState  `json:"wallet"`
	Signer   *peer        `json:"signer,omitempty"`
	Entries  []entryCount `json:"entries"`
	Relays   []peer       `json:"relays"`
	Ledger   *ledgerState `json:"ledger,omitempty"`
	Chains   []chain.ID   `json:"chains"` // that this version signs for
	Guard    []check      `json:"guard"`
	Warnings []string     `json:"warnings"`

	Settings []cli.Setting `json:"settings"` // flags that a configuration file may have
}

type walletState struct {
	Path     string `json:"path"`
	Exists   bool   `json:"exists"`
	Mode     string `json:"mode,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Previous bool   `json:"previous"` // the generation before is there
	KDF      *kdf   `json:"kdf,omitempty"`
}

type kdf struct {
	Name      string `json:"name"`
	MemoryKiB uint32 `json:"memoryKiB"`
	Passes    uint32 `json:"passes"`
	Lanes     uint8  `json:"lanes"`
}

type peer struct {
	Name        string `json:"name,omitempty"`
	Fingerprint string `json:"fingerprint"`
	Words       string `json:"words"`
}

func peerOf(name string, key identity.Public) peer {
	return peer{Name: name, Fingerprint: key.Fingerprint(), Words: key.Words()}
}

type entryCount struct {
	Chain       chain.ID `json:"chain"`
	Network     string   `json:"network"`
	Mnemonics   int      `json:"mnemonics"`
	PrivateKeys int      `json:"privateKeys"`
	Kept        int      `json:"kept"` // of a chain that is not signed for yet
}

type ledgerState struct {
	OK    bool   `json:"ok"`
	Lines uint64 `json:"lines"`
	Head  string `json:"head,omitempty"`
	Error string `json:"error,omitempty"`
}

func (a *app) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use:   "checkconfig",
		Short: "look at everything that the signer needs",
		Long: `checkconfig prints where the wallet is and how it is protected, how many entries it
has, the relays it is paired with, the state of the ledger, and what the kernel
refuses to this program. It asks for the password and shows no part of it, nor of
any other secret.

Exit status: 0 all is well or worth a warning only, 10 no wallet, 12 wrong password,
20 the ledger does not hold, or wallet and ledger do not agree.`,
		Example: "  kms-offline --path wallet.kms checkconfig",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runCheckConfig(a.config.Settings(cmd)) },
	}
}

func (a *app) runCheckConfig(settings []cli.Setting) error {
	path, err := a.walletPath()
	if err != nil {
		return err
	}
	reply := configReply{
		Wallet: walletState{Path: path}, Entries: []entryCount{}, Relays: []peer{}, Chains: built(), Guard: a.gapChecks(), Warnings: []string{},
		Settings: settings,
	}
	for _, c := range reply.Guard {
		if !c.OK {
			reply.warn("protection that failed: %s", c.Name)
		}
	}
	if bad := a.lookAtFile(&reply); bad != nil {
		if err := a.JSON(reply); err != nil {
			return err
		}
		return walletError(path, bad)
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	bad := a.lookInside(w, &reply)
	if err := a.JSON(reply); err != nil {
		return err
	}
	return bad
}

func (r *configReply) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// lookAtFile says what can be seen of the wallet without its password.
func (a *app) lookAtFile(r *configReply) error {
	path := r.Wallet.Path
	_, err := a.fs.Lstat(path + wallet.PrevSuffix)
	r.Wallet.Previous = err == nil
	info, err := a.fs.Lstat(path)
	if err == nil {
		r.Wallet.Exists, r.Wallet.Size, r.Wallet.Mode = true, info.Size(), fmt.Sprintf("%04o", info.Mode().Perm())
		if info.Mode().Perm()&0o077 != 0 {
			r.warn("others may read the wallet file: chmod 600 it")
		}
	}
	if err := a.store().Probe(path); err != nil {
		return err
	}
	cost, err := a.store().CostOf(path)
	if err != nil {
		return err
	}
	r.Wallet.KDF = &kdf{Name: "argon2id", MemoryKiB: cost.Memory, Passes: cost.Passes, Lanes: cost.Lanes}
	return nil
}

// lookInside says what the password opens. Its error is about the ledger.
func (a *app) lookInside(w *opened, r *configReply) error {
	id, err := w.Identity()
	if err != nil {
		return err
	}
	self := peerOf("", id.Public())
	r.Signer = &self
	r.Entries = countEntries(w.Entries())
	for _, relay := range w.Relays() {
		r.Relays = append(r.Relays, peerOf(relay.Name, relay.Key))
	}
	if len(r.Relays) == 0 {
		r.warn("no relay is paired: kms-offline pair FILE")
	}
	book, err := a.bookOf(w)
	if err != nil {
		r.Ledger = &ledgerState{Error: err.Error()}
		return err
	}
	r.Ledger = &ledgerState{OK: true, Lines: book.Len(), Head: book.Head()}
	for _, text := range []string{offline.ClockAhead(book), offline.OldCopy(book)} {
		if text != "" {
			r.warn("%s", text)
		}
	}
	if err := disagreement(w.Wallet, book); err != nil {
		r.Ledger.OK, r.Ledger.Error = false, err.Error()
		return err
	}
	return nil
}

// countEntries counts by chain and network, sorted by them.
func countEntries(entries []wallet.Entry) []entryCount {
	type group struct {
		chain   chain.ID
		network chain.Network
	}
	at := map[group]*entryCount{}
	for _, e := range entries {
		g := group{e.Chain, e.Network}
		if at[g] == nil {
			at[g] = &entryCount{Chain: e.Chain, Network: e.Network.String()}
		}
		switch e.Kind {
		case wallet.Mnemonic:
			at[g].Mnemonics++
		case wallet.PrivateKey:
			at[g].PrivateKeys++
		default:
			at[g].Kept++
		}
	}
	counts := make([]entryCount, 0, len(at))
	for _, c := range at {
		counts = append(counts, *c)
	}
	slices.SortFunc(counts, func(x, y entryCount) int {
		return strings.Compare(string(x.Chain)+" "+x.Network, string(y.Chain)+" "+y.Network)
	})
	return counts
}
