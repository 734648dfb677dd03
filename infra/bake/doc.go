// Package bake makes a machine image of one's own: Debian's, with the packages that machines install when they boot.
// Machines of such an image need neither a NAT gateway nor Debian's archive to boot, and it stays when Debian lets go
// of its own. EC2 Image Builder is not used, since it does not work on Debian
// (docs.aws.amazon.com/imagebuilder/latest/userguide/what-is-image-builder.html, "Supported operating systems").
package bake
