package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"coldkms/shared/durable"
)

// maxConfig bounds a configuration file in bytes.
const maxConfig = 64 << 10

// Config is how a program takes flags from a file: a flag of the command line wins
// over the environment, the environment over the file.
type Config struct {
	FS      durable.FS
	Default func() (string, error) // the file where --config names none; it need not be there
	Getenv  func(string) string

	// Flags of every command that the file may have, and by command those of its
	// own, as "daemon.drop". No secret is among them, and no answer to a question.
	Flags []string
	Env   map[string]string // variables that stand for flags

	// Check returns an error for values that a flag cannot have, by its name in Flags,
	// where its type takes them. It is asked by every command.
	Check map[string]func(values []string) error

	file string // --config
	read string // the file that was read, "" for none

	// By name in Flags, of the lines that were read: where each is, and its value.
	from, values map[string]string
}

// Setting is a flag with where its value comes from.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"` // flag, environment, default, or the file and its line
}

// Configure has every command of a program take its flags from the file, too.
func (c *Config) Configure(root *cobra.Command) {
	root.PersistentFlags().StringVar(&c.file, "config", "",
		"file with flags, one a line, such as: testnet = true (docs/CONFIG.md); none: read no file")
	Place(root, "config")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.GroupID == about || cmd.Name() == root.Name() {
			return nil
		}
		return c.apply(root, cmd)
	}
}

// apply sets the flags of a command that the file has and the command line has not.
func (c *Config) apply(root, cmd *cobra.Command) error {
	path, text, err := c.load()
	if err != nil || path == "" {
		return err
	}
	c.read, c.from, c.values = path, make(map[string]string), make(map[string]string)
	lines, err := parseConfig(text)
	if err != nil {
		return Fail(Usage, fmt.Errorf("%s: %w", path, err), configHint)
	}
	for _, l := range lines {
		if err := c.set(root, cmd, l); err != nil {
			return Fail(Usage, fmt.Errorf("%s, line %d: %w", path, l.number, err), configHint)
		}
	}
	return nil
}

const configHint = "docs/CONFIG.md lists what a configuration file may have; --config none reads no file"

// load reads the file. It returns no path where there is none to read.
func (c *Config) load() (path, text string, err error) {
	path = c.file
	switch path {
	case "none":
		return "", "", nil
	case "":
		if path, err = c.Default(); err != nil {
			return "", "", nil // no home folder, no file in it
		}
	}
	b, err := durable.ReadFile(c.FS, path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) && c.file == "" {
		return "", "", nil
	}
	if err == nil {
		err = durable.CheckFile(c.FS, path)
	}
	if err != nil {
		return "", "", Fail(Usage, fmt.Errorf("configuration file: %w", err), configHint)
	}
	return path, string(b), nil
}

// configLine is a line of the file that sets a flag.
type configLine struct {
	name   string // with its section, as "daemon.drop"
	values []string
	number int
}

