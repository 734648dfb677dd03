package images

import (
	"fmt"
	"path/filepath"
)

// DefaultBaseImage is what the images are built on when Options name nothing else.
const DefaultBaseImage = "debian:trixie-slim"

// Options say what to assemble and where.
type Options struct {
	// Artifacts is the directory that may hold companyNews.war and static.zip. It need not exist. Default: none, the
	// sample is used.
	Artifacts string
	// BaseImage is the Debian 13 image that all images are built on. Default: DefaultBaseImage.
	BaseImage string
	// Rebuild is any text; another one is another image, built anew from Debian's archive as it is then. Default: none.
	Rebuild string
	// TrainingOptional lets an application pass that does not start while its image is built. Default: the build fails.
	TrainingOptional bool
	// Out is the directory in which each kind gets a directory of its own. Required.
	Out string
}

// Context is an assembled build context.
type Context struct {
	Kind   Kind
	Dir    string            // Out/<kind>, with a Dockerfile at its top
	Tag    string            // 16 hexadecimal digits that change with everything that reaches the image
	Args   map[string]string // build arguments
	Source string            // for people: the artifact that is inside, or that it is the sample; "" for neither

	Artifact string // name of the artifact that is inside; "" for the sample or none
	Checksum string // "sha256:…" of that file as it was provided

	// Digest is "sha256:…" of an image that the registry holds already: nothing is built, and the rest may be empty.
	Digest string
	// Before is "sha256:…" of the image of the release before, in the same repository; "": there is none.
	Before string
}

// Stage assembles the build context of one kind. It writes only files that differ from what Out already holds, and
// removes what does not belong to the context.
func Stage(kind Kind, o Options) (*Context, error) {
	if o.Out == "" {
		return nil, fmt.Errorf("images: stage %s: Out is empty: name the directory for build contexts", kind)
	}
	c, files, err := assemble(kind, o)
	if err == nil {
		err = files.write(c.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("images: stage %s: %w", kind, err)
	}
	return c, nil
}

// Tag is that of the Context that Stage would make. It writes nothing, and needs no Out.
func Tag(kind Kind, o Options) (string, error) {
	c, _, err := assemble(kind, o)
	if err != nil {
		return "", fmt.Errorf("images: tag of %s: %w", kind, err)
	}
	return c.Tag, nil
}

// assemble puts a context together, with its files, which are nowhere yet.
func assemble(kind Kind, o Options) (*Context, tree, error) {
	if o.BaseImage == "" {
		o.BaseImage = DefaultBaseImage
	}
	files := tree{}
	inside, err := files.addContents(kind, o.Artifacts)
	if err == nil {
		err = files.add("", recipes, string(kind))
	}
	if err != nil {
		return nil, nil, err
	}
	c := &Context{
		Kind:     kind,
		Dir:      filepath.Join(o.Out, string(kind)),
		Args:     map[string]string{"BASE_IMAGE": o.BaseImage},
		Source:   inside.source,
		Artifact: inside.artifact,
		Checksum: inside.checksum,
	}
	if o.Rebuild != "" {
		c.Args["REBUILD"] = o.Rebuild
	}
	if o.TrainingOptional && kind == App {
		c.Args["TRAINING"] = "optional"
	}
	c.Tag = files.hash(c.Args)
	return c, files, nil
}
