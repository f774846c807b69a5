package journal

import (
	"context"
	"database/sql/driver"
	"errors"
)

// maxKept is how many statements a connection keeps: more than the program has,
// but for the filters that a person types.
const maxKept = 256

// kept opens connections that keep their statements. For SQLite to read the
// text of a statement costs more than most statements do.
type kept struct{ driver.Connector }

func (k kept) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keeping{sqliteConn: c.(sqliteConn), free: make(map[string]driver.Stmt)}, nil
}

// sqliteConn is what the driver's connections can do and database/sql asks for.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keeping is a connection with statements that were used before. One that is in
// use is not among them: rows that are still read never share a statement.
type keeping struct {
	sqliteConn
	free map[string]driver.Stmt // by text
}

// take returns a statement that nobody uses.
func (k *keeping) take(ctx context.Context, query string) (driver.Stmt, error) {
	if s, ok := k.free[query]; ok {
		delete(k.free, query)
		return s, nil
	}
	return k.PrepareContext(ctx, query)
}

// put keeps a statement for its next use.
func (k *keeping) put(query string, s driver.Stmt) error {
	if _, twice := k.free[query]; twice || len(k.free) >= maxKept {
		return s.Close()
	}
	k.free[query] = s
	return nil
}

func (k *keeping) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	done, err := s.(driver.StmtExecContext).ExecContext(ctx, args)
	if err != nil {
		_ = s.Close() // says again what err says
		return nil, err
	}
	return done, k.put(query, s)
}

func (k *keeping) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		_ = s.Close() // says again what err says
		return nil, err
	}
	return &keptRows{Rows: rows, conn: k, query: query, statement: s}, nil
}

// Close closes the statements, then the connection.
func (k *keeping) Close() error {
	var all []error
	for _, s := range k.free {
		all = append(all, s.Close())
	}
	clear(k.free)
	return errors.Join(append(all, k.sqliteConn.Close())...)
}

// keptRows returns its statement to the pool when it is closed.
type keptRows struct {
	driver.Rows
	conn      *keeping
	query     string
	statement driver.Stmt // nil once it was given back
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	s := r.statement
	r.statement = nil
	switch {
	case s == nil:
		return err
	case err != nil:
		_ = s.Close()
		return err
	}
	return r.conn.put(r.query, s)
}
