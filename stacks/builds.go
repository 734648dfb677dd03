package stacks

import (
	"errors"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/images"
)

const (
	// root is the project's root, seen from infra/, where Pulumi runs the program (main in Pulumi.yaml).
	root = ".."
	// buildDir is relative, so that a build is declared with the same literals on every computer.
	buildDir = root + "/.build"
)

// builds are the assembled build contexts of the three images.
type builds struct{ static, app, proxy *images.Context }

// stage assembles the build contexts and says which artifacts are in them.
func stage(ctx *pulumi.Context, c *Config) (*builds, error) {
	artifacts := c.Artifacts
	if !filepath.IsAbs(artifacts) {
		artifacts = filepath.Join(root, artifacts)
	}
	options := images.Options{Artifacts: artifacts, BaseImage: c.BaseImage, Out: buildDir}
	b := &builds{}
	var problems []error
	for _, image := range []struct {
		kind images.Kind
		into **images.Context
	}{{images.Static, &b.static}, {images.App, &b.app}, {images.Proxy, &b.proxy}} {
		build, err := images.Stage(image.kind, options)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		*image.into = build
		if image.kind != images.Proxy { // nobody brings a proxy of their own
			problems = append(problems, ctx.Log.Info(string(image.kind)+": "+build.Source, nil))
		}
	}
	return b, errors.Join(problems...)
}
