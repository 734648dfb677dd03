package bake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"twip/components/compute"
	"twip/infra/boot"
	"twip/infra/preflight"
)

// Options say what is baked, and where.
type Options struct {
	AWS    preflight.AWS // required
	Region string        // required
	From   string        // required; exact name of a machine image of Debian's
	Subnet string        // one with a way to Debian's archive; empty: the default VPC's
	Now    time.Time     // becomes part of the name

	Every    time.Duration // how often the account is asked how far it is; default: 10 s
	Patience time.Duration // how long the machine, and then its image, may take; default: 15 minutes each
}

const (
	defaultEvery    = 10 * time.Second
	defaultPatience = 15 * time.Minute

	// instanceType has the memory to install fast, and costs cents an hour.
	instanceType = "t3.small"
)

// Image starts a machine from Debian's image, lets it install what machines install and switch itself off, and makes an
// image of it. The machine is gone afterwards, whatever happens. It returns the image's name.
func Image(ctx context.Context, o Options, out io.Writer) (name string, err error) {
	if o.Every == 0 {
		o.Every = defaultEvery
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if compute.IsOwn(o.From) {
		return "", fmt.Errorf("machine image: %s is one of your own already: bake from one of Debian's, so that nothing old "+
			"stays in it: make machine-image FROM=debian-13-amd64-…", o.From)
	}
	base, disk, err := o.find(ctx)
	if err != nil {
		return "", err
	}
	name = compute.OwnImage(o.From, o.Now)
	machine, err := o.start(ctx, base, disk, name)
	if err != nil {
		return "", err
	}
	defer func() {
		// Also after Ctrl-C: it costs money until it is gone.
		gone := o.here(context.WithoutCancel(ctx), nil, "terminate-instances", "--instance-ids", machine)
		if gone != nil {
			err = errors.Join(err, fmt.Errorf("machine %s is still there: %w: remove it with aws ec2 terminate-instances "+
				"--region %s --instance-ids %[1]s", machine, gone, o.Region))
		}
	}()
	fmt.Fprintf(out, "machine %s installs %d packages and switches itself off\n", machine, len(boot.Packages()))
	if err := o.await(ctx, out, "stopped", "look at it with aws ec2 get-console-output --instance-id "+machine+
		"; does its subnet lead to Debian's archive? SUBNET=subnet-… names another",
		"Reservations[0].Instances[0].State.Name", "describe-instances", "--instance-ids", machine); err != nil {
		return "", err
	}
	var made struct{ ImageId string }
	if err := o.here(ctx, &made, "create-image", "--instance-id", machine, "--name", name,
		"--description", "TWIP: "+o.From+" with what machines install",
		"--tag-specifications", tags("image", name), tags("snapshot", name)); err != nil {
		return "", fmt.Errorf("machine image %s: %w", name, err)
	}
	fmt.Fprintf(out, "image %s is made of its disk\n", made.ImageId)
	return name, o.await(ctx, out, "available", "look at it with aws ec2 describe-images --image-ids "+made.ImageId,
		"Images[0].State", "describe-images", "--image-ids", made.ImageId)
}

// find answers the id of Debian's image and the name of its disk.
func (o Options) find(ctx context.Context) (id, disk string, err error) {
	var answer struct {
		Images []struct{ ImageId, RootDeviceName string }
	}
	if err := o.here(ctx, &answer, "describe-images", "--owners", compute.DebianOwner, "--include-deprecated",
		"--filters", "Name=name,Values="+o.From); err != nil {
		return "", "", err
	}
	if len(answer.Images) != 1 {
		return "", "", fmt.Errorf("machine image %s: Debian has none of this name in %s: take one of "+
			"wiki.debian.org/Cloud/AmazonEC2Image/Trixie: make machine-image FROM=debian-13-amd64-…", o.From, o.Region)
	}
	return answer.Images[0].ImageId, answer.Images[0].RootDeviceName, nil
}

// start runs a machine that has no role and no open port, and answers its id.
func (o Options) start(ctx context.Context, base, disk, name string) (id string, err error) {
	document, err := os.CreateTemp("", "twip-bake-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Remove(document.Name())) }()
	_, err = document.Write(boot.Bake())
	if err := errors.Join(err, document.Close()); err != nil {
		return "", err
	}
	arguments := []string{"run-instances", "--image-id", base, "--instance-type", instanceType,
		"--user-data", "file://" + document.Name(),
		"--instance-initiated-shutdown-behavior", "stop",
		"--metadata-options", "HttpTokens=required,HttpEndpoint=enabled,HttpPutResponseHopLimit=1",
		"--block-device-mappings", "DeviceName=" + disk + ",Ebs={Encrypted=true,VolumeType=gp3,DeleteOnTermination=true}",
		"--tag-specifications", tags("instance", name), tags("volume", name)}
	if o.Subnet != "" {
		arguments = append(arguments, "--subnet-id", o.Subnet)
	}
	var started struct{ Instances []struct{ InstanceId string } }
	if err := o.here(ctx, &started, arguments...); err != nil {
		return "", fmt.Errorf("machine for image %s: %w: an account without a default VPC wants SUBNET=subnet-…", name, err)
	}
	if len(started.Instances) != 1 {
		return "", fmt.Errorf("machine for image %s: AWS answered %d machines instead of one: look for the tag "+
			"Name = %[1]s", name, len(started.Instances))
	}
	return started.Instances[0].InstanceId, nil
}

// await asks until the answer's part is wanted. Any other answer that does not lead there is final.
func (o Options) await(ctx context.Context, out io.Writer, wanted, advice, part string, question ...string) error {
	began := time.Now()
	for {
		var state string
		if err := o.here(ctx, &state, append(question, "--query", part)...); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s (%.0f s)\n", state, time.Since(began).Seconds())
		switch state {
		case wanted:
			return nil
		case "pending", "running", "stopping":
		default:
			return fmt.Errorf("it is %s instead of %s: %s", state, wanted, advice)
		}
		if time.Since(began) > o.Patience {
			return fmt.Errorf("it is still %s after %s: %s", state, o.Patience, advice)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.Every):
		}
	}
}

func (o Options) here(ctx context.Context, into any, arguments ...string) error {
	if into == nil {
		into = &json.RawMessage{}
	}
	return o.AWS(ctx, into, append(append([]string{"ec2"}, arguments...), "--region", o.Region)...)
}

func tags(of, name string) string {
	return fmt.Sprintf("ResourceType=%s,Tags=[{Key=Name,Value=%s},{Key=Project,Value=twip}]", of, name)
}
