package main

// valueAttacks are about where money goes: own keys, change and fees.
func valueAttacks() []attack {
	return []attack{}
}
