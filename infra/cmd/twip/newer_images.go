package main

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"twip/components/compute"
	"twip/infra/release"
	"twip/stacks"

	"github.com/google/go-containerregistry/pkg/name"
)

// newestOf is what Debian names its machine images: the date and a number order them.
// https://wiki.debian.org/Cloud/AmazonEC2Image
const newestOf = "debian-13-amd64-"

func newerImagesFlags(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.propose, "propose", false, "push what is newer to a branch, and open a pull request with the gh command")
}

// newerImages writes the newest machine image and base image into the stack's file: what runs changes by a decision,
// and this makes the decision cheap.
func newerImages(ctx context.Context, t task) error {
	there := t.cloud.(*aws)
	config, err := there.declared(ctx)
	if err != nil {
		return err
	}
	machine, err := t.newerMachineImage(ctx, there, config)
	if err != nil {
		return err
	}
	base, err := t.newerBaseImage(ctx, config)
	if err != nil {
		return err
	}
	for _, change := range [][2]string{{"twip:machineImage", machine}, {"twip:baseImage", base}} {
		if key, value := change[0], change[1]; value != "" {
			fmt.Fprintf(t.out, "%s: %s\n", key, value)
			if err := there.pulumi(ctx, "config", "set", key, value); err != nil {
				return err
			}
		}
	}
	switch {
	case machine == "" && base == "":
		fmt.Fprintf(t.out, "stack %s names the newest images already\n", t.stack)
		return nil
	case t.propose:
		return t.proposeNewerImages(ctx)
	}
	fmt.Fprintf(t.out, "nothing runs them yet: make up STACK=%s CLOUD=aws\n", t.stack)
	return nil
}

// newerMachineImage is Debian's newest, or "" if the stack has it. An image of one's own is only told of: making one
// takes a machine.
func (t task) newerMachineImage(ctx context.Context, there *aws, config *stacks.Config) (string, error) {
	var names []string
	if err := there.ask(ctx, &names, "ec2", "describe-images", "--region", config.Region, "--owners",
		compute.DebianOwner, "--filters", "Name=name,Values="+newestOf+"*", "--query", "Images[].Name"); err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("machine image of stack %q: Debian offers none called %s… in %s: look at "+
			"https://wiki.debian.org/Cloud/AmazonEC2Image, and set twip:machineImage by hand", t.stack, newestOf,
			config.Region)
	}
	newest := slices.Max(names)
	own := strings.HasPrefix(config.MachineImage, "twip-")
	switch now := strings.TrimPrefix(config.MachineImage, "twip-"); {
	case now >= newest:
		return "", nil
	case own:
		fmt.Fprintf(t.out, "twip:machineImage is one of your own, and Debian has %s by now: make machine-image STACK=%s "+
			"FROM=%[1]s\n", newest, t.stack)
		return "", nil
	}
	return newest, nil
}

// newerBaseImage is the base image by its digest of today, or "" if the stack has it, or builds nothing.
func (t task) newerBaseImage(ctx context.Context, config *stacks.Config) (string, error) {
	if len(config.Release.Images) > 0 {
		return "", nil
	}
	image, _, _ := strings.Cut(config.BaseImage, "@")
	tag, err := name.NewTag(image)
	if err != nil {
		return "", fmt.Errorf("twip:baseImage: %w", err)
	}
	repository, err := release.NewRepository(tag.Context().Name(), release.Login{})
	if err != nil {
		return "", fmt.Errorf("twip:baseImage: %w", err)
	}
	digest, err := repository.Digest(ctx, tag.TagStr())
	if err != nil {
		return "", fmt.Errorf("twip:baseImage: %w", err)
	}
	if digest == "" {
		return "", fmt.Errorf("twip:baseImage = %q of stack %q: its registry has no such image: name one that it has",
			config.BaseImage, t.stack)
	}
	if newest := image + "@" + digest; newest != config.BaseImage {
		return newest, nil
	}
	return "", nil
}

// proposeNewerImages opens one pull request for each stack, and brings it up to date as long as it is open.
func (t task) proposeNewerImages(ctx context.Context) error {
	file, branch, title := "Pulumi."+t.stack+".yaml", "newer-images-"+t.stack, "Newer images for "+t.stack
	if err := inTurn(ctx, t, file+" has the newer images, commit it by hand",
		[]string{"checkout", "--quiet", "-B", branch},
		asDelivery("commit", "--message", title, "--", file),
		[]string{"push", "--force", "origin", branch},
	); err != nil {
		return err
	}
	there := t.cloud.(*aws)
	var open []struct{ Number int }
	if err := there.read(ctx, &open, "gh", "pr", "list", "--head", branch, "--json", "number"); err != nil {
		return err
	}
	if len(open) > 0 {
		fmt.Fprintf(t.out, "pull request %d has them now\n", open[0].Number)
		return nil
	}
	create := exec.CommandContext(ctx, "gh", "pr", "create", "--head", branch, "--title", title, "--body",
		"Debian has newer images than "+t.stack+" names. What changes is in the preview; what is merged is delivered.")
	create.Dir, create.Stdout, create.Stderr = there.root, t.out, t.out
	if err := create.Run(); err != nil {
		return fmt.Errorf("gh pr create: %w: branch %s is pushed, open the pull request by hand", err, branch)
	}
	return nil
}
