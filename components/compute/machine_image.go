package compute

import (
	"strings"
	"time"
)

// DebianOwner is the account that publishes Debian's machine images: https://wiki.debian.org/Cloud/AmazonEC2Image
const DebianOwner = "136693071363"

// ownPrefix begins the names of machine images that `make machine-image` made, after which comes that of Debian's image
// and the time.
const ownPrefix = "twip-"

// OwnImage is the name of an image made of one of Debian's at a time.
func OwnImage(from string, at time.Time) string {
	return ownPrefix + from + "-" + at.UTC().Format("200601021504")
}

// IsOwn says whether a machine image is of one's own account, by its name.
func IsOwn(name string) bool { return strings.HasPrefix(name, ownPrefix) }

// ImageOwner is the account to look for a machine image in, as EC2 names it.
func ImageOwner(name string) string {
	if IsOwn(name) {
		return "self"
	}
	return DebianOwner
}
