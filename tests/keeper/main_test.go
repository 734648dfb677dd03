// Package keeper_test runs real keepers with Jetty and the sample companyNews in containers on one shared directory,
// breaks them in many ways under load, and accounts for every post that was acknowledged. It needs Docker, root, and
// the base image debian:trixie-slim (`go run ./infra/twip prepare` provides both).
package keeper_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"twip/infra/images"
)

var (
	faultCount = flag.Int("faults", 14, "how many faults to inject")
	longPause  = flag.Duration("pause", 8*time.Second, "the longest pause of a process")
	biggest    = flag.Int("posts", 10000, "the most posts that takeover is measured with")
)

// image is the app image, built once.
var image string

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintf(os.Stderr, "tests/keeper: %v\nDocker and the base image %s are needed: `go run ./infra/twip prepare` provides them.\n",
			err, images.DefaultBaseImage)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	if err := removeAll(); err != nil {
		return 1, err
	}
	defer func() {
		if problem := removeAll(); problem != nil {
			err = problem
		}
	}()
	out, err := os.MkdirTemp("", prefix)
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(out)
	began := time.Now()
	context, err := images.Stage(images.App, images.Options{Out: out})
	if err != nil {
		return 1, err
	}
	image = prefix + "app:" + context.Tag
	args := []string{"build", "--quiet", "--tag", image}
	for name, value := range context.Args {
		args = append(args, "--build-arg", name+"="+value)
	}
	fmt.Println("building the app image ...")
	if _, err := docker(append(args, context.Dir)...); err != nil {
		return 1, err
	}
	fmt.Printf("built %s in %.1f s\n", image, time.Since(began).Seconds())
	return m.Run(), nil
}
