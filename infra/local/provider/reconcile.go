package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Known is one resource that an engine knows of.
type Known struct{ Type, ID string }

// Reconcile removes what exists here and no engine knows of: a run that was killed between creating a resource and
// writing it down leaves such a resource. A volume that may hold data is kept. It returns a line for people about each.
func (s *Server) Reconcile(ctx context.Context, known []Known) ([]string, error) {
	have := map[string]bool{}
	for _, k := range known {
		have[key(k.Type, k.ID)] = true
	}
	c, err := s.state.read()
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(c.Resources)) {
		switch t := c.Resources[k]; {
		case have[k]:
		case t.Used:
			lines = append(lines, fmt.Sprintf(
				"kept volume %s: it may hold data, but no stack knows of it; make local-clean removes it", t.ID))
		default:
			if err := s.discard(ctx, t); err != nil {
				return lines, fmt.Errorf("remove %s %s, which an interrupted run left: %w", t.Type, t.ID, err)
			}
			lines = append(lines, fmt.Sprintf("removed %s %s, which an interrupted run left", t.Type, t.ID))
		}
	}
	return lines, nil
}

func (s *Server) discard(ctx context.Context, t recorded) error {
	outputs := resource.NewPropertyMapFromMap(t.Facts)
	o := &operation{server: s, computer: s.options.Computer, id: t.ID, inputs: outputs, outputs: outputs}
	if discard := bodies[t.Type].discard; discard != nil && o.computer != nil {
		if err := discard(ctx, o); err != nil {
			return err
		}
	}
	return s.forget(ctx, t.Type, t.ID)
}
