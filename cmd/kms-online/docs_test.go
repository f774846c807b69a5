package main

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"coldkms/online"
	"coldkms/online/daemon"
)

// replies are what each command prints as JSON.
var replies = map[string][]any{
	"setup":       {setupReply{}},
	"init":        {initReply{}},
	"pair":        {pairReply{}},
	"fetch":       {online.Fetched{}},
	"export":      {online.Exported{}},
	"show":        {},
	"import":      {online.Imported{}},
	"broadcast":   {online.Broadcasted{}},
	"watch":       {online.Watched{}},
	"status":      {online.Status{}, online.Totals{}},
	"report":      {online.Audited{}, online.Books{}},
	"daemon":      {daemon.Round{}},
	"reject":      {stateReply{}},
	"retry":       {stateReply{}},
	"unveto":      {stateReply{}},
	"letters":     {letterReply{}, resentReply{}},
	"alarms":      {online.Alarm{}},
	"acknowledge": {acknowledgeReply{}},
	"checkconfig": {checkReply{}},
	"backup":      {online.BackedUp{}},
	"restore":     {online.BackedUp{}},
	"release":     {releaseReply{}},
}

// docFile is where the commands are documented.
const docFile = "../../docs/OPERATIONS.md"

var quoted = regexp.MustCompile("`([^`]+)`")

// fenced is a block of code, which has backquotes of its own.
var fenced = regexp.MustCompile("(?s)```.*?```")

// quotedIn returns the words of a text that stand in backquotes.
func quotedIn(text string) map[string]bool {
	words := make(map[string]bool)
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		for _, w := range strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" =[]|,…", r) }) {
			words[w] = true
		}
	}
	return words
}

// section returns the text of the document under a heading.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", docFile, heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return fenced.ReplaceAllString(part, "")
}

// row is what the documentation has about a command.
type row struct {
	own map[string]bool // the words of its row in the table
	all map[string]bool // and of the sections that it links to
}

// documented returns what the documentation has about each command.
func documented(t *testing.T) map[string]row {
	file, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	text := string(file)
	part := section(t, text, "Commands of the relay")
	rows := make(map[string]row)
	for line := range strings.Lines(part) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		r := row{quotedIn(line), quotedIn(line)}
		for heading, link := range map[string]string{"status": "(#status)", "Alarms": "(#alarms)"} {
			if strings.Contains(line, link) {
				maps.Copy(r.all, quotedIn(section(t, text, heading)))
			}
		}
		rows[strings.Trim(strings.TrimSpace(cells[1]), "`")] = r
	}
	return rows
}

// fields are the names in the JSON of a type.
func fields(of reflect.Type, into map[string]bool) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		fields(of.Elem(), into)
	case reflect.Struct:
		if of == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if name != "" {
				into[name] = true
			}
			fields(f.Type, into)
		}
	}
}

// Every command, flag and field of a reply is documented, and nothing is
// documented that there is not.
func TestDocumented(t *testing.T) {
	rows := documented(t)
	root := (&app{}).root()
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !rows["every command"].own["--"+f.Name] {
			t.Errorf("--%s of every command is not documented", f.Name)
		}
	})
	delete(rows, "every command")
	for _, cmd := range root.Commands() {
		checkCommand(t, cmd, rows)
	}
	for name := range rows {
		t.Errorf("%s is documented, and no command", name)
	}
}

func checkCommand(t *testing.T, cmd *cobra.Command, rows map[string]row) {
	name := cmd.Name()
	if name == "help" || name == "completion" {
		return
	}
	doc, found := rows[name]
	values, typed := replies[name]
	if !found || !typed {
		t.Errorf("%s: in the documentation: %v, in this test: %v", name, found, typed)
		return
	}
	delete(rows, name)
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && !doc.own["--"+f.Name] {
			t.Errorf("%s --%s is not documented", name, f.Name)
		}
	})
	for word := range doc.own {
		if flag, is := strings.CutPrefix(word, "--"); is && cmd.Flag(flag) == nil {
			t.Errorf("%s %s is documented, and no flag", name, word)
		}
	}
	has := make(map[string]bool)
	for _, v := range values {
		fields(reflect.TypeOf(v), has)
	}
	for _, field := range slices.Sorted(maps.Keys(has)) {
		if !doc.all[field] {
			t.Errorf("%s: the field %q is not documented", name, field)
		}
	}
}
