package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"twip/infra/release"
	"twip/stacks"
)

// Config is what pulumi shows without the right to decrypt.
func (a *aws) Config(ctx context.Context) (map[string]string, error) {
	var shown map[string]struct {
		Value  string
		Secret bool
	}
	if err := a.read(ctx, &shown, "pulumi", "config", "--json", "--stack", a.stack); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for key, c := range shown {
		if !c.Secret {
			values[key] = c.Value
		}
	}
	return values, nil
}

// declared is the stack's configuration as the program reads it.
func (a *aws) declared(ctx context.Context) (*stacks.Config, error) {
	values, err := a.Config(ctx)
	if err != nil {
		return nil, err
	}
	return stacks.Read(a.stack, values)
}

// Configure writes into the stack's file, so that a change of what runs is a change that git shows.
func (a *aws) Configure(_ context.Context, values map[string]release.Digests) error {
	return release.WriteFile(filepath.Join(a.root, "Pulumi."+a.stack+".yaml"), values)
}

// ecrHost is a registry of ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
var ecrHost = regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$`)

// Find logs in to the repository's registry, wherever it is.
func (a *aws) Find(ctx context.Context, url string) (release.Repository, error) {
	host, _, _ := strings.Cut(url, "/")
	login := release.Login{}
	if region := ecrHost.FindStringSubmatch(host); region != nil {
		password, err := a.output(ctx, "aws", "ecr", "get-login-password", "--region", region[1])
		if err != nil {
			return release.Repository{}, err
		}
		login = release.Login{User: "AWS", Password: strings.TrimSpace(string(password))}
	}
	return release.NewRepository(url, login)
}

// reuse finds the images that the registry has, so that going back to older content does not push a tag that is there.
func (a *aws) reuse(ctx context.Context) error {
	values, err := a.Config(ctx)
	if err != nil {
		return err
	}
	tags, err := stacks.ContentTags(a.root, a.stack, values)
	if err != nil {
		return err
	}
	export := func(ctx context.Context) ([]byte, error) {
		return a.output(ctx, "pulumi", "stack", "export", "--stack", a.stack)
	}
	built, err := release.Reuse(ctx, values, tags, export, a.Find, func(tag string) {
		fmt.Fprintf(a.out, "the image of content %s is in the registry: %s names it, nothing is built\n", tag,
			release.BuiltKey)
	})
	if err != nil || built == nil {
		return err
	}
	return a.Configure(ctx, map[string]release.Digests{release.BuiltKey: built})
}
