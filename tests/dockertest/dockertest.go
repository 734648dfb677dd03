// Package dockertest is what the tests of images and of keepers share: Docker's command, and a main function that
// builds images before the tests and removes what they made after them.
package dockertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"twip/infra/local/computer"
)

// Docker runs Docker's command and returns what it printed. Its errors end with the command's last lines.
func Docker(args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	command := exec.Command("docker", args...)
	// BuildKit needs a plugin that not every computer has; the classic builder is always there.
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("docker %s: %w\n%s%s", strings.Join(args, " "), err, Tail(stdout.String()),
			Tail(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// Each runs a command of Docker's for each of the objects that another one lists. One at a time: asked to remove
// several, Docker does that at once, and may then wait for itself for ever.
func Each(list, command []string) error {
	ids, err := Docker(list...)
	if err != nil {
		return err
	}
	for _, id := range strings.Fields(ids) {
		if _, err := Docker(append(slices.Clone(command), id)...); err != nil {
			return err
		}
	}
	return nil
}

// Tail is the last 40 lines.
func Tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// Main runs the tests between a preparation and a removal, and ends the process. prepare gets the name of the base
// image and a directory that is removed in the end; remove takes away what this run, or one that was killed, made.
func Main(m *testing.M, prepare func(base, dir string) error, remove func() error) {
	code, err := run(m, prepare, remove)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, prepare func(base, dir string) error, remove func() error) (code int, err error) {
	dir, err := os.MkdirTemp("", "twip-test-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	here := computer.New("test-base", computer.Options{State: dir, Progress: func(line string) { fmt.Println(line) }})
	base, err := here.EnsureBase(context.Background())
	if err != nil {
		return 1, err
	}
	if err := remove(); err != nil {
		return 1, err
	}
	defer func() {
		if problem := remove(); problem != nil {
			err = problem
		}
	}()
	if err := prepare(base, dir); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
