//go:build unix

package loop

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
)

// pooled starts a PgBouncer in front of a database, as Debian ships it but for
// the mode, and returns its address.
func pooled(t *testing.T, database, mode string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv(pgtest.NeedEnv) != "" {
			t.Fatal("no pgbouncer (Debian: apt-get install pgbouncer)")
		}
		t.Skip("no pgbouncer (Debian: apt-get install pgbouncer)")
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dir, err := os.MkdirTemp("", "coldkms-pool-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := strings.TrimPrefix(u.Path, "/")
	config := fmt.Sprintf("[databases]\n%s = host=%s dbname=%s user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = %s\ndefault_pool_size = 3\n",
		name, u.Query().Get("host"), name, port, mode)
	ini := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(ini, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, ini)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 { // it refuses to run as root
		who := &syscall.Credential{Uid: 65534, Gid: 65534}
		if u, err := user.Lookup("postgres"); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
		cmd.SysProcAttr.Credential = who
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", port, name)
	for range 200 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = c.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("pgbouncer does not listen")
	return ""
}

// Behind PgBouncer everything works, in the mode in which a connection belongs
// to nobody: two relays at once, more of them than it has connections.
func pgBouncer(t *testing.T) {
	database := pgtest.Start(t).Database(t)
	p := newPlainRelay(t, "", pooled(t, database, "transaction"))
	p.pair()
	numbers := make([]int, 30)
	for i := range numbers {
		numbers[i] = i + 1
	}
	p.pay(numbers...)
	p.must("fetch")
	result := p.result(p.export(), nil)
	p.must("import", result)
	second := p.command("--testnet", "--json", "broadcast")
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	first := p.run("broadcast") // it may find the folder locked
	if err := second.Wait(); err != nil && first.code != 0 {
		t.Errorf("%v, %+v", err, first)
	}
	p.must("broadcast")
	p.must("status")
	p.must("checkconfig")
	p.must("backup", filepath.Join(p.dir, "b.kmsbackup"))
	for id, state := range p.states() {
		if state != "completed" {
			t.Errorf("%s is %s", id, state)
		}
	}
}

// What a server acknowledges without writing it is refused, also where a pooler
// stands in front of it.
func notDurable(t *testing.T) {
	server := pgtest.Start(t)
	if !server.Ours() {
		t.Skip("needs a server of its own")
	}
	direct := server.Database(t)
	db, err := sql.Open("pgx", direct)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	through := pooled(t, direct, "transaction")
	newPlainRelay(t, "", through).must("init")
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("ALTER DATABASE " + strings.TrimPrefix(u.Path, "/") + " SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	for what, address := range map[string]string{"direct": direct, "pooled": pooled(t, direct, "transaction")} {
		if got := newPlainRelay(t, "", address).run("init"); got.code != 1 || !strings.Contains(got.err, "synchronous_commit is off") || !strings.Contains(got.err, "ALTER ROLE") {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// plaintext listens on all addresses of this machine, refuses TLS, and counts
// who goes on without it.
func plaintext(t *testing.T) (port int, bare *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	bare = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for {
					head := make([]byte, 8)
					if _, err := io.ReadFull(c, head); err != nil {
						return
					}
					if binary.BigEndian.Uint32(head[4:]) != 80877103 { // SSLRequest
						bare.Add(1)
						return
					}
					if _, err := c.Write([]byte{'N'}); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, bare
}

// Whatever names a server on another machine (the address, the environment, a
// service file), nothing is said to it without TLS and a verified certificate.
func withoutTLS(t *testing.T) {
	port, bare := plaintext(t)
	service := filepath.Join(t.TempDir(), "service.conf")
	if err := os.WriteFile(service, fmt.Appendf(nil, "[far]\nhost=0.0.0.0\nport=%d\nuser=kms\ndbname=kms\nsslmode=disable\n", port), 0o600); err != nil {
		t.Fatal(err)
	}
	far := []string{"PGHOST=0.0.0.0", fmt.Sprintf("PGPORT=%d", port), "PGUSER=kms"}
	for what, way := range map[string]struct {
		address string
		env     []string
	}{
		"address, default":         {address: fmt.Sprintf("postgres://kms@0.0.0.0:%d/kms", port)},
		"address, prefer":          {address: fmt.Sprintf("postgres://kms@0.0.0.0:%d/kms?sslmode=prefer", port)},
		"address, require":         {address: fmt.Sprintf("postgres://kms@0.0.0.0:%d/kms?sslmode=require", port)},
		"host in the query":        {address: fmt.Sprintf("postgres:///kms?host=0.0.0.0&port=%d&user=kms&sslmode=disable", port)},
		"PGHOST":                   {address: "postgres:///kms", env: far},
		"PGHOST and PGSSLMODE":     {address: "postgres:///kms", env: append(far[:3:3], "PGSSLMODE=disable")},
		"service file":             {address: "postgres:///?service=far&servicefile=" + url.QueryEscape(service)},
		"service of the machine":   {address: "postgres:///", env: []string{"PGSERVICE=far", "PGSERVICEFILE=" + service}},
		"second of several":        {address: fmt.Sprintf("postgres:///kms?host=127.0.0.1,0.0.0.0&port=1,%d&user=kms&sslmode=disable", port)},
		"PGHOST with several, too": {address: "postgres:///kms", env: []string{"PGHOST=127.0.0.1,0.0.0.0", fmt.Sprintf("PGPORT=1,%d", port), "PGUSER=kms", "PGSSLMODE=allow"}},
	} {
		p := newPlainRelay(t, "", way.address)
		p.env = way.env
		if got := p.run("init"); got.code != 2 && got.code != 30 && got.code != 1 {
			t.Errorf("%s: %+v", what, got)
		}
		if n := bare.Swap(0); n != 0 {
			t.Errorf("%s: spoke to it without TLS", what)
		}
	}
}

// A file with API keys that anybody but its owner may read or change is refused.
func readableKeys(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	path := filepath.Join(p.dir, "keys")
	p.write(path, []byte("tenant testnet "+tatumtest.Key+"\n"))
	for mode, code := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 2, 0o620: 2, 0o610: 2, 0o604: 2, 0o602: 2, 0o666: 2} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		got := p.run("fetch", "--api-key-file", path)
		if got.code != code || code != 0 && !strings.Contains(got.err, "others may read") {
			t.Errorf("mode %04o: %+v", mode, got)
		}
	}
}

// A relay that was killed in the middle leaves items held. The same folder in a
// new container, under another name and path, has them back at once; another
// relay says by whom they are held and until when.
func heldByTheDead(t *testing.T) {
	database := pgtest.Start(t).Database(t)
	p := newPlainRelay(t, "", database)
	p.pair()
	p.pay(1)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.killInBroadcast()

	other := newPlainRelay(t, "", database)
	other.server = p.server
	if err := os.Mkdir(other.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(p.state(), "identity.key"))
	if err != nil {
		t.Fatal(err)
	}
	other.write(filepath.Join(other.state(), "identity.key"), key)
	other.must("init")
	got := other.run("broadcast")
	if got.code != 3 || !strings.Contains(got.out, "held by") || !strings.Contains(got.out, p.state()) || !strings.Contains(got.out, "until 20") {
		t.Errorf("another relay: %+v", got)
	}
	var list []struct{ HeldBy, HeldUntil string }
	if other.json(&list, "status", relaytest.ID(1)); len(list) != 1 || !strings.Contains(list[0].HeldBy, p.state()) || list[0].HeldUntil == "" {
		t.Errorf("status: %+v", list)
	}
	moved := filepath.Join(p.dir, "mounted-elsewhere")
	if err := os.Rename(p.state(), moved); err != nil {
		t.Fatal(err)
	}
	p.where = []string{"--state", database, "--dir", moved}
	p.inNewContainer = true
	var sent struct{ Completed []string }
	if p.json(&sent, "broadcast"); len(sent.Completed) != 1 {
		t.Errorf("the same folder elsewhere: %+v", sent)
	}
}

// In a folder's own journal a dead process's clock that was a day ahead keeps
// nothing from going on.
func clockOfTheDead(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	p.pay(1)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.killInBroadcast()
	db, err := sql.Open("sqlite", filepath.Join(p.state(), "journal.db"))
	if err == nil {
		_, err = db.Exec("UPDATE items SET holder = 'gone/x', held_until = held_until + 86400000 WHERE held_until > 0")
		_ = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ Completed []string }
	if p.json(&sent, "broadcast"); len(sent.Completed) != 1 {
		t.Errorf("%+v", sent)
	}
}
