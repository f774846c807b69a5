//go:build unix

// Package pgtest runs a PostgreSQL server of their own for tests and
// measurements, from the programs that the system has installed.
package pgtest

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Environment variables: a server to use instead of a private one (an
// address without password, of a role that may create databases), and whether
// tests fail, rather than being skipped, where there is none.
const (
	AddressEnv = "KMS_POSTGRES"
	NeedEnv    = "KMS_NEED_POSTGRES"
)

// Server is a PostgreSQL server that lives as long as the test.
type Server struct {
	address string // of its first database
	bin     string // "" for one that is not ours
	dir     string
	as      *syscall.Credential
	running *exec.Cmd
	log     bytes.Buffer
}

// ErrNone is returned by New where no server is installed.
var ErrNone = errors.New("no PostgreSQL server found under /usr/lib/postgresql, and " + AddressEnv + " is not set (Debian: apt-get install postgresql)")

// Start starts a server, or finds the one that the environment names. Without
// either the test is skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New()
	if errors.Is(err, ErrNone) && os.Getenv(NeedEnv) == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Remove)
	return s
}

// New is Start for programs other than tests. Remove ends the server.
func New() (*Server, error) {
	if address := os.Getenv(AddressEnv); address != "" {
		return &Server{address: address}, nil
	}
	bin := programs()
	if bin == "" {
		return nil, ErrNone
	}
	s := &Server{bin: bin}
	err := s.make()
	if err == nil {
		err = s.Begin()
	}
	if err != nil {
		s.Remove()
		return nil, err
	}
	return s, nil
}

// programs finds the newest server installed.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	best, newest := "", 0
	for _, path := range found {
		dir := filepath.Dir(path)
		if n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))); n > newest {
			best, newest = dir, n
		}
	}
	if best == "" {
		if path, err := exec.LookPath("postgres"); err == nil {
			best = filepath.Dir(path)
		}
	}
	return best
}

// make prepares the server's folder. PostgreSQL refuses to run as root.
func (s *Server) make() error {
	var err error
	if s.dir, err = os.MkdirTemp("", "coldkms-pg-"); err != nil { // short: a socket's path has 107 bytes
		return err
	}
	if os.Geteuid() == 0 {
		s.as = &syscall.Credential{Uid: 65534, Gid: 65534}
		if u, err := user.Lookup("postgres"); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return err
		}
	}
	cmd := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.address = "postgres:///postgres?" + url.Values{"host": {s.dir}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return cmd
}

// Begin starts the server, and waits until it answers.
func (s *Server) Begin() error {
	s.running = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c",
		"max_connections=200", "-c", "shared_buffers=64MB")
	s.running.Stdout, s.running.Stderr = &s.log, &s.log
	if err := s.running.Start(); err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.address)
	if err != nil {
		return err
	}
	defer db.Close()
	for range 600 {
		if err = db.Ping(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("postgres does not answer: %w", err)
}

// Ours reports whether the server may be stopped.
func (s *Server) Ours() bool { return s.bin != "" }

// Restart stops the server as a crash would, and starts it again.
func (s *Server) Restart() error {
	s.End(syscall.SIGQUIT)
	return s.Begin()
}

// End stops the server: SIGINT ends its connections, SIGQUIT is a crash.
func (s *Server) End(sig syscall.Signal) {
	if s.running == nil {
		return
	}
	_ = s.running.Process.Signal(sig)
	_ = s.running.Wait()
	s.running = nil
}

// Remove ends a server that is ours, and takes its files away.
func (s *Server) Remove() {
	s.End(syscall.SIGQUIT)
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// Database makes a new database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	address, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Create makes a new database and returns its address.
func (s *Server) Create() (address string, err error) {
	name := "t_" + strings.ToLower(rand.Text()[:12])
	db, err := sql.Open("pgx", s.address)
	if err != nil {
		return "", err
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	u, err := url.Parse(s.address)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}
