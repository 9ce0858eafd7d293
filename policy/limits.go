package policy

import "time"

// Limits bound what the program may use. What is unset is not bounded.
type Limits struct {
	Memory  Setting[Size]          `yaml:"memory"`  // of all its processes together
	Pids    Setting[int]           `yaml:"pids"`    // processes and threads
	CPUs    Setting[CPUs]          `yaml:"cpus"`    // processors' worth of time
	Tmp     Setting[Size]          `yaml:"tmp"`     // what the private home directory, /tmp and shared memory may hold together
	Timeout Setting[time.Duration] `yaml:"timeout"` // from the start, on the wall clock
	Rlimits []Rlimit               `yaml:"rlimits"`
}

// Size is a number of bytes. A document may end it with K, M, G or T, powers of
// 1024.
type Size uint64

// CPUs is a share of processors in thousandths: 1500 is one and a half.
type CPUs uint32

// Rlimit is one resource limit of setrlimit(2). A document writes it as
// "nofile: 1024", or as "nofile: 1024:4096" for a soft and a hard limit.
type Rlimit struct {
	Name       string // as in "nofile", RLIMIT_NOFILE without its prefix
	Soft, Hard uint64 // Unlimited is RLIM_INFINITY
	At         Origin
}

// Unlimited is the resource limit that is none (RLIM_INFINITY).
const Unlimited = ^uint64(0)
