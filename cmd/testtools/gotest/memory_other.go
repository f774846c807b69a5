//go:build !linux

package main

func files(environment []string) []string { return environment }
