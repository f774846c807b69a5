package main

// resourceAttacks are about memory, time, backups and clocks.
func resourceAttacks() []attack {
	return []attack{}
}
