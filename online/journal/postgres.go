package journal

import (
	"context"
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
var ErrNotDurable = errors.New("this PostgreSQL server runs with fsync off: what it acknowledges can be lost")

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
	j.db = stdlib.OpenDB(*config)
	j.db.SetMaxOpenConns(connections)
	j.db.SetMaxIdleConns(connections)
	j.d = postgresDialect()
	var fsync string
	if err := j.db.QueryRowContext(ctx, "SHOW fsync").Scan(&fsync); err != nil {
		_ = j.db.Close()
		return fmt.Errorf("journal: %w", away(err))
	}
	if fsync != "on" {
		_ = j.db.Close()
		return fmt.Errorf("journal: %w", ErrNotDurable)
	}
	return nil
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
	if err := demandTLS(u, query); err != nil {
		return nil, err
	}
	u.RawQuery = query.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrAddress, errors.Unwrap(err)) // without the address
	}
	for name, value := range map[string]string{
		"application_name": "kms-online", "synchronous_commit": "on", "default_transaction_isolation": "read committed",
		"lock_timeout": "10s", "statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s",
	} {
		config.RuntimeParams[name] = value
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	return config, nil
}

// demandTLS wants a server on another machine to prove who it is.
func demandTLS(u *url.URL, query url.Values) error {
	hosts := []string{u.Hostname()}
	if h := query.Get("host"); h != "" {
		hosts = strings.Split(h, ",")
	} else if strings.Contains(u.Host, ",") {
		hosts = strings.Split(u.Host, ",")
	}
	if !slices.ContainsFunc(hosts, remote) {
		return nil
	}
	switch query.Get("sslmode") {
	case "":
		query.Set("sslmode", "verify-full")
	case "verify-full", "verify-ca":
	default:
		return fmt.Errorf("%w: sslmode must be verify-full or verify-ca for a server on another machine", ErrAddress)
	}
	return nil
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

// passes says whether an error may be gone at the next try: the connection is
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
