package cli

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Build says what program this is, as the Go toolchain recorded it.
type Build struct {
	Version string `json:"version"` // of the module; "(devel)" of a checkout without a tag
	Commit  string `json:"commit"`  // "" where it was not built in a checkout
	Date    string `json:"date"`    // of the commit, RFC 3339
	Dirty   bool   `json:"dirty"`   // the checkout had changes that were not committed
	Go      string `json:"go"`
	System  string `json:"system"` // operating system and architecture
}

// buildOf reads what the toolchain recorded.
func buildOf(info *debug.BuildInfo) Build {
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	return Build{
		Version: info.Main.Version,
		Commit:  set["vcs.revision"],
		Date:    set["vcs.time"],
		Dirty:   set["vcs.modified"] == "true",
		Go:      info.GoVersion,
		System:  set["GOOS"] + "/" + set["GOARCH"],
	}
}

// String returns a line for people.
func (b Build) String() string {
	text := b.Version
	if b.Commit != "" {
		text += ", commit " + b.Commit + " of " + b.Date
	}
	if b.Dirty {
		text += ", with changes that were not committed"
	}
	return text + ", " + b.Go + ", " + b.System
}

// versionCommand prints which build this is: `version`, and --version.
func versionCommand(root *cobra.Command, s Streams) *cobra.Command {
	build := Build{Version: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		build = buildOf(info)
	}
	root.Version = build.String()
	return &cobra.Command{
		Use: "version", Short: "print which build this is: version, commit, date, Go", Args: cobra.NoArgs,
		Example: "  " + root.Name() + " version --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asked := cmd.Flags().Lookup("json"); asked != nil && asked.Value.String() == "true" {
				return s.JSON(build)
			}
			_, err := fmt.Fprintf(s.Out, "%s version %s\n", root.Name(), build)
			return err
		},
	}
}

// helpCommand is cobra's, but that a command which does not exist is an error.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "show the help of a command",
		Example: "  " + root.Name() + " help",
		RunE: func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return Fail(Usage, unknownCommand(root, strings.Join(args, " "), args), "see "+root.Name()+" help")
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
	}
}

// unknownCommand names the commands that were perhaps meant.
func unknownCommand(root *cobra.Command, said string, args []string) error {
	text := fmt.Sprintf("unknown command %q", said)
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		text += ": did you mean " + strings.Join(near, " or ") + "?"
	}
	return errors.New(text)
}
