//go:build !linux

package durable

// Identity identifies a file itself, not its name or content: a copy of it has
// another identity. known is false: it is not implemented for this system.
func Identity(string) (id string, known bool) { return "", false }
