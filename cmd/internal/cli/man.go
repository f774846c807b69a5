package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand writes manual pages from the texts of the help. It is for `make man`.
func manCommand(root *cobra.Command, s Streams) *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use: "man [COMMAND...]", Hidden: true,
		Short: "write the manual page of a command in roff; --list: names of all pages",
		Example: "  " + root.Name() + " man | man -l -\n" +
			"  " + root.Name() + " man --list",
		RunE: func(_ *cobra.Command, args []string) error {
			if list {
				return listPages(s.Out, root)
			}
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return Fail(Usage, unknownCommand(root, strings.Join(args, " "), args), "see "+root.Name()+" help")
			}
			_, err = io.WriteString(s.Out, manPage(found))
			return err
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "the words of the command of each page, a line for each")
	return cmd
}

// listPages prints the path of each command that has a page.
func listPages(w io.Writer, cmd *cobra.Command) error {
	if _, err := fmt.Fprintln(w, cmd.CommandPath()); err != nil {
		return err
	}
	for _, c := range cmd.Commands() {
		if c.Hidden {
			continue
		}
		if err := listPages(w, c); err != nil {
			return err
		}
	}
	return nil
}

// pageName returns the name of the manual page of a command.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage returns the manual page of a command.
func manPage(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"Coldkms\"\n", strings.ToUpper(roff(pageName(cmd))))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	b.WriteString(".SH DESCRIPTION\n")
	description, status := cmd.Long, ""
	if description == "" {
		description = cmd.Short
	}
	for _, block := range blocks(description) {
		switch rest, is := strings.CutPrefix(block, exitStatus); {
		case is:
			status = rest
		case strings.HasPrefix(block, " "):
			fmt.Fprintf(&b, ".PP\n.nf\n%s\n.fi\n", roff(block))
		default:
			fmt.Fprintf(&b, ".PP\n%s\n", roff(block))
		}
	}
	manCommands(&b, cmd)
	manFlags(&b, "OPTIONS", cmd.LocalFlags())
	manFlags(&b, "OPTIONS OF EVERY COMMAND", cmd.InheritedFlags())
	if status != "" {
		fmt.Fprintf(&b, ".SH EXIT STATUS\n%s\n", roff(strings.TrimSpace(status)))
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(strings.TrimRight(cmd.Example, "\n")))
	}
	manSeeAlso(&b, cmd)
	return b.String()
}

// exitStatus begins the paragraph of a help about exit codes.
const exitStatus = "Exit status:"

func manCommands(b *strings.Builder, cmd *cobra.Command) {
	for _, g := range groupsOf(cmd) {
		fmt.Fprintf(b, ".SH %s\n", strings.ToUpper(roff(g.title)))
		for _, c := range g.commands {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(c.Name()), roff(c.Short))
		}
	}
}

func manFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(flagName(f)), roff(flagUsage(f)))
		}
	})
}

func manSeeAlso(b *strings.Builder, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageName(cmd.Parent()))
	}
	for _, g := range groupsOf(cmd) {
		for _, c := range g.commands {
			pages = append(pages, pageName(c))
		}
	}
	if len(pages) > 0 {
		fmt.Fprintf(b, ".SH SEE ALSO\n.BR %s (1)\n", strings.Join(roffAll(pages), " (1),\n.BR "))
	}
}

func roffAll(list []string) []string {
	for i, text := range list {
		list[i] = roff(text)
	}
	return list
}

// roff escapes a text for troff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
