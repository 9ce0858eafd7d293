// Package region reckons with sets of argument registers: those for which a
// rule's conditions hold, those that rules before it leave over, those about
// which two policies differ.
package region
