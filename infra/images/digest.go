package images

import "regexp"

var digestRE = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// IsDigest says whether a text names an image by its content. A tag does not: it can come to mean another image.
func IsDigest(text string) bool { return digestRE.MatchString(text) }
