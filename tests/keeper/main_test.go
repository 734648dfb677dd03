// Package keeper_test runs real keepers with Jetty and the sample companyNews in containers on one shared directory,
// breaks them in many ways under load, and accounts for every post that was acknowledged. It needs Docker
// and root.
package keeper_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"twip/infra/images"
	"twip/tests/dockertest"
)

var (
	faultCount = flag.Int("faults", 14, "how many faults to inject")
	longPause  = flag.Duration("pause", 8*time.Second, "the longest pause of a process")
	killCount  = flag.Int("kills", 8, "how many kills to look at dates after")
	biggest    = flag.Int("posts", 10000, "the most posts that takeover is measured with")
)

// image is the app image, built once.
var image string

func TestMain(m *testing.M) {
	flag.Parse()
	dockertest.Main(m, buildApp, removeAll)
}

func buildApp(base, out string) error {
	began := time.Now()
	context, err := images.Stage(images.App, images.Options{BaseImage: base, Out: out})
	if err != nil {
		return err
	}
	image = prefix + "app:" + context.Tag
	args := []string{"build", "--quiet", "--tag", image}
	for name, value := range context.Args {
		args = append(args, "--build-arg", name+"="+value)
	}
	fmt.Println("building the app image ...")
	if _, err := docker(append(args, context.Dir)...); err != nil {
		return err
	}
	fmt.Printf("built %s in %.1f s\n", image, time.Since(began).Seconds())
	return nil
}
