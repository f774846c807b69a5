package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// Widths of help in columns: of what is no terminal, and the bounds of what a
// terminal says of itself.
const (
	defaultWidth = 80
	minWidth     = 40
	maxWidth     = 100
)

// Group adds commands to a program under a heading of their own.
func Group(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
	}
	root.AddCommand(commands...)
}

// about is the group of the commands that every program has.
const about = "This program"

// helpPage is the help of a command as it is printed.
type helpPage struct {
	strings.Builder
	width int
	bold  bool
}

// printHelp writes the help of a command for the terminal that w is.
func printHelp(w io.Writer, cmd *cobra.Command) {
	p := &helpPage{width: defaultWidth}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			p.width = min(max(columns, minWidth), maxWidth)
		}
		p.bold = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	p.write(cmd)
	_, _ = io.WriteString(w, p.String())
}

func (p *helpPage) write(cmd *cobra.Command) {
	long := cmd.Long
	if long == "" {
		long = cmd.Short
	}
	for _, block := range blocks(long) {
		p.block(block, 0)
		p.WriteByte('\n')
	}
	p.heading("Usage")
	if cmd.Runnable() {
		p.line(cmd.UseLine(), 2, 6)
	}
	if cmd.HasAvailableSubCommands() {
		p.line(cmd.CommandPath()+" COMMAND", 2, 6)
	}
	if cmd.HasExample() {
		p.WriteByte('\n')
		p.heading("Examples")
		p.WriteString(strings.TrimRight(cmd.Example, "\n") + "\n")
	}
	for _, g := range groupsOf(cmd) {
		p.WriteByte('\n')
		p.heading(g.title)
		for _, c := range g.commands {
			p.entry(c.Name(), c.Short, cmd.Commands()[0].NamePadding()+4)
		}
	}
	p.flags("Flags", cmd.LocalFlags())
	p.flags("Flags of every command", cmd.InheritedFlags())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(p, "\n%s COMMAND --help shows the help of a command.\n", cmd.CommandPath())
	}
}

// group is commands under a heading.
type group struct {
	title    string
	commands []*cobra.Command
}

// groupsOf returns the visible commands below a command, those without a group first.
func groupsOf(cmd *cobra.Command) (list []group) {
	titles := []string{""}
	for _, g := range cmd.Groups() {
		titles = append(titles, g.Title)
	}
	for _, title := range titles {
		g := group{title: title}
		for _, c := range cmd.Commands() {
			if c.GroupID == title && !c.Hidden {
				g.commands = append(g.commands, c)
			}
		}
		if title == "" {
			g.title = "Commands"
		}
		if len(g.commands) > 0 {
			list = append(list, g)
		}
	}
	return list
}

func (p *helpPage) heading(title string) {
	if p.bold {
		title = "\x1b[1m" + title + "\x1b[0m"
	}
	p.WriteString(title + ":\n")
}

// flags writes a line for each flag, and what it is for below it.
func (p *helpPage) flags(title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p.WriteByte('\n')
	p.heading(title)
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			p.entry(flagName(f), flagUsage(f), flagColumn)
		}
	})
}

// flagColumn is where the texts about flags begin.
const flagColumn = 26

// flagName returns a flag as it is typed, with the kind of its value.
func flagName(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	switch kind, _ := pflag.UnquoteUsage(f); kind {
	case "":
		return name
	case "string", "strings", "stringArray":
		return name + " VALUE"
	case "int", "uint":
		return name + " N"
	case "duration":
		return name + " TIME"
	default:
		return name + " " + kind
	}
}

// flagUsage returns what a flag is for, with its default unless that is nothing.
func flagUsage(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "false", "[]", "0s", "-1":
		return usage
	}
	return usage + " (default " + f.DefValue + ")"
}

// entry writes a name, and beside it from a column on what it is.
func (p *helpPage) entry(name, text string, column int) {
	column = min(column, p.width/2)
	lead := "  " + name
	if n := utf8.RuneCountInString(lead); n+2 <= column {
		lead += strings.Repeat(" ", column-n)
	} else {
		p.WriteString(lead + "\n")
		lead = strings.Repeat(" ", column)
	}
	for _, line := range wrapped(text, p.width-column) {
		p.WriteString(lead + line + "\n")
		lead = strings.Repeat(" ", column)
	}
}

// line writes a text from a column on, and what does not fit further in.
func (p *helpPage) line(text string, first, rest int) {
	for i, line := range wrapped(text, p.width-rest) {
		indent := rest
		if i == 0 {
			indent = first
		}
		p.WriteString(strings.Repeat(" ", indent) + line + "\n")
	}
}

// block writes a paragraph, or what is indented as it is.
func (p *helpPage) block(text string, indent int) {
	if strings.HasPrefix(text, " ") {
		p.WriteString(text + "\n")
		return
	}
	p.line(text, indent, indent)
}

// blocks cuts a text into paragraphs, and what is indented, such as a command to
// type, apart from them.
func blocks(text string) (list []string) {
	var open []string
	end := func() {
		if len(open) > 0 {
			list = append(list, strings.Join(open, "\n"))
		}
		open = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || len(open) > 0 && strings.HasPrefix(line, " ") != strings.HasPrefix(open[0], " ") {
			end()
		}
		if line != "" {
			open = append(open, line)
		}
	}
	end()
	return list
}

// wrapped breaks a text between its words into lines of a width, or wider ones
// where a word is.
func wrapped(text string, width int) (lines []string) {
	line, has := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case line == "":
			line, has = word, n
		case has+1+n <= width:
			line, has = line+" "+word, has+1+n
		default:
			lines = append(lines, line)
			line, has = word, n
		}
	}
	return append(lines, line)
}
