// Package cli is what the three programs have in common at their edge: exit
// codes, how an error is reported to a person, and how data is printed.
//
// stdout is data; stderr is for people, each line starting with the
// program's name; questions go to the terminal itself.
package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"coldkms/shared/screen"
)

// Exit codes, the same in all programs. An unknown code is a failure.
const (
	Done          = 0
	Failed        = 1
	Usage         = 2
	Part          = 3 // done, but some items were refused or failed
	NoWallet      = 10
	Locked        = 11 // by another process
	WrongPassword = 12
	Refused       = 20 // by policy or proof
	Declined      = 21 // by the person
	BadBundle     = 22
	Network       = 30
)

// Files that setup of one program puts onto the stick, and that of the other takes.
const (
	WatchFile = "signer.kmswatch"
	RelayFile = "relay.kmsid"
)

// Error is an error with its exit code and, where there is one, the next
// thing to do.
type Error struct {
	Code int
	Err  error
	Hint string // a sentence or a command to type
}

// Error returns the message without the hint.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fail adds an exit code and a hint ("" for none) to err.
func Fail(code int, err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Err: err, Hint: hint}
}

// Silent ends the program with a code after everything was said already.
func Silent(code int) error { return &Error{Code: code} }

// Streams are the program's outputs.
type Streams struct {
	Out io.Writer // data
	Err io.Writer // people
}

// JSON prints v as Tatum KMS prints its replies: indented by two spaces.
func (s Streams) JSON(v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	// What Printable writes is JSON's own form of an escape as well.
	if _, err := io.WriteString(s.Out, Printable(text.String())); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Run executes a command line and returns the exit code. Errors that say
// nothing of themselves, such as an unknown flag, are usage errors when they
// come from the parser and failures otherwise.
func Run(root *cobra.Command, args []string, s Streams) int {
	root.SetArgs(args)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	var noSuch error
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if args := cmd.Flags().Args(); len(args) > 0 && cmd.HasAvailableSubCommands() {
			noSuch = Fail(Usage, unknownCommand(cmd, args[0], args), "see "+cmd.CommandPath()+" --help")
			return
		}
		printHelp(s.Out, cmd)
	})
	help := helpCommand(root)
	root.SetHelpCommand(help)
	Group(root, about, versionCommand(root, s), completionCommand(root, s), manCommand(root, s), help)
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(root, args[0], args)
		}
		return nil
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return Fail(Usage, err, fmt.Sprintf("see %s --help", cmd.CommandPath()))
	})
	ran, err := root.ExecuteC()
	if err == nil {
		err = noSuch // asked for help about
	}
	if err == nil {
		return Done
	}
	var known *Error
	if !errors.As(err, &known) {
		known = &Error{Code: Failed, Err: err}
		if isUsage(err) {
			known = &Error{Code: Usage, Err: err, Hint: fmt.Sprintf("see %s --help", ran.CommandPath())}
		}
	}
	if known.Err != nil {
		// A file's name may have a line feed: what follows is not to look like a line of this program.
		fmt.Fprintf(s.Err, "%s: %s\n", root.Name(), strings.ReplaceAll(Printable(Typed(root, err.Error())), "\n", "\n  "))
		if known.Hint != "" {
			fmt.Fprintf(s.Err, "%s\n", Printable(Typed(root, known.Hint)))
		}
	}
	return known.Code
}

// place marks a global flag that says where a program works.
const place = "coldkms place"

// Place marks a global flag that says where a program works, such as the path
// of a wallet: the commands that a hint names have it too.
func Place(root *cobra.Command, flag string) {
	_ = root.PersistentFlags().SetAnnotation(flag, place, nil) // the flag is there
}

// Typed returns a hint whose commands work as they are printed: they name the
// place in which this run works, where its own command line did. A flag that a
// command of the hint already has is left as it is.
func Typed(root *cobra.Command, hint string) string {
	flags := places(root)
	if len(flags) == 0 {
		return hint
	}
	var b strings.Builder
	rest := hint
	word := root.Name() + " "
	for before, after, found := strings.Cut(rest, word); found; before, after, found = strings.Cut(rest, word) {
		b.WriteString(before + root.Name())
		if isCommand(root, after) {
			own := " " + commandLine(after)
			for _, f := range flags {
				if !strings.Contains(own, " --"+f.name) {
					b.WriteString(f.typed)
				}
			}
		}
		b.WriteByte(' ')
		rest = after
	}
	return b.String() + rest
}

// placed is a flag that says where a program works, as it was given.
type placed struct{ name, typed string }

// places lists those of this run's command line.
func places(root *cobra.Command) (list []placed) {
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		_, is := f.Annotations[place]
		switch {
		case !is || !f.Changed:
		case f.Value.Type() == "bool" && f.Value.String() == f.NoOptDefVal:
			list = append(list, placed{f.Name, " --" + f.Name})
		case f.Value.Type() == "bool":
			list = append(list, placed{f.Name, " --" + f.Name + "=" + f.Value.String()})
		default:
			list = append(list, placed{f.Name, " --" + f.Name + " " + Quoted(f.Value.String())})
		}
	})
	return list
}

// commandLine returns the command that a text begins with, up to the first
// punctuation after it.
func commandLine(text string) string {
	text, _, _ = strings.Cut(text, ". ")
	if end := strings.IndexAny(text, ";:,(\n"); end >= 0 {
		text = text[:end]
	}
	return text
}

// isCommand reports whether a text begins with one of the program's commands.
func isCommand(root *cobra.Command, text string) bool {
	word := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(word) > 0 && strings.HasPrefix(text, word[0]) &&
		slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == word[0] })
}

// Quoted returns a word of a command line as a shell takes it.
func Quoted(s string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("%+,-./:=@_", r) || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// isUsage recognises cobra's own complaints, which carry no type.
func isUsage(err error) bool {
	for _, start := range []string{"unknown command", "unknown flag", "accepts ", "requires ", "required flag",
		"invalid argument", "if any flags in the group"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

// Printable escapes what could change a terminal or deceive a reader: control
// and format characters (bidirectional marks, zero width, tags), separators of
// lines, what is shown as nothing, and invalid UTF-8. Line breaks inside a
// message stay.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		return s // ASCII, as nearly everything is
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || !screen.Deceives(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r) // as JSON has it
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
