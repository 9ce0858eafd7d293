// Package oci reads and writes the seccomp profiles of the container world, and
// turns them into policies and back.
//
// An OCI profile has no order of rules. callgate takes it as runc and
// libseccomp do:
//
//   - a rule with the default action decides nothing;
//   - of the rules for a call, the first without conditions decides, whatever
//     the others say;
//   - conditions of one rule must all hold, but when two of them are on the
//     same argument, any one of them suffices;
//   - includes drops a rule unless all of it holds for the container, excludes
//     drops it if any of it does;
//   - names of unknown calls are passed over.
//
// Of several rules with conditions that hold at once the specification says
// nothing; here the first decides.
package oci