// set sets one flag, unless it is another command's, or something before the file
// has it. A value that the flag cannot have is an error in any case.
func (c *Config) set(root, cmd *cobra.Command, l configLine) error {
	if !slices.Contains(c.Flags, l.name) {
		return fmt.Errorf("%.60q is not for a configuration file", l.name)
	}
	of, f := flagOf(root, cmd, l.name)
	if f == nil {
		return fmt.Errorf("there is no flag --%s", l.name)
	}
	before := valuesOf(f)
	if err := setFlag(f, l.values); err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	c.from[l.name], c.values[l.name] = fmt.Sprintf("%s, line %d", c.read, l.number), f.Value.String()
	if of != cmd || f.Changed || c.fromEnv(l.name) {
		if err := setFlag(f, before); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	if check := c.Check[l.name]; check != nil {
		if err := check(l.values); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// flagOf returns a flag by its name in a file, and the command whose it is: cmd for
// one of every command. The flag is nil if there is none.
func flagOf(root, cmd *cobra.Command, name string) (*cobra.Command, *pflag.Flag) {
	section, own, isOwn := strings.Cut(name, ".")
	if !isOwn {
		return cmd, cmd.Flags().Lookup(name)
	}
	for _, c := range root.Commands() {
		if c.Name() == section {
			return c, c.Flags().Lookup(own)
		}
	}
	return nil, nil
}

func valuesOf(f *pflag.Flag) []string {
	if list, is := f.Value.(pflag.SliceValue); is {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

func setFlag(f *pflag.Flag, values []string) error {
	if list, is := f.Value.(pflag.SliceValue); is {
		return list.Replace(values)
	}
	if len(values) != 1 {
		return errors.New("it takes one value")
	}
	if err := f.Value.Set(values[0]); err != nil {
		if want := wanted(f.Value.Type()); want != "" {
			return fmt.Errorf("%.60q is not %s", values[0], want)
		}
		return err
	}
	return nil
}

// wanted returns what a flag takes, by its type.
func wanted(kind string) string {
	switch kind {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "duration":
		return "a time such as 30s, 5m or 2h"
	}
	return ""
}

func (c *Config) fromEnv(flag string) bool { return c.Env[flag] != "" && c.Getenv(c.Env[flag]) != "" }

// Settings lists the flags that the file may have, those of other commands too, each
// with where its value comes from.
func (c *Config) Settings(cmd *cobra.Command) []Setting {
	list := []Setting{}
	for _, name := range c.Flags {
		of, f := flagOf(cmd.Root(), cmd, name)
		if f == nil {
			continue
		}
		s := Setting{Name: name, Value: f.Value.String(), From: "default"}
		switch {
		case of == cmd && f.Changed:
			s.From = "flag"
		case c.fromEnv(name):
			s.Value, s.From = c.Getenv(c.Env[name]), "environment"
		case c.from[name] != "":
			s.Value, s.From = c.values[name], c.from[name]
		}
		list = append(list, s)
	}
	return list
}

// parseConfig reads the lines of a file: NAME = VALUE, with a value in double
// quotes, a whole number, true, false, or a list of these in brackets; [SECTION]
// before the flags of one command; comments after #. It is a part of TOML.
func parseConfig(text string) (list []configLine, err error) {
	section := ""
	seen := make(map[string]bool)
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[':
			name, rest, closed := strings.Cut(line[1:], "]")
			if rest = strings.TrimSpace(rest); !closed || rest != "" && rest[0] != '#' {
				return nil, fmt.Errorf("line %d: a section is written as [NAME]", number)
			}
			section = strings.TrimSpace(name) + "."
			continue
		}
		name, value, found := strings.Cut(line, "=")
		l := configLine{name: section + strings.TrimSpace(name), number: number}
		if !found {
			return nil, fmt.Errorf("line %d: it is not NAME = VALUE", number)
		}
		if l.values, err = parseValues(strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if seen[l.name] {
			return nil, fmt.Errorf("line %d: %.60q is there twice", number, l.name)
		}
		seen[l.name] = true
		list = append(list, l)
	}
	return list, nil
}

// parseValues reads a value or a list, and a comment after it.
func parseValues(text string) (values []string, err error) {
	rest, isList := strings.CutPrefix(text, "[")
	for {
		rest = strings.TrimSpace(rest)
		if after, closed := strings.CutPrefix(rest, "]"); isList && closed {
			return values, onlyComment(after)
		}
		var value string
		if value, rest, err = parseValue(rest); err != nil {
			return nil, err
		}
		values = append(values, value)
		rest = strings.TrimSpace(rest)
		if !isList {
			return values, onlyComment(rest)
		}
		if after, more := strings.CutPrefix(rest, ","); more {
			rest = after
		} else if !strings.HasPrefix(rest, "]") {
			return nil, errors.New("a list is written as [\"a\", \"b\"]")
		}
	}
}

func parseValue(text string) (value, rest string, err error) {
	if quoted, err := strconv.QuotedPrefix(text); err == nil && quoted[0] == '"' {
		value, err = strconv.Unquote(quoted)
		return value, text[len(quoted):], err
	}
	end := strings.IndexFunc(text, func(r rune) bool { return strings.ContainsRune(" \t,]#", r) })
	if end < 0 {
		end = len(text)
	}
	value = text[:end]
	if _, err := strconv.ParseInt(value, 10, 64); err != nil && value != "true" && value != "false" {
		return "", "", fmt.Errorf("%.60q: a text is written in double quotes", value)
	}
	return value, text[end:], nil
}

func onlyComment(rest string) error {
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return fmt.Errorf("%.60q is too much", rest)
	}
	return nil
}
