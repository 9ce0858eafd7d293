// Package floors holds no code: its tests keep the house in order. Every
// package stands on a floor and imports only floors below it, so that a reader
// can learn the project from the ground up; pure packages stay free of the
// kernel, of processes and of clocks, so that they run on every system and in
// every test; and internal/sys alone opens the door to the kernel.
package floors
