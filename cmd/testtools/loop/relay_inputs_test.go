//go:build unix

package loop

import (
	"bytes"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// journal changes the relay's journal behind its back.
func (p *plainRelay) journal(query string, args ...any) {
	p.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.state(), "journal.db"))
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(p.Context(), query, args...); err != nil {
		p.Fatal(err)
	}
}

// running is a daemon that runs.
type running struct {
	cmd   *exec.Cmd
	words bytes.Buffer
}

// daemonWithoutOverride starts a daemon as a root that file modes bind.
func (p *plainRelay) daemonWithoutOverride(args ...string) *running {
	p.Helper()
	q := *p
	if os.Getuid() == 0 {
		q.program, q.where = "/usr/bin/setpriv", append([]string{"--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search", p.program}, p.where...)
	}
	d := &running{cmd: q.command(append([]string{"--testnet", "daemon", "--drop", p.stick()}, args...)...)}
	d.cmd.Stderr = &d.words
	if err := d.cmd.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = d.cmd.Process.Signal(os.Interrupt)
		_ = d.cmd.Wait()
	})
	return d
}

// until waits, as long as the machine needs, for something to come true.
func (d *running) until(t *testing.T, done func() bool) {
	t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("it does not come to that")
}
