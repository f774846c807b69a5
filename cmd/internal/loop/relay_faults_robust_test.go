//go:build unix

package loop

import (
	"bytes"
	"compress/gzip"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// robustFaults are about inputs that cost more than they are worth, and about
// what a relay says while it cannot work.
func robustFaults() []fault {
	return []fault{
		{"21-backup-that-is-a-bomb", backupBomb},
	}
}

// megabytes returns the most memory that a program had that has ended.
func megabytes(cmd *exec.Cmd) int64 {
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
}

// backupBomb has backups that expand to gigabytes: of rows, of one row, and of
// elements in a row.
func backupBomb(t *testing.T) {
	p := newStick(t, 1)
	p.must("fetch")
	head := []byte(`{"coldkms":"backup","version":1,"schema":1,"relay":"00","made":"2026-11-27T00:00:00Z"}` + "\n" + `{"table":"items","columns":["a","b"]}` + "\n")
	begins := map[string]string{"row": `["`, "elements": "[0"}
	for name, block := range map[string]string{
		"rows":     strings.Repeat(`["",0]`+"\n", 150_000),
		"row":      strings.Repeat("x", 1<<20),
		"elements": strings.Repeat(",0", 1<<19),
	} {
		var file bytes.Buffer
		z := gzip.NewWriter(&file)
		_, _ = z.Write(head)
		_, _ = z.Write([]byte(begins[name]))
		for range 1000 {
			_, _ = z.Write([]byte(block))
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(p.dir, name+".kmsbackup")
		p.write(path, file.Bytes())
		cmd := p.command("restore", "--check", path)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "not a usable backup") || megabytes(cmd) > 450 {
			t.Errorf("%s of %d bytes: exit code %d with %d MB: %s", name, file.Len(), cmd.ProcessState.ExitCode(), megabytes(cmd), out)
		}
		if name == "rows" && !strings.Contains(string(out), "expand to more than") {
			t.Errorf("%s", out)
		}
	}
}
