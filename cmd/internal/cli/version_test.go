package cli

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestBuildOf(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Version: "v0.1.0"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-28T00:00:00Z"},
			{Key: "vcs.modified", Value: "true"},
			{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"},
		},
	}
	want := Build{"v0.1.0", "abc", "2026-11-28T00:00:00Z", true, "go1.26.8", "linux/arm64"}
	if got := buildOf(info); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	const line = "v0.1.0, commit abc of 2026-11-28T00:00:00Z, with changes that were not committed, go1.26.8, linux/arm64"
	if got := want.String(); got != line {
		t.Errorf("%q, want %q", got, line)
	}
}

// What is no command ends as wrong usage, and names what was perhaps meant.
func TestUnknownCommands(t *testing.T) {
	for line, want := range map[string]string{
		"singn": "did you mean sign?", "help singn": "did you mean sign?", "help nosuch": `unknown command "nosuch"`,
		"nosuch": `unknown command "nosuch"`, "help sign": "", "help": "", "version": "", "--version": "",
	} {
		var out, err strings.Builder
		root := &cobra.Command{Use: "prog", RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
		root.AddCommand(&cobra.Command{Use: "sign", Run: func(*cobra.Command, []string) {}})
		code := Run(root, strings.Fields(line), Streams{&out, &err})
		switch {
		case want == "" && (code != Done || err.String() != ""):
			t.Errorf("%q: exit %d: %s", line, code, err.String())
		case want != "" && (code != Usage || !strings.Contains(err.String(), want)):
			t.Errorf("%q: exit %d: %s, want %q", line, code, err.String(), want)
		}
	}
}
