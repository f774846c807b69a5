//go:build unix

package loop

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/pending"
)

// robustFaults are about inputs that cost more than they are worth, and about
// what a relay says while it cannot work.
func robustFaults() []fault {
	return []fault{
		{"21-backup-that-is-a-bomb", backupBomb},
		{"21-list-with-a-million-elements-of-junk", junkList},
		{"21-list-that-is-cut", cutList},
		{"21-list-that-has-no-end", endlessList},
		{"21-id-that-is-the-beginning-of-the-key", keyAsID},
		{"21-list-with-more-than-is-held-at-a-time", longList},
	}
}

// backupBomb has backups that expand a thousand times: of rows, of one row, and
// of elements in a row.
func backupBomb(t *testing.T) {
	p := newStick(t, 1)
	p.must("fetch")
	head := []byte(`{"coldkms":"backup","version":1,"schema":1,"relay":"00","made":"2026-11-27T00:00:00Z"}` + "\n" + `{"table":"items","columns":["a","b"]}` + "\n")
	begins := map[string]string{"row": `["`, "elements": "[0"}
	for name, block := range map[string]string{
		"rows":     strings.Repeat(`["`+strings.Repeat("x", 1<<16)+`",0]`+"\n", 16),
		"row":      strings.Repeat("x", 1<<20),
		"elements": strings.Repeat(",0", 1<<19),
	} {
		var file bytes.Buffer
		z := gzip.NewWriter(&file)
		_, _ = z.Write(head)
		_, _ = z.Write([]byte(begins[name]))
		for range 60 { // megabytes: as many as a fault in the code reads to the end in a moment
			_, _ = z.Write([]byte(block))
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(p.dir, name+".kmsbackup")
		p.write(path, file.Bytes())
		cmd := p.command("restore", "--check", path)
		out, used := measured(t, cmd)
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "not a usable backup") || used > 450 {
			t.Errorf("%s of %d bytes: exit code %d with %d MB: %s", name, file.Len(), cmd.ProcessState.ExitCode(), used, out)
		}
		if name == "rows" && !strings.Contains(string(out), "expand to more than") {
			t.Errorf("%s", out)
		}
	}
}

// lists has Tatum answer with a list that write writes, with one good element.
func (p *plainRelay) lists(write func(w http.ResponseWriter, good string)) {
	p.Helper()
	prev := p.signer.Funding(1)
	p.server.Chain(relaytest.Hex(prev))
	good := string(p.signer.Payment(1, prev, nil))
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pending/BTC") {
			return false
		}
		write(w, good)
		return true
	})
}

// junkList has junk before a good element.
func junkList(t *testing.T) {
	p := newStick(t)
	for _, junk := range []string{"1,", "{},", `{"id":"!"},`} {
		p.lists(func(w http.ResponseWriter, good string) {
			_, _ = fmt.Fprintf(w, "[%s%s]", strings.Repeat(junk, 999_999), good)
		})
		cmd := p.command("--testnet", "--json", "fetch")
		out, used := measured(t, cmd)
		if p.states()[relaytest.ID(1)] != "prepared" || !strings.Contains(string(out), "999999 elements") || len(out) > 10_000 || used > 300 {
			t.Errorf("%s: %d MB, %v, %d bytes: %.1000s", junk, used, p.states(), len(out), out)
		}
	}
	if got := p.run("daemon", "--runOnce", "--drop", p.stick()); !strings.Contains(got.out, `"fetch": "BTC: `) || len(got.out+got.err) > 20_000 {
		t.Errorf("%d bytes: %.1000s%.1000s", len(got.out+got.err), got.out, got.err)
	}
	if got := p.run("status"); !strings.Contains(got.err, "999999 elements") {
		t.Errorf("%s", got.err)
	}
}

// cutList has the connection end in the middle of a list.
func cutList(t *testing.T) {
	p := newStick(t)
	p.lists(func(w http.ResponseWriter, good string) {
		w.Header().Set("Content-Length", "1000000")
		_, _ = fmt.Fprintf(w, "[%s,{", good)
	})
	if got := p.run("fetch"); got.code != 30 || p.states()[relaytest.ID(1)] != "prepared" {
		t.Errorf("exit code %d, %v: %s%s", got.code, p.states(), got.out, got.err)
	}
	for _, rest := range []string{`,`, `] and a page`} {
		p := newStick(t)
		p.lists(func(w http.ResponseWriter, good string) { _, _ = fmt.Fprintf(w, "[%s%s", good, rest) })
		if got := p.run("fetch"); got.code != 30 || p.states()[relaytest.ID(1)] != "prepared" {
			t.Errorf("%q: exit code %d, %v: %s%s", rest, got.code, p.states(), got.out, got.err)
		}
	}
}

// endlessList has a small reply expand to a list of gigabytes: of elements, and
// of one element. It is read once, up to what is bounded.
func endlessList(t *testing.T) {
	for said, block := range map[string]string{"more than 1000000 elements": strings.Repeat("{},", 1<<13), "more than 268435456 bytes": strings.Repeat(" ", 1<<20)} {
		p := newStick(t)
		asked := 0
		p.lists(func(w http.ResponseWriter, good string) {
			asked++
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = fmt.Fprintf(z, "[%s,", good)
			for range 300 {
				if _, err := io.WriteString(z, block); err != nil {
					return
				}
			}
			_ = z.Close()
		})
		cmd := p.command("--testnet", "fetch")
		out, used := measured(t, cmd)
		if cmd.ProcessState.ExitCode() != 30 || asked != 1 || !strings.Contains(string(out), said) || p.states()[relaytest.ID(1)] != "prepared" || used > 300 {
			t.Errorf("exit code %d, asked %d times, %d MB, %v: %.1000s", cmd.ProcessState.ExitCode(), asked, used, p.states(), out)
		}
	}
}

// longList has more than is held at a time before a good element.
func longList(t *testing.T) {
	p := newStick(t)
	p.lists(func(w http.ResponseWriter, good string) {
		_, _ = fmt.Fprint(w, "[")
		pad := strings.Repeat("x", 1<<20)
		for n := range pending.MaxHeld>>20 + 2 {
			_, _ = fmt.Fprintf(w, `{"id":"%s","chain":"BTC","txId":"done","pad":"%s"},`, relaytest.ID(n+100), pad)
		}
		_, _ = fmt.Fprint(w, good, "]")
	})
	if got := p.run("fetch"); p.states()[relaytest.ID(1)] != "prepared" {
		t.Errorf("exit code %d, %v: %.1000s%.1000s", got.code, p.states(), got.out, got.err)
	}
}

// keyAsID has an element whose id is the beginning of the API key.
func keyAsID(t *testing.T) {
	p := newStick(t)
	prefix := tatumtest.Key[:len(tatumtest.Key)-3]
	p.lists(func(w http.ResponseWriter, good string) {
		_, _ = fmt.Fprintf(w, "[%s,%s]", strings.ReplaceAll(good, relaytest.ID(1), prefix), good)
	})
	got := p.run("fetch")
	all := got.out + got.err + p.run("status").out
	if got.code != 3 || p.states()[relaytest.ID(1)] != "prepared" || !strings.Contains(all, "it has the API key in it") || strings.Contains(all, prefix) {
		t.Errorf("exit code %d, %v: %s", got.code, p.states(), all)
	}
}
