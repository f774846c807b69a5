// Package clitest has the tests that the help and the manual pages of every
// program pass.
package clitest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"coldkms/cmd/internal/cli"
)

// Help checks that each command of a program has a text and an example, that the
// help names it under a heading, and that no line is wider than 80 columns but
// what is to be typed.
func Help(t *testing.T, program func() *cobra.Command) {
	t.Helper()
	root := program()
	each(root, func(c *cobra.Command) {
		if c.Short == "" || !strings.Contains(c.Example, strings.TrimPrefix(c.CommandPath(), root.Name()+" ")) {
			t.Errorf("%s has no short text, or no example of its own", c.CommandPath())
		}
		if c.Parent() == root && len(root.Groups()) > 0 && c.GroupID == "" {
			t.Errorf("%s is in no group", c.CommandPath())
		}
		for line := range strings.Lines(run(t, program(), append(words(c), "--help")...)) {
			if len([]rune(line)) > 81 && !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: a wide line in its help: %s", c.CommandPath(), line)
			}
		}
	})
	overview := run(t, program(), "help")
	for _, c := range root.Commands() {
		if !strings.Contains(overview, "\n  "+c.Name()+" ") {
			t.Errorf("help does not list %s", c.Name())
		}
	}
}

// Man checks that there is a manual page for each command, and that it has all
// that the help has: texts, flags, examples, commands below.
func Man(t *testing.T, program func() *cobra.Command) {
	t.Helper()
	root := program()
	pages := strings.Split(strings.TrimSpace(run(t, program(), "man", "--list")), "\n")
	listed := make(map[string]bool)
	for _, p := range pages {
		listed[p] = true
	}
	each(root, func(c *cobra.Command) {
		if !listed[c.CommandPath()] {
			t.Errorf("no manual page of %s", c.CommandPath())
			return
		}
		page := plain(run(t, program(), append([]string{"man"}, words(c)...)...))
		for _, part := range [...]string{c.Short, c.Long, c.Example} {
			for word := range strings.FieldsSeq(strings.ReplaceAll(part, "Exit status:", "")) {
				if !strings.Contains(page, word) {
					t.Errorf("%s: its manual page lacks %q", c.CommandPath(), word)
				}
			}
		}
		flags := func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, "--"+f.Name) {
				t.Errorf("%s: its manual page lacks --%s", c.CommandPath(), f.Name)
			}
		}
		c.LocalFlags().VisitAll(flags)
		c.InheritedFlags().VisitAll(flags)
		for _, sub := range c.Commands() {
			if !sub.Hidden && !strings.Contains(page, c.Name()+"-"+sub.Name()) {
				t.Errorf("%s: its manual page does not lead to %s", c.CommandPath(), sub.Name())
			}
		}
	})
}

// plain returns a page without the escapes of troff.
func plain(page string) string {
	return strings.NewReplacer(`\-`, "-", `\e`, `\`, `\&`, "").Replace(page)
}

func words(c *cobra.Command) []string { return strings.Fields(c.CommandPath())[1:] }

// each calls look with each visible command below root.
func each(root *cobra.Command, look func(*cobra.Command)) {
	for _, c := range root.Commands() {
		if !c.Hidden {
			look(c)
			each(c, look)
		}
	}
}

// run returns what a command line prints.
func run(t *testing.T, root *cobra.Command, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Run(root, args, cli.Streams{Out: &out, Err: &errs}); code != cli.Done {
		t.Fatalf("%v: exit %d: %s", args, code, errs.String())
	}
	return out.String()
}
