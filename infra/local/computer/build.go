package computer

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Build makes an image, puts it into the registry and returns the digest under which machines pull it. Like ECR, whose
// repositories are declared immutable, the registry refuses a tag that it has already.
func (c *Computer) Build(ctx context.Context, b Build) (digest string, err error) {
	repository := c.repository(b.Repository)
	fail := func(what string, err error) error {
		return fmt.Errorf("image %s:%s: %s: %w", repository, b.Tag, what, err)
	}
	registry, err := c.endpoint(ctx, registryPort)
	if err != nil {
		return "", fail("registry", err)
	}
	switch taken, err := c.HasImage(ctx, b.Repository, b.Tag); {
	case err != nil:
		return "", err
	case taken:
		return "", fmt.Errorf("tag invalid: The image tag '%s' already exists in the '%s' repository and cannot be "+
			"overwritten because the tag is immutable: make up finds it and uses it", b.Tag, repository)
	}
	image := registry + "/" + repository + ":" + b.Tag
	defer c.step("building image %s", repository)()
	if err := dockerBuild(ctx, c.name, image, b.Context, b.Dockerfile, b.Args); err != nil {
		return "", fail("build", err)
	}
	out, err := docker(ctx, "push", image)
	if err != nil {
		return "", fail("push", err)
	}
	digest = pushedDigest(out)
	if digest == "" {
		return "", fail("push", fmt.Errorf("docker names no digest: %s", LastLines(out, 3)))
	}
	return digest, nil
}

// DeleteRepository removes a repository with its images; the layers stay until the registry goes.
func (c *Computer) DeleteRepository(ctx context.Context, nameOrURL string) error {
	name := c.repository(nameOrURL)
	if !repositoryName.MatchString(name) {
		return fmt.Errorf("repository %q: it is not the name of a repository", name)
	}
	if b, err := c.container(ctx, labelEndpoint, "all"); err != nil || b == nil {
		return err // the registry went with everything that was in it
	}
	dir := "/var/lib/registry/docker/registry/v2/repositories/" + name
	if _, err := docker(ctx, "exec", c.object("endpoints"), "rm", "-rf", dir); err != nil {
		return fmt.Errorf("repository %s: %w", name, err)
	}
	return nil
}

// repositoryName is what ECR takes, so that no path leads out of the registry:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
var repositoryName = regexp.MustCompile(`^[a-z0-9]+([._/-][a-z0-9]+)*$`)

// RegistryAddress is where the registry answers on this computer, without TLS and without a password.
func (c *Computer) RegistryAddress(ctx context.Context) (string, error) {
	return c.endpoint(ctx, registryPort)
}

// RegistryHost is the name by which machines, and the URLs of repositories, know the registry.
func (c *Computer) RegistryHost() string { return c.registryHost() }

// HasImage reports whether the registry holds an image, by its digest or tag.
func (c *Computer) HasImage(ctx context.Context, repository, digest string) (bool, error) {
	registry, err := c.endpoint(ctx, registryPort)
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead,
		"http://"+registry+"/v2/"+c.repository(repository)+"/manifests/"+digest, nil)
	if err != nil {
		return false, err
	}
	// A registry answers for the kinds of manifest that are asked for: Docker's own, and OCI's where BuildKit built it.
	request.Header.Set("Accept",
		"application/vnd.docker.distribution.manifest.v2+json, "+
			"application/vnd.docker.distribution.manifest.list.v2+json, "+
			"application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, fmt.Errorf("image %s@%s: %w", repository, digest, err)
	}
	_ = response.Body.Close() // a HEAD's is empty
	switch response.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("image %s@%s: the registry answers %s", repository, digest, response.Status)
}

// repository is a repository's name, whether it was given by name or by URL.
func (c *Computer) repository(nameOrURL string) string {
	return strings.TrimPrefix(nameOrURL, c.registryHost()+"/")
}

// dockerBuild builds an image with the label of its owner, with BuildKit where its plugin is there, and with the
// classic builder elsewhere.
func dockerBuild(ctx context.Context, owner, image, dir, dockerfile string, args map[string]string) error {
	if dockerfile == "" {
		dockerfile = filepath.Join(dir, "Dockerfile")
	}
	// Without --force-rm a build that fails leaves the container of its last step behind.
	argv := []string{"env", "DOCKER_BUILDKIT=0", "docker", "build", "--force-rm"}
	if exec.CommandContext(ctx, "docker", "buildx", "version").Run() == nil {
		// The builder called default sees the images of the daemon, others do not. Provenance would make each build's
		// digest another.
		argv = []string{"docker", "buildx", "build", "--builder", "default", "--load", "--provenance=false"}
	}
	argv = append(argv, "--label", labelCloud+"="+owner, "--tag", image, "--file", dockerfile)
	for _, name := range sortedKeys(args) {
		argv = append(argv, "--build-arg", name+"="+args[name])
	}
	_, err := run(ctx, nil, append(argv, dir)...)
	return err
}

var digestLine = regexp.MustCompile(`digest: (sha256:[0-9a-f]{64})`)

// pushedDigest reads what docker push says last: "tag: digest: sha256:… size: …".
func pushedDigest(out string) string {
	if match := digestLine.FindStringSubmatch(out); match != nil {
		return match[1]
	}
	return ""
}
