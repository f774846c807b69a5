package journal

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// ErrAddress is returned for a postgres:// address that is not to be used.
var ErrAddress = errors.New("database address is not usable")

// ErrNotDurable is returned for a server that acknowledges what is not on disk.
var ErrNotDurable = errors.New("what this PostgreSQL server acknowledges can be lost")

// IsAddress tells the address of a database from a path.
func IsAddress(where string) bool { return strings.Contains(where, "://") }

// connections is how many one relay has open: as many as it makes calls at a
// time would only wait for the same rows.
const connections = 4

func openPostgres(ctx context.Context, j *Journal, address string) error {
	config, err := parseAddress(address)
	if err != nil {
		return err
	}
	j.db.DB = stdlib.OpenDB(*config)
	j.db.SetMaxOpenConns(connections)
	j.db.SetMaxIdleConns(connections)
	j.d = postgresDialect()
	j.db.d = j.d
	if err := j.durable(ctx); err != nil {
		_ = j.db.Close()
		return fmt.Errorf("journal: %w", away(err))
	}
	return nil
}

// durable looks whether a commit that is acknowledged is on the server's disk.
func (j *Journal) durable(ctx context.Context) error {
	for _, name := range []string{"fsync", "synchronous_commit"} {
		var value string
		if err := j.db.QueryRowContext(ctx, "SELECT current_setting(?)", name).Scan(&value); err != nil {
			return err
		}
		if value == "off" {
			return fmt.Errorf("%w: %s is off", ErrNotDurable, name)
		}
	}
	return nil
}

// guard sets, for one transaction, what it rests on. Not for the session: a
// pooler hands each transaction to another one, and takes few parameters when
// a connection starts.
func (j *Journal) guard(ctx context.Context, t tx) error {
	if !j.shared {
		return nil
	}
	var commit string
	err := t.QueryRowContext(ctx, `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true),
		set_config('lock_timeout', '10s', true), set_config('statement_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '60s', true)`).Scan(&commit, new(string), new(string), new(string))
	if err == nil && commit == "off" {
		err = fmt.Errorf("%w: synchronous_commit is off", ErrNotDurable)
	}
	return err
}

// CheckAddress says, without connecting, whether an address may be used.
func CheckAddress(address string) error {
	_, err := parseAddress(address)
	return err
}

// parseAddress reads an address. A password in it would be seen by every user
// of the machine in the list of processes, so it is refused unread; an
// address in an error is never repeated.
func parseAddress(address string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, fmt.Errorf("%w: want postgres://user@host/database", ErrAddress)
	}
	_, secret := u.User.Password()
	query := u.Query()
	if secret || query.Has("password") || query.Has("sslpassword") {
		return nil, fmt.Errorf("%w: it has a password in it, which the list of processes shows to everyone: put it into ~/.pgpass, or into a file named by ?passfile=FILE", ErrAddress)
	}
	if !query.Has("target_session_attrs") {
		query.Set("target_session_attrs", "read-write") // never a standby
	}
	config, err := resolve(u, query)
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // no named statements: a pooler would mix them up
	config.RuntimeParams["application_name"] = "kms-online"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	return config, nil
}

// resolve has pgx gather hosts and TLS from the address, the environment and
// service files, and looks at what it found: a server on another machine must
// prove who it is, wherever its name came from.
func resolve(u *url.URL, query url.Values) (*pgx.ConnConfig, error) {
	config, err := parse(u, query)
	if err != nil || proven(config) {
		return config, err
	}
	if !query.Has("sslmode") {
		query.Set("sslmode", "verify-full")
		if config, err = parse(u, query); err != nil || proven(config) {
			return config, err
		}
	}
	return nil, fmt.Errorf("%w: sslmode must be verify-full or verify-ca for a server on another machine", ErrAddress)
}

func parse(u *url.URL, query url.Values) (*pgx.ConnConfig, error) {
	full := *u
	full.RawQuery = query.Encode()
	config, err := pgx.ParseConfig(full.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrAddress, errors.Unwrap(err)) // without the address
	}
	return config, nil
}

// proven reports whether every server that pgx would try is on this machine,
// or has to show a certificate that is verified.
func proven(config *pgx.ConnConfig) bool {
	verified := func(host string, t *tls.Config) bool {
		return !remote(host) || t != nil && (!t.InsecureSkipVerify || t.VerifyPeerCertificate != nil || t.VerifyConnection != nil)
	}
	return verified(config.Host, config.TLSConfig) &&
		!slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return !verified(f.Host, f.TLSConfig) })
}

func remote(host string) bool {
	if host == "" || strings.HasPrefix(host, "/") || host == "localhost" {
		return false
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !addr.IsLoopback())
}

// ErrAway is returned where the database cannot be reached, or not any more.
var ErrAway = errors.New("the database does not answer")

func away(err error) error {
	if passes(err) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// passes reports whether an error may be gone at the next try: the connection is
// lost, the server is on its way down or up, or two transactions met.
func passes(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03", "25P03":
			return true
		}
		return strings.HasPrefix(said.Code, "08")
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || lost(err)
}

// lost catches what pgx says without a type of its own.
func lost(err error) bool {
	text := err.Error()
	return strings.Contains(text, "conn closed") || strings.Contains(text, "conn busy")
}

// isNoTable reports whether PostgreSQL says that a table is not there.
func isNoTable(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "42P01"
}
