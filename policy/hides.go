package policy

import "slices"

// Hides returns the line under hidden that a real path lies below, or fits, if
// there is one: whatever else keeps it from the program, it is withheld on purpose.
// The function follows the links of the policy's own paths.
func (j *Judge) Hides(name string, real func(string) string) (Origin, bool) {
	for _, p := range j.policy.Files.Hidden {
		if !p.Pattern && isBelow(name, real(j.target.expand(p.Text))) {
			return p.At, true
		}
	}
	if j.patterns != nil {
		if match, ok := j.patterns.Decide(name); ok && match.Access == 0 {
			return match.At, true
		}
	}
	return Origin{}, false
}

// LetsCallgateOpen reports whether callgate may open files in the program's stead
// as the user that the program was started for: whether the program keeps no power
// to be another, and makes its calls by one numbering.
func (p *Policy) LetsCallgateOpen() bool {
	mighty := slices.ContainsFunc(p.Capabilities, func(c Name) bool { return slices.Contains(mightyCapabilities, c.Text) })
	return !mighty && len(p.foreignArchitectures()) == 0
}
