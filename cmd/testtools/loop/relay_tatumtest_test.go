//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/bundle"
)

// plainRelay is the real kms-online with a Tatum in memory and a signer that
// signs whatever it is given.
type plainRelay struct {
	*testing.T
	program string
	server  *tatumtest.Server
	signer  *relaytest.Signer
	dir     string   // of the state, the stick and the watch file
	where   []string // flags that name the state
	env     []string

	inNewContainer bool // commands run under another hostname
}

// newPlainRelay makes a relay that is not initialised yet. database is "" for a
// journal of its own.
func newPlainRelay(t *testing.T, program, database string) *plainRelay {
	t.Helper()
	if program == "" {
		bin, err := programs()
		if err != nil {
			t.Fatal(err)
		}
		program = filepath.Join(bin, "kms-online")
	}
	p := &plainRelay{T: t, program: program, server: tatumtest.New(t), signer: relaytest.NewSigner(2), dir: t.TempDir()}
	p.where = []string{"--state", p.state()}
	if database != "" {
		p.where = []string{"--state", database, "--dir", p.state()}
	}
	return p
}

func (p *plainRelay) state() string { return filepath.Join(p.dir, "state") }

func (p *plainRelay) stick() string { return filepath.Join(p.dir, "stick") }

// pair makes the state directory and pairs the signer.
func (p *plainRelay) pair() {
	p.Helper()
	p.must("init")
	watch := filepath.Join(p.dir, "signer.kmswatch")
	p.write(watch, p.signer.Watch(1))
	p.must("pair", watch)
}

func (p *plainRelay) write(path string, b []byte) {
	p.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		p.Fatal(err)
	}
}

// ran is how a command ended.
type ran struct {
	code     int
	out, err string
}

func (p *plainRelay) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.program, append(append([]string(nil), p.where...), args...)...)
	if p.inNewContainer {
		newContainer(cmd)
	}
	cmd.Env = append(append(os.Environ(), "TATUM_API_URL="+p.server.URL, "TATUM_API_KEY="+tatumtest.Key), p.env...)
	return cmd
}

// killInBroadcast starts a broadcast and kills it while Tatum keeps it waiting.
func (p *plainRelay) killInBroadcast() {
	p.Helper()
	reached := make(chan struct{})
	var once sync.Once
	p.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		once.Do(func() { close(reached) })
		<-r.Context().Done()
		return true
	})
	cmd := p.command("--testnet", "broadcast")
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	select {
	case <-reached:
	case <-time.After(time.Minute):
		p.Error("broadcast does not reach Tatum")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	p.server.Fault(nil)
}

// run runs one command to its end.
func (p *plainRelay) run(args ...string) ran {
	p.Helper()
	cmd := p.command(append([]string{"--testnet", "--json"}, args...)...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); cmd.ProcessState == nil {
		p.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), words.String()}
}

// must runs a command that succeeds, perhaps with problems of some items.
func (p *plainRelay) must(args ...string) ran {
	p.Helper()
	got := p.run(args...)
	if got.code != 0 && got.code != 3 {
		p.Fatalf("%s: exit code %d\n%s%s", strings.Join(args, " "), got.code, got.out, got.err)
	}
	return got
}

// json runs a command that succeeds and decodes what it prints.
func (p *plainRelay) json(into any, args ...string) {
	p.Helper()
	got := p.must(args...)
	if err := json.Unmarshal([]byte(got.out), into); err != nil {
		p.Fatalf("%s: %v: %q", strings.Join(args, " "), err, got.out)
	}
}

// pay puts payments in front of Tatum, each of an output on the chain.
func (p *plainRelay) pay(numbers ...int) {
	for _, n := range numbers {
		prev := p.signer.Funding(n)
		p.server.Chain(relaytest.Hex(prev))
		p.server.Add(p.signer.Payment(n, prev, nil))
	}
}

// export exports what is prepared and returns the request.
func (p *plainRelay) export(args ...string) bundle.SealedRequest {
	p.Helper()
	if err := os.MkdirAll(p.stick(), 0o700); err != nil {
		p.Fatal(err)
	}
	var made struct{ Request string }
	p.json(&made, append([]string{"export", "--out", p.stick()}, args...)...)
	file, err := os.ReadFile(made.Request)
	if err != nil {
		p.Fatal(err)
	}
	req, err := bundle.OpenRequest(file)
	if err != nil {
		p.Fatal(err)
	}
	return req
}

// result writes the signer's answer to a request, and returns its path.
func (p *plainRelay) result(req bundle.SealedRequest, change func(*bundle.Result)) string {
	p.Helper()
	path := filepath.Join(p.dir, req.Digest.String()[:8]+".kmsres")
	p.write(path, p.signer.Sign(req, change))
	return path
}

// states returns the state of each item by its id.
func (p *plainRelay) states() map[string]string {
	p.Helper()
	var list []itemStatus
	p.json(&list, "status", "--all")
	states := make(map[string]string, len(list))
	for _, s := range list {
		states[s.ID] = s.State
	}
	return states
}
