package loop

// loopFaults are about what one slow or broken neighbour does to others.
func loopFaults() []fault {
	return []fault{}
}
