//go:build race

package main

// flood is for tests that measure memory, which the race detector takes itself.
func flood() {}
