package policy

import "embed"

//go:embed example.json
var example string

// Example is a policy file that has each rule but approvers, whose keys
// nobody could make up.
func Example() string { return example }

//go:embed ready
var ready embed.FS

// ReadyNames are the names of the policies that Ready has.
func ReadyNames() []string { return []string{"payroll", "exchange", "suppliers"} }

// Ready returns a policy file for a kind of company, to which its payees and limits
// are added; ok is false if there is no such policy.
func Ready(name string) (file string, ok bool) {
	raw, err := ready.ReadFile("ready/" + name + ".json")
	return string(raw), err == nil
}
