// Command empty does nothing: what starting a Go program costs at least.
package main

func main() {}
