package loop

// inputFaults are about files, replies and items that are too large, damaged or foreign.
func inputFaults() []fault {
	return []fault{}
}
