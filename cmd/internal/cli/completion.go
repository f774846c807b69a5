package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// completionCommand prints a script that lets a shell complete command lines.
func completionCommand(root *cobra.Command, s Streams) *cobra.Command {
	name := root.Name()
	scripts := map[string]func() error{
		"bash":       func() error { return root.GenBashCompletionV2(s.Out, true) },
		"zsh":        func() error { return root.GenZshCompletion(s.Out) },
		"fish":       func() error { return root.GenFishCompletion(s.Out, true) },
		"powershell": func() error { return root.GenPowerShellCompletionWithDesc(s.Out) },
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print a script that completes this program's command lines in a shell",
		Long: `completion prints a script for a shell, with which the Tab key completes commands,
flags, and the files that a command reads. The script asks this program; no password
is asked for on the way, so what is in a wallet is not completed.`,
		Example: strings.ReplaceAll(`  PROG completion bash > ~/.local/share/bash-completion/completions/PROG
  PROG completion zsh > "${fpath[1]}/_PROG"
  PROG completion fish > ~/.config/fish/completions/PROG.fish`, "PROG", name),
		Args: cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []cobra.Completion{
			"bash", "zsh", "fish", "powershell",
		},
		RunE: func(_ *cobra.Command, args []string) error { return scripts[args[0]]() },
	}
}

// Files completes names of files with one of these endings, or of all files.
func Files(endings ...string) cobra.CompletionFunc {
	if len(endings) == 0 {
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// Folders completes names of folders.
func Folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// First completes the first argument with one of some words, and no other.
func First(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			words = nil
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// Complete sets how arguments and flags of commands are completed. The keys of
// args are commands as they are typed after the program's name; flags has the
// names of flags, wherever they are.
func Complete(root *cobra.Command, args, flags map[string]cobra.CompletionFunc) {
	for _, c := range root.Commands() {
		path := strings.TrimPrefix(c.CommandPath(), root.Root().Name()+" ")
		if complete, ok := args[path]; ok {
			c.ValidArgsFunction = complete
		} else if len(c.ValidArgs) == 0 {
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
		for name, complete := range flags {
			if c.LocalNonPersistentFlags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil {
				_ = c.RegisterFlagCompletionFunc(name, complete) // the flag is there
			}
		}
		Complete(c, args, flags)
	}
}
