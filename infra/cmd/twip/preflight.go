package main

import (
	"context"
	"fmt"
	"net"

	"twip/infra/preflight"
)

// askFirst puts the questions of package preflight to the account that the caller's credentials name.
func askFirst(ctx context.Context, t task) error {
	there, ok := t.cloud.(*aws)
	if !ok {
		return fmt.Errorf("preflight works on AWS only, and was given %T: this is a bug", t.cloud)
	}
	config, err := there.declared(ctx)
	if err != nil {
		return err
	}
	return preflight.Preflight{
		Config: config,
		AWS:    there.ask,
		Servers: func(ctx context.Context, domain string) (names []string, err error) {
			servers, err := net.DefaultResolver.LookupNS(ctx, domain)
			for _, server := range servers {
				names = append(names, server.Host)
			}
			return names, err
		},
	}.Run(ctx, t.out)
}
