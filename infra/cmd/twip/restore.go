package main

import (
	"context"
	"fmt"

	"twip/infra/ops"
)

func restorePoints(ctx context.Context, t task) error {
	host, err := t.cloud.Store(ctx)
	if err != nil {
		return err
	}
	return ops.RestorePoints(ctx, host, t.out)
}

// restore asks on every cloud: it takes articles away from people, also on this computer.
func restore(ctx context.Context, t task) error {
	host, err := t.cloud.Store(ctx)
	if err != nil {
		return err
	}
	env, err := t.environment(ctx)
	if err != nil {
		return err
	}
	if err := ops.RestorePoints(ctx, host, t.out); err != nil {
		return err
	}
	if err := t.confirmed("restore", fmt.Sprintf(`
Going back to point %d takes everything from the site that was posted after it. The newest of these points has that,
and stays: make restore POINT=<its number> brings it back. The site stops for some seconds.`, t.point)); err != nil {
		return err
	}
	return ops.Restore(ctx, env, host, t.point, t.out)
}

func restoreDrill(ctx context.Context, t task) error {
	host, err := t.cloud.Store(ctx)
	if err != nil {
		return err
	}
	env, err := t.environment(ctx)
	if err != nil {
		return err
	}
	return ops.RestoreDrill(ctx, env, host, t.out)
}
