package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"twip/infra/drill"
)

func drillFlags(f *flag.FlagSet, o *options) {
	f.StringVar(&o.drill, "drill", "", "names of drills, separated by commas; all of the environment's otherwise")
}

// runDrills breaks things, so it works on this computer only.
func runDrills(ctx context.Context, t task) error {
	here, ok := t.cloud.(localCloud)
	if !ok {
		return fmt.Errorf("drill works on this computer only, and was given %T: this is a bug", t.cloud)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	all, o, err := here.Drills(ctx, func(servers int) *exec.Cmd {
		return exec.Command(self, "-stack", t.stack, "scale", "-app", fmt.Sprint(servers))
	})
	if err != nil {
		return err
	}
	chosen, err := drill.Choose(all, t.drill)
	if err != nil {
		return err
	}
	root, err := checkout()
	if err != nil {
		return err
	}
	page := ""
	o.Done = func(outcomes []drill.Outcome) (err error) {
		page, err = drill.Write(filepath.Join(root, ".build", "drills"), t.stack, outcomes)
		return err
	}
	outcomes, err := drill.Run(ctx, chosen, o)
	return errors.Join(drill.Table(t.out, outcomes), said(t, page), err)
}

func said(t task, page string) error {
	_, err := fmt.Fprintf(t.out, "report: %s\n", page)
	return err
}
