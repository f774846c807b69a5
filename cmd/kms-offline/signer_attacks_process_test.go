package main

// processAttacks are about the terminal, the process and the file formats.
func processAttacks() []attack {
	return []attack{}
}
