package main

import "testing"

func TestBenchmarkTime(t *testing.T) {
	const output = "goos: linux\ncpu: 100 ns/op\nBenchmarkX-2  \t 100\t 2464913 ns/op\t 5.73 MB/s\nPASS\n"
	if got, err := benchmarkTime(output); got != 2464913 || err != nil {
		t.Errorf("benchmarkTime = %v, %v; want 2464913", got, err)
	}
	if got, err := benchmarkTime("PASS\n"); err == nil {
		t.Errorf("benchmarkTime without a benchmark = %v; want an error", got)
	}
}
