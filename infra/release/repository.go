package release

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"twip/infra/images"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Repository is a place for images in a registry.
type Repository struct {
	at   name.Repository
	auth authn.Authenticator
}

// Login is how a registry knows who asks; the zero value is nobody.
type Login struct{ User, Password string }

// NewRepository names a repository by its URL, without a scheme. Registries on this computer are spoken to without TLS.
func NewRepository(url string, login Login) (Repository, error) {
	at, err := name.NewRepository(url)
	if err != nil {
		return Repository{}, fmt.Errorf("repository %q: %w", url, err)
	}
	r := Repository{at: at, auth: authn.Anonymous}
	if login != (Login{}) {
		r.auth = authn.FromConfig(authn.AuthConfig{Username: login.User, Password: login.Password})
	}
	return r, nil
}

// String is the repository's URL.
func (r Repository) String() string { return r.at.Name() }

// Digest is that of an image given by tag or digest; "" when the repository has none by that name.
func (r Repository) Digest(ctx context.Context, tagOrDigest string) (string, error) {
	var ref name.Reference = r.at.Tag(tagOrDigest)
	if images.IsDigest(tagOrDigest) {
		ref = r.at.Digest(tagOrDigest)
	}
	found, err := remote.Head(ref, r.options(ctx)...)
	var refused *transport.Error
	switch {
	case errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("image %s: %w: may you read this registry, and is it reached from here?", ref, err)
	}
	return found.Digest.String(), nil
}

// Copy brings an image into to. What is there already is not sent again: neither the image, nor any of its layers. The
// copy has a tag, so that people see what it is and nobody takes it for waste.
func (r Repository) Copy(ctx context.Context, digest string, to Repository) (copied bool, err error) {
	fail := func(err error) (bool, error) {
		return false, fmt.Errorf("copy of %s@%s to %s: %w", r, digest, to, err)
	}
	there, err := to.Digest(ctx, digest)
	if err != nil || there != "" {
		return false, err
	}
	image, err := remote.Get(r.at.Digest(digest), r.options(ctx)...)
	if err != nil {
		return fail(fmt.Errorf("%w: has its registry let go of it? Build it again, and promote that", err))
	}
	target := to.at.Tag(tagOf(digest))
	if image.MediaType.IsIndex() {
		index, err := image.ImageIndex()
		if err != nil {
			return fail(err)
		}
		err = remote.WriteIndex(target, index, to.options(ctx)...)
		return err == nil, wrap(fail, err)
	}
	single, err := image.Image()
	if err != nil {
		return fail(err)
	}
	err = remote.Write(target, single, to.options(ctx)...)
	return err == nil, wrap(fail, err)
}

func wrap(fail func(error) (bool, error), err error) error {
	if err != nil {
		_, err = fail(err)
	}
	return err
}

// tagOf names a copied image.
func tagOf(digest string) string { return "release-" + digest[len("sha256:"):][:16] }

func (r Repository) options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuth(r.auth)}
}
