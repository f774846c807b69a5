package policy

import _ "embed" // for the example

//go:embed example.json
var example string

// Example is a policy file that has each rule but approvers, whose keys
// nobody could make up.
func Example() string { return example }
