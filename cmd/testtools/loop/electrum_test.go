//go:build unix

package loop

import (
	"encoding/base64"
	"os/exec"
	"path/filepath"
	"testing"
)

// Electrum (apt-get install electrum) as an offline signer of what export
// --psbt writes: two payments and one of two inputs, mined and completed.
func TestElectrumSigns(t *testing.T) {
	electrum, err := exec.LookPath("electrum")
	if err != nil {
		t.Skip("electrum is not installed")
	}
	w := newWorld(t)
	id := w.storeKey(psbtWIF)
	kinds := scriptsOf(t, entryOf(t, w.pair(), id).PubKey)
	w.pay(w.fund(id, kinds["P2WPKH"]))
	w.pay(w.fund(id, kinds["P2WPKH"], kinds["P2WPKH"]))
	paths := w.psbts(2)

	home := t.TempDir()
	run := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(electrum, append([]string{"--testnet", "--offline", "-D", home}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd.Args[4:5], err)
		}
		return out
	}
	wallet := filepath.Join(home, "w")
	run("restore", "-w", wallet, "p2wpkh:"+psbtWIF)
	for _, path := range paths {
		signed := run("signtransaction", "-w", wallet, base64.StdEncoding.EncodeToString(w.read(path)))
		name := filepath.Join(w.dir, "electrum-"+filepath.Base(path))
		w.write(name, signed)
		w.run(w.online("import", name), 0, nil)
	}
	w.sent(2)
}
