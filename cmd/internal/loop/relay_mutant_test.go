package loop

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutantsEnv makes TestMutants seed every fault, not only the first ones.
const mutantsEnv = "KMS_MUTANTS"

// mutant is a fault put into the code, and the test that must see it.
type mutant struct {
	name, file, from, to string
	pkg, test            string
}

// The first five are what a relay must never do; `make test` has these.
var mutants = [...]mutant{
	{"broadcast before journal", "online/import.go",
		"		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"		for _, x := range s.signed {\n			_, _ = r.Tatum.Broadcast(ctx, s.items[x.ID].Chain, x.ID, fmt.Sprintf(\"%x\", x.Raw))\n		}\n		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"./online", "TestJournaledBeforeSent"},
	{"no fsync", "online/journal/sqlite.go", `"synchronous(FULL)"`, `"synchronous(OFF)"`, "./online/journal", "TestSettings"},
	{"trust of failed", "online/tatum/broadcast.go", `Completed: absent(reply.Failed, "false") && `, `Completed: true || `, "./online", "TestBroadcastReplies"},
	{"lease ignored", "online/journal/lease.go", `return " AND holder = ? AND held_until > {now}", []any{l.holder}`, `return "", nil`, "./online/journal", "TestLease"},
	{"id reuse accepted", "online/journal/items.go", "return Changed, nil", "return Same, nil", "./online/journal", "TestAdd"},

	{"other bytes accepted", "online/journal/bundles.go", "if !bytes.Equal(have, s.Raw) {", "if false && !bytes.Equal(have, s.Raw) {", "./online/journal", "TestSignedOnce"},
	{"signed bytes may change", "online/journal/schema.go", "WHEN OLD.signed IS NOT NULL AND (NEW.signed IS NOT", "WHEN 1 = 0 AND (NEW.signed IS NOT", "./online/journal", "TestSignedOnce"},
	{"a lease that ran out is good", "online/journal/lease.go", `return " AND holder = ? AND held_until > {now}"`, `return " AND holder = ?"`, "./online/journal", "TestLeaseExpires"},
	{"a lost commit is made again", "online/journal/journal.go", "if n, err := done.RowsAffected(); err != nil || n == 0 {\n				return err", "if n, err := done.RowsAffected(); err != nil && n == 0 {\n				return err", "./online/journal", "TestPostgresLostCommit"},
	{"completed under any txid", "online/broadcast.go", "if strings.EqualFold(txid, s.item.TxID) {", "if true || strings.EqualFold(txid, s.item.TxID) {", "./online", "TestSomebodyElseCompleted"},
	{"a reply with another txid is taken", "online/broadcast.go", "if err == nil && !strings.EqualFold(reply.TxID, s.item.TxID) {", "if err == nil && false {", "./online", "TestBroadcastTroubles"},
	{"two ids paid by one payment", "online/broadcast.go", "payer != s.item.ID {", "false && payer != s.item.ID {", "./online", "TestSameTransaction"},
	{"any 404 is gone", "online/status.go", `errors.As(err, &said) && said.Code == "kms.missing"`, "errors.As(err, &said) && said.Status == 404", "./online", "TestRejectNotFound"},
	{"a late signature is lost", "online/journal/state.go", "	{Prepared, Signed}, // as above\n", "", "./online/journal", "TestLateSignature"},
	{"a change in company leaves half of itself", "online/journal/group.go", `"ROLLBACK TO SAVEPOINT alone"`, `"SELECT 1"`, "./online/journal", "TestTogether"},
	{"a dead end is sent for ever", "online/deadend.go", "	case r == nil:\n", "	case r == nil, true:\n", "./online", "TestInputsSpent"},

	{"a stranger's result is expanded", "shared/bundle/result.go", "	if err := accept(signer); err != nil {\n",
		"	if _, err := expand(rest); err != nil {\n		return SealedResult{}, err\n	}\n	if err := accept(signer); err != nil {\n",
		"./shared/bundle", "TestStrangersFileIsNotExpanded"},

	{"crash harness, broadcast before journal", "online/import.go",
		"		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"		for _, x := range s.signed {\n			_, _ = r.Tatum.Broadcast(ctx, s.items[x.ID].Chain, x.ID, fmt.Sprintf(\"%x\", x.Raw))\n		}\n		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"./cmd/internal/loop", "TestCrash"},
	{"crash harness, trust of failed", "online/tatum/broadcast.go", `Completed: absent(reply.Failed, "false") && `, `Completed: true || `, "./cmd/internal/loop", "TestCrash"},
}

// Every seeded fault is seen by its test.
func TestMutants(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	list := mutants[:]
	if os.Getenv(mutantsEnv) == "" {
		list = list[:5]
	}
	for _, m := range list {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) { m.caught(t, root) })
	}
}

func (m mutant) caught(t *testing.T, root string) {
	path := filepath.Join(root, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(m.from)); n != 1 {
		t.Fatalf("%s has %d places for this fault, want 1: the code has changed, change the fault with it", m.file, n)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{changed: bytes.Replace(source, []byte(m.from), []byte(m.to), 1), overlay: list} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-run", "^"+m.test+"$", m.pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay) // for the programs that the test builds, too
	out, err := cmd.CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("--- SKIP: "+m.test)), err == nil && bytes.Contains(out, []byte("no PostgreSQL")):
		t.Skipf("%s was skipped", m.test)
	case err == nil:
		t.Errorf("%s does not see it", m.test)
	case !bytes.Contains(out, []byte("--- FAIL: "+m.test)):
		t.Errorf("no failure of %s, but:\n%.2000s", m.test, out)
	}
}
