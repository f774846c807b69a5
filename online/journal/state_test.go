//go:build unix

package journal_test

import (
	"os"
	"regexp"
	"testing"

	"coldkms/online/journal"
)

// The docs show the table that the code has.
func TestStatesInDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	must(t, err)
	rows := regexp.MustCompile(`(?m)^\| ([a-z]+) \| ([a-z]+) \| .+ \|$`).FindAllSubmatch(text, -1)
	var documented [][2]journal.State
	for _, row := range rows {
		if string(row[1]) != "from" {
			documented = append(documented, [2]journal.State{journal.State(row[1]), journal.State(row[2])})
		}
	}
	table := journal.Transitions()
	for i := range max(len(table), len(documented)) {
		if i >= len(table) || i >= len(documented) || table[i] != documented[i] {
			t.Fatalf("line %d of the table of states in docs/ARCHITECTURE.md is not what the code has:\n%v\n%v", i+1, documented, table)
		}
	}
}
