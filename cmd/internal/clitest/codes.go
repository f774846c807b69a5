package clitest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
)

// codesDoc is where exit codes are documented.
const codesDoc = "../../docs/EXITCODES.md"

// ExitCodes checks that the exit codes in the source of a program, in its help, in
// that of each of its commands, and in the documentation are the same. Sources are
// the folders that the program's codes come from.
func ExitCodes(t *testing.T, program func() *cobra.Command, sources ...string) {
	t.Helper()
	root := program()
	used := usedCodes(t, sources)
	if said := codesIn(exitStatus(root)); !slices.Equal(said, used) {
		t.Errorf("%s: its help has the codes %v, its source %v", root.Name(), said, used)
	}
	doc, err := os.ReadFile(codesDoc)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc)
	if documented := documentedCodes(t, text, root.Name()); !slices.Equal(documented, used) {
		t.Errorf("%s: %s has the codes %v, its source %v", root.Name(), codesDoc, documented, used)
	}
	each(root, func(c *cobra.Command) {
		status := exitStatus(c)
		for _, code := range codesIn(status) {
			if !slices.Contains(used, code) {
				t.Errorf("%s: its help has the code %d, which the program never ends with", c.CommandPath(), code)
			}
		}
		row := "| `" + c.CommandPath() + "` | " + status + " |\n"
		if status != "" && !strings.Contains(text, row) {
			t.Errorf("%s has to have:\n%s", codesDoc, row)
		}
	})
	for _, m := range regexp.MustCompile("\n\\| `("+root.Name()+" [^`]+)`").FindAllStringSubmatch(text, -1) {
		c, rest, err := root.Find(strings.Fields(m[1])[1:])
		if err != nil || len(rest) > 0 || exitStatus(c) == "" {
			t.Errorf("%s has %s, whose help says nothing of its exit codes", codesDoc, m[1])
		}
	}
}

// exitStatus returns what the help of a command says of its exit codes, in one line.
func exitStatus(c *cobra.Command) string {
	_, text, found := strings.Cut(c.Long, "Exit status: ")
	if !found {
		return ""
	}
	text, _, _ = strings.Cut(text, "\n\n")
	return strings.Join(strings.Fields(text), " ")
}

// codesIn returns the numbers of codes in a text about them, in order.
func codesIn(text string) (codes []int) {
	for _, m := range regexp.MustCompile(`(?:^|[,;:.] |\bor |\band )(\d+)\b`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		codes = append(codes, n)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// numbers returns the codes by their names in the source.
func numbers() map[string]int {
	return map[string]int{
		"Done": cli.Done, "Failed": cli.Failed, "Usage": cli.Usage, "Part": cli.Part, "NoWallet": cli.NoWallet,
		"Locked": cli.Locked, "WrongPassword": cli.WrongPassword, "Refused": cli.Refused,
		"Declined": cli.Declined, "BadBundle": cli.BadBundle, "Network": cli.Network,
	}
}

// usedCodes returns the codes that the files of some folders name, with those that
// every program ends with.
func usedCodes(t *testing.T, folders []string) []int {
	t.Helper()
	codes := []int{cli.Done, cli.Failed, cli.Usage}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, name := range endings(t, path) {
				codes = append(codes, numbers()[name])
			}
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// endings returns the names of codes in a file, but for those of its help.
func endings(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if call, is := n.(*ast.CallExpr); is && selected(call.Fun) == "ExitStatus" {
			return false
		}
		if s, is := n.(*ast.SelectorExpr); is {
			names = append(names, selected(s))
		}
		return true
	})
	return slices.DeleteFunc(names, func(name string) bool {
		_, is := numbers()[name]
		return !is
	})
}

// selected returns NAME of the expression cli.NAME, and "" for any other.
func selected(e ast.Expr) string {
	s, is := e.(*ast.SelectorExpr)
	if !is {
		return ""
	}
	if of, is := s.X.(*ast.Ident); !is || of.Name != "cli" {
		return ""
	}
	return s.Sel.Name
}

// documentedCodes returns the codes that the documentation has of a program.
func documentedCodes(t *testing.T, text, program string) (codes []int) {
	t.Helper()
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue
		}
		at := slices.IndexFunc(cli.Codes(), func(c cli.Code) bool { return c.Code == n })
		if at < 0 || strings.TrimSpace(cells[2]) != cli.Codes()[at].Text || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("%s: not a row about an exit code: %s", codesDoc, line)
		}
		if slices.Contains(strings.Fields(strings.ReplaceAll(cells[3], ",", " ")), program) {
			codes = append(codes, n)
		}
	}
	slices.Sort(codes)
	return codes
}
