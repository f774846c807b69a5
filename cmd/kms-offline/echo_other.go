//go:build !linux

package main

// noEcho does nothing here: the terminal stops showing what is typed just
// after the question.
func noEcho(int) {}
