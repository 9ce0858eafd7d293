// Package sys is the only door to the kernel: the one package that imports
// golang.org/x/sys and unsafe. It owns descriptors, retries EINTR, and holds
// the step machine that starts a confined process.
//
// # Starting a process as a list of steps
//
// Between fork and exec a Go program may not run Go's runtime: other threads
// are gone, locks may be held for ever. Most launchers therefore start
// themselves a second time and pay for a second runtime. Here the parent
// prepares everything as data — a list of Steps, each one raw system call with
// its arguments laid out in memory — and the forked child only walks the list.
// Start-up is paid once, nothing is allocated in the child, and a plan can be
// printed, tested and explained without running it.
package sys
