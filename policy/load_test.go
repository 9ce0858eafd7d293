package policy

import "testing"

func TestLoadKnowsAFileByItsPath(t *testing.T) {
	var opened []string
	open := func(file string) (*Policy, error) {
		opened = append(opened, file)
		if file == "dir/top" {
			return &Policy{Extends: []Name{{Text: "./base"}, {Text: "strict"}}}, nil
		}
		return &Policy{}, nil
	}
	if _, err := Load(open, "./mine", "dir/top"); err != nil {
		t.Fatalf("Load = %v; want none", err)
	}
	want := []string{"mine", "dir/top", "dir/base"}
	if len(opened) != len(want) || opened[0] != want[0] || opened[1] != want[1] || opened[2] != want[2] {
		t.Errorf("Load opened %q; want %q", opened, want)
	}
}
