package probe

// State sums a feature up.
type State string

// The states.
const (
	OK       State = "ok"
	Degraded State = "degraded" // usable, in part
	Missing  State = "missing"
)

// Status is one feature as `callgate doctor` shows it.
type Status struct {
	Name   string `json:"name"`
	Group  Group  `json:"group"`
	State  State  `json:"state"`
	Full   bool   `json:"full,omitempty"`   // a full jail needs it
	Detail string `json:"detail,omitempty"` // what there is
	Lacks  string `json:"lacks,omitempty"`  // what a degraded feature lacks
	For    string `json:"for"`              // what callgate uses it for
	Lost   string `json:"lost,omitempty"`   // what falls away, if missing
	Cause  string `json:"cause,omitempty"`
	Cure   string `json:"cure,omitempty"`
}

// Report is what was found of everything.
type Report struct {
	Here     Surroundings `json:"surroundings"`
	Features []Status     `json:"features"`
	Full     bool         `json:"full"` // a full jail can be built
}

// NewReport probes the features, in their order.
func NewReport(features []*Feature) Report {
	r := Report{Here: Here(), Full: true}
	for _, f := range features {
		s := f.status(r.Here)
		if s.Full && s.State == Missing {
			r.Full = false
		}
		r.Features = append(r.Features, s)
	}
	return r
}

func (f *Feature) status(here Surroundings) Status {
	finding := f.Find()
	s := Status{Name: f.Name, Group: f.Group, State: OK, Full: f.Full, Detail: finding.Detail, For: f.For}
	switch {
	case finding.Err != nil:
		s.State, s.Cause = Missing, finding.Err.Error()
		s.Lost, s.Cure = f.Lost, f.cure(finding.Err, here)
	case finding.Lacks != "":
		s.State, s.Lacks = Degraded, finding.Lacks
		s.Cure = f.Since
		if f.Cure != nil {
			s.Cure = f.Cure(nil, here)
		}
	}
	return s
}
