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

	// project is the program's name in Pulumi.yaml.
	project = "twip"
)

// builds are the assembled build contexts of the images.
type builds map[images.Kind]*images.Context

// stage assembles the build contexts and says which artifacts are in them. Nothing is assembled for a release.
func stage(ctx *pulumi.Context, c *Config) (builds, error) {
	b := builds{}
	if len(c.Release.Images) > 0 {
		for kind, digest := range c.Release.Images {
			b[kind] = &images.Context{Kind: kind, Digest: digest}
		}
		if before := c.ReleaseBefore.Images[images.Static]; before != c.Release.Images[images.Static] {
			b[images.Static].Before = before
		}
		return b, nil
	}
	options, err := c.sources(root)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, kind := range kindsOf(c.Topology) {
		build, err := images.Stage(kind, options)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		build.Digest = c.Built[build.Tag]
		b[kind] = build
		if build.Source != "" {
			problems = append(problems, ctx.Log.Info(string(kind)+": "+build.Source, nil))
		}
	}
	return b, errors.Join(problems...)
}

// sources say what the images are made of.
func (c *Config) sources(checkout string) (images.Options, error) {
	artifacts, err := c.artifactsDir(checkout)
	return images.Options{Artifacts: artifacts, BaseImage: c.BaseImage, Rebuild: c.Rebuild,
		TrainingOptional: c.TrainingRun == trainingOptional, Out: buildDir}, err
}

// ContentTags are the tags of the images that a stack of these configuration values builds, by full key as the engine
// hands them over; none for a stack that builds nothing.
func ContentTags(checkout, stack string, values map[string]string) ([]string, error) {
	c, err := Read(stack, values)
	if err != nil || len(c.Release.Images) > 0 {
		return nil, err
	}
	options, err := c.sources(checkout)
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, kind := range kindsOf(c.Topology) {
		tag, err := images.Tag(kind, options)
		if err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// artifactsDir resolves the directory from the project's root. The default may be absent, as it is in a fresh clone;
// one that somebody named must be there, so that the sample does not go out instead of what they meant.
func (c *Config) artifactsDir(checkout string) (string, error) {
	dir := c.Artifacts
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(checkout, dir)
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
