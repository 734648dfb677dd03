package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// CLIVersion is the version of the Pulumi command that is built when none is installed. It is that of the SDK in
// go.mod.
const CLIVersion = "3.250.0"

// oldestCLI is the first version that runs an inline program for every command.
var oldestCLI = semver.MustParse("3.181.0")

// FindCLI answers with the Pulumi command on PATH if it is recent enough, else with one that it builds, once, in the
// user's cache directory. Building needs the Go command and the Go module proxy, and takes about 4 minutes on 2 cores.
func FindCLI(ctx context.Context, progress func(string)) (auto.PulumiCommand, error) {
	if c, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Version: oldestCLI}); err == nil &&
		c.Version().Major == oldestCLI.Major {
		return c, nil
	}
	root, err := cliRoot()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary(root)); err != nil {
		if err := buildCLI(ctx, root, progress); err != nil {
			return nil, fmt.Errorf(
				"build the Pulumi command v%s: %w: or install it yourself (https://www.pulumi.com/docs/install/)",
				CLIVersion, err)
		}
	}
	c, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root, Version: oldestCLI})
	if err != nil {
		return nil, fmt.Errorf("%s: %w: remove it, and it is built again", binary(root), err)
	}
	return c, nil
}

// cliRoot is where the built command is kept, outside the checkout.
func cliRoot() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the Pulumi command: %w: set HOME or XDG_CACHE_HOME", err)
	}
	return filepath.Join(cache, "twip", "pulumi-v"+CLIVersion), nil
}

func binary(root string) string { return filepath.Join(root, "bin", "pulumi") }

// buildCLI builds in a module of its own, so that the command's dependencies stay out of the checkout's go.mod.
func buildCLI(ctx context.Context, root string, progress func(string)) (err error) {
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(root, "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	stop := tick(progress, "building the Pulumi command v"+CLIVersion+", once, about 4 minutes")
	defer stop()
	const pkg = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	for _, args := range [][]string{
		{"mod", "init", "cli"},
		{"get", pkg + "@v" + CLIVersion},
		{"build", "-o", "pulumi", "-ldflags",
			"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v" + CLIVersion, pkg},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = scratch
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, lastLines(string(out), 5))
		}
	}
	return os.Rename(filepath.Join(scratch, "pulumi"), binary(root))
}

// tick tells every 15 seconds that something is still going on, until it is stopped.
func tick(progress func(string), what string) (stop func()) {
	started, ended := time.Now(), make(chan struct{})
	progress(what)
	go func() {
		t := time.NewTicker(15 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-ended:
				return
			case <-t.C:
				progress(fmt.Sprintf("%s (%.0f s so far)", what, time.Since(started).Seconds()))
			}
		}
	}()
	return func() { close(ended) }
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
