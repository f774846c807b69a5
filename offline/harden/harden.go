// Package harden takes from the signer's process what it must not have: the
// ability to open a socket or use one that it was given, to start another
// program, to type into the terminal, to read other processes, and to leave
// its memory in a core file.
//
// On Linux the kernel enforces it (seccomp(2), prctl(2), setrlimit(2)), for
// every thread and until the process ends. Elsewhere only the core file is
// seen to, and the Report says what is not available: there the air gap rests
// on what the machine is connected to, and on the program having no code that
// opens a socket.
//
// What it does not do: code that runs before main does, such as package
// initialisers, is not under the filter yet; standard streams that are sockets
// are reported and can be written to; and root can undo the machine.
package harden

// Report says what is in force.
type Report struct{ Checks []Check }

// Check is one protection.
type Check struct {
	Name    string
	InForce bool
	Warning bool   // not in force, which the person should know and Harden does not refuse
	Detail  string // what was seen, or why it is not in force
}

func (r *Report) add(name string, inForce bool, detail string) {
	r.Checks = append(r.Checks, Check{Name: name, InForce: inForce, Detail: detail})
}

// The names of the checks.
const (
	NoCore      = "no core files"
	NoDump      = "memory hidden from other processes"
	NoSockets   = "no sockets, no programs, no tracing"
	NoTyping    = "nothing is typed into the terminal"
	NoInherited = "no socket was handed over"
	NoStreams   = "standard streams are no sockets"
	OwnFiles    = "new files are for this user only"
)
