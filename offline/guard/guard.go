// Package guard takes from the signer's process what it must not have: the
// ability to open a socket, to start another program, to read other
// processes, and to leave its memory in a core file.
//
// On Linux the kernel enforces it (seccomp(2), prctl(2), setrlimit(2)), for
// every thread and until the process ends. Elsewhere only the core file is
// seen to, and the Report says what is not available: there the air gap rests
// on what the machine is connected to, and on the program having no code that
// opens a socket.
//
// What it does not do: a socket that the process was given at its start can
// still be written to, which the Report shows; and root can undo the machine.
package guard

// Report says what is in force.
type Report struct{ Checks []Check }

// Check is one protection.
type Check struct {
	Name    string
	InForce bool
	Detail  string // what was seen, or why it is not in force
}

// Complete says whether all protections are in force.
func (r Report) Complete() bool {
	for _, c := range r.Checks {
		if !c.InForce {
			return false
		}
	}
	return true
}

func (r *Report) add(name string, inForce bool, detail string) {
	r.Checks = append(r.Checks, Check{Name: name, InForce: inForce, Detail: detail})
}

// The names of the checks.
const (
	NoCore      = "no core files"
	NoDump      = "memory hidden from other processes"
	NoSockets   = "no sockets, no programs, no tracing"
	NoInherited = "no socket was handed over"
	OwnFiles    = "new files are for this user only"
)
