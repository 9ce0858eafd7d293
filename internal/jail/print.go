package jail

import (
	"bufio"
	"fmt"
	"io"

	"github.com/callgate/callgate/internal/sys"
)

// Print writes the plan of a Spec for a reader: every step, in order, under the
// wall it builds. Nothing is run.
func Print(w io.Writer, s *Spec) error {
	host, err := thisHost()
	if err != nil {
		return err
	}
	walls := s.initial(host)
	plan := s.planEarly(host, walls)
	if err := <-s.completeAside(plan, host, walls, channels{}); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "clone init into new namespaces:%s\n", namespacesOf(s, walls))
	fmt.Fprintln(out, "clone the target, which walks its steps beside init")
	printSteps(out, "early init", plan.early.Init)
	printSteps(out, "early target", plan.early.Target)
	printSteps(out, "init", plan.init.Steps)
	printSteps(out, "target", plan.target.Steps)
	return out.Flush()
}

func printSteps(w io.Writer, who string, steps []sys.Step) {
	wall := "-"
	for i := range steps {
		step := &steps[i]
		if step.Op == sys.OpStore32 || step.Verb == "close" {
			continue // bookkeeping
		}
		if step.Wall != wall {
			wall = step.Wall
			fmt.Fprintf(w, "%s: %s\n", who, orNone(wall))
		}
		fmt.Fprintf(w, "  %s\n", step.Text())
	}
}

func orNone(wall string) string {
	if wall == "" {
		return "(no wall)"
	}
	return wall
}

func namespacesOf(s *Spec, walls wallSet) (list string) {
	for _, w := range namespaceWalls {
		if walls.has(w) && (w != Network || s.Relay != nil) {
			list += " " + string(w)
		}
	}
	return list
}
