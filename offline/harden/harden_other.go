//go:build !linux

package harden

// Harden puts in force what this system offers and says what is missing.
func Harden() (Report, error) {
	var r Report
	err := noCore()
	if err != nil {
		r.add(NoCore, false, err.Error())
	} else {
		r.add(NoCore, true, coreDetail)
	}
	privateFiles(&r)
	for _, name := range []string{NoDump, NoSockets, NoTyping, NoInherited, NoStreams} {
		r.add(name, false, "not available on this system: keep the machine off every network")
	}
	return r, err
}
