package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironmentApply(t *testing.T) {
	names := func(texts ...string) (out []Name) {
		for _, text := range texts {
			out = append(out, Name{Text: text})
		}
		return out
	}
	tests := []struct {
		name string
		env  Environment
		want []string
	}{
		{"nothing is kept unasked", Environment{}, nil},
		{"names and patterns", Environment{Keep: names("PATH", "LC_*")}, []string{"LC_ALL=C", "PATH=/bin"}},
		{"drop beats keep", Environment{Keep: names("*"), Drop: names("*TOKEN*", "LC_*")}, []string{"EMPTY=", "PATH=/bin"}},
		{"set beats both", Environment{
			Keep: names("PATH"), Drop: names("LC_*"),
			Set: []Variable{{Name: "PATH", Value: "/usr/bin"}, {Name: "LC_ALL", Value: "en"}},
		}, []string{"LC_ALL=en", "PATH=/usr/bin"}},
	}
	for _, test := range tests {
		got := test.env.Apply([]string{"PATH=/bin", "LC_ALL=C", "GH_TOKEN=x=y", "EMPTY="})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: Apply (-want +got):\n%s", test.name, diff)
		}
	}
}
