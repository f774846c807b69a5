package cli

import (
	"fmt"
	"slices"
	"strings"
)

// Code is an exit code, as help and documentation explain it.
type Code struct {
	Code int
	Text string
}

// Codes returns all exit codes, in order.
func Codes() []Code {
	return []Code{
		{Done, "done"},
		{Failed, "failed"},
		{Usage, "usage"},
		{Part, "part done"},
		{NoWallet, "no wallet"},
		{Locked, "locked by another process"},
		{WrongPassword, "wrong password"},
		{Refused, "refused"},
		{Declined, "declined by the person"},
		{BadBundle, "bundle invalid"},
		{Network, "network"},
	}
}

// ExitStatus returns the paragraph of a program's help about the codes that it
// ends with.
func ExitStatus(used ...int) string {
	var list []string
	for _, c := range Codes() {
		if slices.Contains(used, c.Code) {
			list = append(list, fmt.Sprintf("%d %s", c.Code, c.Text))
		}
	}
	return exitStatus + " " + strings.Join(list, ", ") + ". Any other status is a failure."
}
