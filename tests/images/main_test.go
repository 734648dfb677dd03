// Package images_test builds the three images from the sample companyNews and from foreign web applications, and runs them
// together with the restrictions that they have on a machine. It needs Docker and the base image debian:trixie-slim
// (`go run ./infra/twip prepare` provides both).
package images_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"twip/infra/images"
)

// built are the images of the sample.
var built = map[images.Kind]string{}

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintf(os.Stderr, "tests/images: %v\nDocker and the base image %s are needed: `go run ./infra/twip prepare` provides them.\n",
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
	out, err := os.MkdirTemp("", "twip-test-images-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(out)
	for _, kind := range []images.Kind{images.Static, images.Proxy, images.App} {
		begin := time.Now()
		name, err := buildImage(kind, "", out)
		if err != nil {
			return 1, err
		}
		built[kind] = name
		fmt.Printf("built %s in %.1f s\n", name, time.Since(begin).Seconds())
	}
	return m.Run(), nil
}
