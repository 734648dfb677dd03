package main

import (
	"context"
	"flag"
	"path/filepath"
	"strings"

	"twip/infra/delivery"
)

func accountFlags(f *flag.FlagSet, o *options) {
	f.StringVar(&o.repository, "repository", "", "owner/name on GitHub, whose jobs may assume the roles")
}

// writeAccount prints the template of the account's side, for all stacks that have a file.
func writeAccount(_ context.Context, t task) error {
	root, err := checkout()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil {
		return err
	}
	a := delivery.Account{Project: "twip", Repository: t.repository}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		a.Environments = append(a.Environments, name)
	}
	text, err := delivery.Template(a)
	if err != nil {
		return err
	}
	_, err = t.out.Write(text)
	return err
}
