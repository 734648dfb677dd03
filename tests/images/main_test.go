// Package images_test builds the three images from the sample companyNews and from foreign web applications, and runs them
// together with the restrictions that they have on a machine. It needs Docker, or root on Debian to install it.
package images_test

import (
	"fmt"
	"testing"
	"time"

	"twip/infra/images"
	"twip/tests/dockertest"
)

// built are the images of the sample.
var built = map[images.Kind]string{}

func TestMain(m *testing.M) { dockertest.Main(m, buildAll, removeAll) }

// base is the image that everything here is built on.
var base string

func buildAll(from, out string) error {
	base = from
	for _, kind := range []images.Kind{images.Static, images.Proxy, images.App} {
		begin := time.Now()
		name, err := buildImage(kind, "", out)
		if err != nil {
			return err
		}
		built[kind] = name
		fmt.Printf("built %s in %.1f s\n", name, time.Since(begin).Seconds())
	}
	return nil
}
