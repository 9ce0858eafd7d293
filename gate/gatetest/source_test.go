package gatetest

import (
	"testing"

	"github.com/callgate/callgate/gate"
)

func TestSource(t *testing.T) {
	Run(t, func(*testing.T) (gate.Source, Victim) {
		s := NewSource()
		return s, s
	})
}
