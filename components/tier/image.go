package tier

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/infra/images"
)

// Image is a container image in a repository of its own.
type Image struct {
	Digest     pulumi.StringOutput // repository@sha256:…, the only name under which machines use it
	Repository *ecr.Repository     // machines that run the image may pull from it
}

// keptImages is how many images a repository keeps: enough to go back by several releases.
const keptImages = 20

// lifecycle lets ECR remove what nothing will ask for again:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
var lifecycle = fmt.Sprintf(`{"rules":[{"rulePriority":1,"description":"keep the newest %[1]d images",`+
	`"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":%[1]d},`+
	`"action":{"type":"expire"}}]}`, keptImages)

// newImage registers the repository and the build that fills it, or uses an image that it holds. The tag is the
// content's hash: the same content is never built again, and other content never moves a tag.
func newImage(
	ctx *pulumi.Context, name string, build *images.Context, parent pulumi.ResourceOrInvokeOption,
) (*Image, error) {
	repository, err := ecr.NewRepository(ctx, name, &ecr.RepositoryArgs{
		ImageTagMutability:         pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)},
		// Images are made from what is at hand and can be made again: they must not stop an environment's removal.
		ForceDelete: pulumi.Bool(true),
		Tags:        tag.Named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("repository: %w", err)
	}
	if _, err = ecr.NewLifecyclePolicy(ctx, name, &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     pulumi.String(lifecycle),
	}, parent); err != nil {
		return nil, fmt.Errorf("lifecycle policy: %w", err)
	}

	made := &Image{Repository: repository}
	if build.Digest != "" {
		made.Digest = existing(ctx, repository, build.Digest, parent)
		return made, nil
	}
	login := ecr.GetAuthorizationTokenOutput(ctx,
		ecr.GetAuthorizationTokenOutputArgs{RegistryId: repository.RegistryId}, parent)
	buildArgs := pulumi.StringMap{}
	for key, value := range build.Args {
		buildArgs[key] = pulumi.String(value)
	}
	image, err := docker.NewImage(ctx, name, &docker.ImageArgs{
		ImageName: pulumi.Sprintf("%s:%s", repository.RepositoryUrl, build.Tag),
		Build: &docker.DockerBuildArgs{
			Context:    pulumi.String(build.Dir),
			Dockerfile: pulumi.String(build.Dir + "/Dockerfile"),
			Args:       buildArgs,
			Platform:   pulumi.String("linux/amd64"), // what the machines are, whatever computer builds
		},
		Registry: &docker.RegistryArgs{
			Server:   repository.RepositoryUrl,
			Username: login.UserName(),
			Password: pulumi.ToSecret(login.Password()).(pulumi.StringOutput),
		},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	made.Digest = image.RepoDigest
	return made, nil
}

// existing is the name of an image that the repository holds. The registry is asked for it first, so that a digest that
// is not there ends a preview, and not the boot of a machine.
func existing(
	ctx *pulumi.Context, repository *ecr.Repository, digest string, parent pulumi.ResourceOrInvokeOption,
) pulumi.StringOutput {
	found := ecr.GetImageOutput(ctx, ecr.GetImageOutputArgs{
		RepositoryName: repository.Name,
		ImageDigest:    pulumi.StringPtr(digest),
	}, parent)
	return pulumi.Sprintf("%s@%s", repository.RepositoryUrl, found.ImageDigest())
}

// checkBuild refuses a build context that newImage could not use.
func checkBuild(build *images.Context) (p problem.List) {
	if build == nil {
		p.Unless(false, "build", nil, "stage it with images.Stage")
		return p
	}
	p.Unless(build.Before == "" || images.IsDigest(build.Before), "build: before", build.Before,
		"use sha256: and 64 hexadecimal digits")
	if build.Digest != "" {
		p.Unless(images.IsDigest(build.Digest), "build: digest", build.Digest, "use sha256: and 64 hexadecimal digits")
		return p
	}
	p.Unless(build.Dir != "", "build: dir", build.Dir, "stage it with images.Stage")
	p.Unless(build.Tag != "", "build: tag", build.Tag, "stage it with images.Stage")
	return p
}
