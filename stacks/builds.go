package stacks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/images"
)

const (
	// root is the project's root, seen from infra/, where Pulumi runs the program (main in Pulumi.yaml).
	root = ".."
	// buildDir is relative, so that a build is declared with the same literals on every computer.
	buildDir = root + "/.build"

	defaultArtifacts = "artifacts"
)

// builds are the assembled build contexts of the images.
type builds map[images.Kind]*images.Context

// stage assembles the build contexts and says which artifacts are in them.
func stage(ctx *pulumi.Context, c *Config) (builds, error) {
	artifacts, err := c.artifactsDir()
	if err != nil {
		return nil, err
	}
	options := images.Options{Artifacts: artifacts, BaseImage: c.BaseImage, Rebuild: c.Rebuild, Out: buildDir}
	b := builds{}
	var problems []error
	for _, kind := range images.Kinds {
		build, err := images.Stage(kind, options)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		b[kind] = build
		if build.Source != "" {
			problems = append(problems, ctx.Log.Info(string(kind)+": "+build.Source, nil))
		}
	}
	return b, errors.Join(problems...)
}

// artifactsDir resolves the directory from the project's root. The default may be absent, as it is in a fresh clone;
// one that somebody named must be there, so that the
// sample does not go out instead of what they meant.
func (c *Config) artifactsDir() (string, error) {
	dir := c.Artifacts
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Artifacts == defaultArtifacts:
		return dir, nil
	case err != nil:
		return "", fmt.Errorf(
			"twip:artifacts = %q: %w; name a directory of companyNews.war and static.zip, from the project's root",
			c.Artifacts, err)
	case !info.IsDir():
		return "", fmt.Errorf("twip:artifacts = %q: it is a file; name the directory that it is in", c.Artifacts)
	}
	return dir, nil
}
