package images

import (
	"embed"
	"fmt"
)

// Kind names one of the images.
type Kind string

// The images of the program.
const (
	Static Kind = "static" // nginx with the contents of static.zip, on port 8080
	App    Kind = "app"    // the keeper and Jetty with companyNews.war, on ports 8080 and 8082
	Proxy  Kind = "proxy"  // HAProxy in front of both, on ports 8080 and 1936
)

// Kinds are all images, in the order in which they are staged.
var Kinds = []Kind{Static, App, Proxy}

// recipes are the Dockerfiles with what they copy, a directory for each kind.
//
//go:embed static app proxy
var recipes embed.FS

// addContents adds what a kind's image has beside its recipe.
func (t tree) addContents(kind Kind, artifacts string) (contents, error) {
	switch kind {
	case Proxy:
		return contents{}, nil
	case Static:
		return t.addArtifact("site", artifacts, staticZip)
	case App:
		if err := t.addKeeper("keeper"); err != nil {
			return contents{}, err
		}
		return t.addArtifact("webapp", artifacts, companyNewsWAR)
	default:
		return contents{}, fmt.Errorf("unknown kind %q: use one of %q", kind, Kinds)
	}
}
