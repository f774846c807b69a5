//go:build unix

package loop

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldkms/online/journal"
)

// manyFinished is how many finished items are put into a journal. An index of
// them has about 30 bytes an item.
const manyFinished = 50_000

// grow puts finished items into a journal, as if they had all gone their way.
func (p *plainRelay) grow(database string) {
	p.Helper()
	driver, where := "sqlite", filepath.Join(p.state(), "journal.db")
	numbers, blob := "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d)", "zeroblob(%d)"
	if journal.IsAddress(database) {
		driver, where = "pgx", database
		numbers, blob = "WITH g(i) AS (SELECT generate_series(1, %d))", "decode(repeat('00', %d), 'hex')"
	}
	db, err := sql.Open(driver, where)
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	raw := func(n int) string { return fmt.Sprintf(blob, n) }
	queries := []string{
		"INSERT INTO requests (digest, file, created, items, written) VALUES (" + raw(32) + ", " + raw(1) + ", 1, 1, 1)",
		fmt.Sprintf(numbers, manyFinished) + " INSERT INTO items (id, chain, network, pending, content, withdrawal, state, request, signed, txid, depth, settled, created, updated, since, told, unsigned)" +
			" SELECT 'old-' || i, 'BTC', 2, " + strings.Join([]string{raw(100), raw(32), "''", "'completed'", raw(32), raw(50), "'tx-' || i", "6", "1", "i", "i", "i", "'completed'", "'tx-' || i"}, ", ") + " FROM g",
		fmt.Sprintf("INSERT INTO tally (state, chain, network, slot, items) VALUES ('completed', 'BTC', 2, 1000, %d)", manyFinished),
	}
	if driver == "pgx" { // as it does by itself after a while
		queries = append(queries, "ANALYZE")
	}
	for _, query := range queries {
		if _, err := db.Exec(query); err != nil {
			p.Fatalf("%.80s: %v", query, err)
		}
	}
}

// reads runs a command that succeeds, and returns how many bytes it read, from
// files and from a database server.
func (p *plainRelay) reads(args ...string) (bytesRead int64, out string) {
	p.Helper()
	cmd := p.command(append([]string{"--testnet", "--json"}, args...)...)
	var data, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &data, &words
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	var status unix.Siginfo
	for { // it is left as a zombie, whose figures can be read
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &status, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			p.Fatal(err)
		}
	}
	figures, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", cmd.Process.Pid))
	if err != nil {
		_ = cmd.Wait()
		p.Skipf("what a process reads is not counted here: %v", err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		p.Fatalf("%v: %v\n%s%s", args, err, data.String(), words.String())
	}
	if _, err := fmt.Sscanf(string(figures), "rchar: %d", &bytesRead); err != nil {
		p.Fatal(err)
	}
	return bytesRead, data.String() + words.String()
}

// growth compares what commands read where 50,000 items are finished with what
// they read before: the same, within less than an index of the finished ones.
func growth(t *testing.T, database string) {
	p := newPlainRelay(t, "", database)
	p.pair()
	p.pay(1)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.must("broadcast")
	p.server.Mine(10)
	p.must("watch")
	final := filepath.Join(p.dir, "final.txn")
	p.write(final, []byte(p.server.Sent()[0]))
	commands := [][]string{{"status"}, {"status", "--totals"}, {"fetch"}, {"broadcast"}, {"watch"}, {"import", final}, {"export", "--out", p.stick()}, {"alarms"},
		{"daemon", "--run-once", "--drop", p.stick()}}
	for range 2 { // the second time nothing is new
		for _, args := range commands {
			p.reads(args...)
		}
	}
	small := make([]int64, len(commands))
	for i, args := range commands {
		small[i], _ = p.reads(args...)
	}
	p.grow(database)
	rows := p.rowsRead(database)
	for i, args := range commands {
		large, out := p.reads(args...)
		if large > small[i]+400<<10 {
			t.Errorf("%s read %d bytes, with few items %d", args[0], large, small[i])
		}
		if strings.HasPrefix(args[0], "status") && !strings.Contains(out, fmt.Sprint(manyFinished+1)) {
			t.Errorf("%v does not count what is finished: %.300s", args, out)
		}
	}
	if n := p.rowsRead(database) - rows; n > manyFinished/10 {
		t.Errorf("PostgreSQL read %d rows of items", n)
	}
}

// rowsRead is how many rows of items a PostgreSQL server has read so far, by
// index or without.
func (p *plainRelay) rowsRead(database string) (n int64) {
	if !journal.IsAddress(database) {
		return 0
	}
	db, err := sql.Open("pgx", database)
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	for range 100 { // a connection reports when it ends
		others := 0
		if err := db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&others); err != nil {
			p.Fatal(err)
		}
		if others == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	query := `SELECT coalesce(sum(seq_tup_read), 0) + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE relname = 'items')
		FROM pg_stat_user_tables WHERE relname = 'items'`
	if err := db.QueryRow(query).Scan(&n); err != nil {
		p.Fatal(err)
	}
	return n
}
