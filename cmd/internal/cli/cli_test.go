package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Nothing that changes a terminal or deceives a reader passes.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain äöü 鍵\n":   "plain äöü 鍵\n",
		"\x1b[31mred":     `\u001b[31mred`,
		"a\u202eb":        `a\u202eb`,
		"a\u200bb\ufeffc": `a\u200bb\ufeffc`,
		"\x00\x7f\u0085":  `\u0000\u007f\u0085`,
		"bad \xff utf-8":  `bad \ufffd utf-8`,
		"a\tb\rc":         `a\u0009b\u000dc`,
		"a\u0600\u180eb":  `a\u0600\u180eb`,
		"a\ufff9b\ufffbc": `a\ufff9b\ufffbc`,
		"a\u3164\ufe0fb":  `a\u3164\ufe0fb`, // shown as nothing
		"a\U000e0041":     `a\udb40\udc41`,
		"a\u2800b":        `a\u2800b`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestRunExitCodes(t *testing.T) {
	root := func(err error) *cobra.Command {
		c := &cobra.Command{Use: "prog", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return err }}
		c.Flags().Bool("flag", false, "")
		return c
	}
	for _, c := range []struct {
		err  error
		args []string
		code int
		says string
	}{
		{nil, nil, Done, ""},
		{errors.New("broken"), nil, Failed, "prog: broken\n"},
		{Fail(WrongPassword, errors.New("wrong"), "do this"), nil, WrongPassword, "prog: wrong\ndo this\n"},
		{Silent(Part), nil, Part, ""},
		{nil, []string{"--nonsense"}, Usage, "unknown flag"},
		{nil, []string{"extra"}, Usage, "unknown command"},
		{errors.New("bad \x1b name"), nil, Failed, `bad \u001b name`},
	} {
		var out, errs bytes.Buffer
		if got := Run(root(c.err), append([]string{}, c.args...), Streams{Out: &out, Err: &errs}); got != c.code {
			t.Errorf("%v %v: exit code %d, want %d", c.err, c.args, got, c.code)
		}
		if !strings.Contains(errs.String(), c.says) || (c.says == "" && errs.Len() > 0) {
			t.Errorf("%v %v: says %q, want %q", c.err, c.args, errs.String(), c.says)
		}
	}
}

// JSON on a terminal is text on a terminal: control sequences that the
// encoder leaves as they are come out escaped, and mean the same.
func TestJSONIsPrintable(t *testing.T) {
	var out bytes.Buffer
	const hostile = "a\u009b31mb\u202ec ä"
	if err := (Streams{Out: &out}).JSON(map[string]string{"x": hostile}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\u009b\u202e") {
		t.Errorf("%q", out.String())
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["x"] != hostile {
		t.Errorf("%q came back as %q (%v)", hostile, back["x"], err)
	}
}

// What a file's name brings into an error or its hint neither changes a terminal
// nor looks like a line of the program.
func TestHintsArePrintable(t *testing.T) {
	var stderr bytes.Buffer
	root := &cobra.Command{Use: "kms", RunE: func(*cobra.Command, []string) error {
		return Fail(Refused, errors.New("no file x\nkms: all is well"), "move \x1b[31m\u2800 away")
	}}
	if code := Run(root, nil, Streams{Out: &bytes.Buffer{}, Err: &stderr}); code != Refused {
		t.Errorf("exit %d", code)
	}
	if got, want := stderr.String(), "kms: no file x\n  kms: all is well\nmove \\u001b[31m\\u2800 away\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A hint's commands name the place that the command line named, and nothing
// else changes.
func TestTyped(t *testing.T) {
	for args, want := range map[string]string{
		"":                   "kms-x sign FILE, kms-x --help; the other kms-x has kms-x's wallet; then kms-x approve",
		"--path a/b.kms":     "kms-x --path a/b.kms sign FILE, kms-x --help; the other kms-x has kms-x's wallet; then kms-x --path a/b.kms approve",
		"--path=it's --json": `kms-x --path 'it'\''s' sign FILE, kms-x --help; the other kms-x has kms-x's wallet; then kms-x --path 'it'\''s' approve`,
		"--json":             "kms-x sign FILE, kms-x --help; the other kms-x has kms-x's wallet; then kms-x approve",
	} {
		root := &cobra.Command{Use: "kms-x", RunE: func(*cobra.Command, []string) error {
			return Fail(Refused, errors.New("no"),
				"kms-x sign FILE, kms-x --help; the other kms-x has kms-x's wallet; then kms-x approve")
		}}
		root.AddCommand(&cobra.Command{Use: "sign FILE"}, &cobra.Command{Use: "approve"})
		root.PersistentFlags().String("path", "", "")
		root.PersistentFlags().Bool("json", false, "")
		Place(root, "path")
		var stderr bytes.Buffer
		if code := Run(root, strings.Fields(args), Streams{Out: io.Discard, Err: &stderr}); code != Refused {
			t.Errorf("exit %d", code)
		}
		if got := stderr.String(); got != "kms-x: no\n"+want+"\n" {
			t.Errorf("%q: %s", args, got)
		}
	}
}
