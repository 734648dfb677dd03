package provider

import (
	"context"
	"slices"
)

// remember records that a resource exists.
func (s *Server) remember(ctx context.Context, t recorded) error {
	if err := s.state.change(func(c *contents) error {
		before := c.Resources[key(t.Type, t.ID)]
		if t.Serial == 0 {
			t.Serial = before.Serial
		}
		t.Used = before.Used
		c.Resources[key(t.Type, t.ID)] = t
		return nil
	}); err != nil {
		return err
	}
	return s.afterChange(ctx, t.Type)
}

// forget records that a resource is gone.
func (s *Server) forget(ctx context.Context, typ, id string) error {
	if err := s.state.change(func(c *contents) error { delete(c.Resources, key(typ, id)); return nil }); err != nil {
		return err
	}
	return s.afterChange(ctx, typ)
}

// afterChange opens or closes ports, if the type has a say in them.
func (s *Server) afterChange(ctx context.Context, typ string) error {
	if !slices.Contains(publishers, typ) {
		return nil
	}
	return s.republish(ctx, false)
}
