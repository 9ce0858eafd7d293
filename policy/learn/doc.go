// Package learn makes policies of what programs were seen to do. A [Ledger] takes
// calls, files and ports, as package internal/observe sees them; its Draft is the
// least policy that lets them happen; [Draft.Amend] adds to a policy what that
// lacks, and [Draft.Tighten] takes out what wasn't used.
//
// The package is pure. What it must know of the machine, a [Place] tells it.
package learn
