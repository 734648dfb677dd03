package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"twip/infra/bake"
)

func machineImageFlags(f *flag.FlagSet, o *options) {
	f.StringVar(&o.from, "from", "", "Debian's machine image to begin with; default: the stack's")
	f.StringVar(&o.subnet, "subnet", "", "where the machine stands meanwhile; default: in the default VPC")
}

// machineImage makes a machine image and says how to use it: which image runs is a decision, written down and reviewed.
func machineImage(ctx context.Context, t task) error {
	there, ok := t.cloud.(*aws)
	if !ok {
		return fmt.Errorf("machine-image works on AWS only, and was given %T: this is a bug", t.cloud)
	}
	config, err := there.declared(ctx)
	if err != nil {
		return err
	}
	from := t.from
	if from == "" {
		from = config.MachineImage
	}
	name, err := bake.Image(ctx, bake.Options{
		AWS: there.ask, Region: config.Region, From: from, Subnet: t.subnet, Now: time.Now(),
	}, t.out)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "made %s in %s; nothing runs it yet: pulumi config set -s %s twip:machineImage %[1]s\n", name,
		config.Region, t.stack)
	return nil
}
