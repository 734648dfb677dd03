package provider

import (
	"context"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"twip/infra/local/fake"
)

// orphanOrder lists the types that exist, each before what it depends on: a volume is detached before it is deleted.
func orphanOrder(c contents) []string {
	order := []string{associationType, attachmentType, instanceType, volumeType}
	for _, t := range c.Resources {
		if !slices.Contains(order, t.Type) {
			order = append(order, t.Type)
		}
	}
	slices.Sort(order[4:])
	return order
}

func (s *Server) removeOrphan(ctx context.Context, t thing) error {
	outputs := resource.NewPropertyMapFromMap(t.Facts)
	o := &operation{server: s, computer: s.options.Computer, cloud: fake.Cloud{Account: s.options.Account}, id: t.ID, inputs: outputs, outputs: outputs}
	if remove := bodies[t.Type].remove; remove != nil && o.computer != nil {
		if err := remove(ctx, o); err != nil {
			return err
		}
	}
	return s.forget(ctx, t.Type, t.ID)
}

func (s *Server) remember(ctx context.Context, t thing) error {
	if err := s.world.change(func(c *contents) error {
		if t.Serial == 0 {
			t.Serial = c.Resources[key(t.Type, t.ID)].Serial
		}
		c.Resources[key(t.Type, t.ID)] = t
		return nil
	}); err != nil {
		return err
	}
	return s.afterChange(ctx, t.Type)
}

func (s *Server) forget(ctx context.Context, typ, id string) error {
	if err := s.world.change(func(c *contents) error { delete(c.Resources, key(typ, id)); return nil }); err != nil {
		return err
	}
	return s.afterChange(ctx, typ)
}

func (s *Server) afterChange(ctx context.Context, typ string) error {
	if !slices.Contains(publishers, typ) {
		return nil
	}
	return s.republish(ctx, false)
}
