package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"twip/infra/ops"
	"twip/stacks"
)

// aws is an environment in the account that the caller's AWS credentials name. Everything goes through the pulumi
// and aws commands, as a person would type them, so their prompts and their output stay what people know.
type aws struct {
	root, stack string
	yes         bool // nobody is there to be asked
	in          io.Reader
	out         io.Writer
}

func newAWS(root string, o options, in io.Reader, out io.Writer) *aws {
	return &aws{root: root, stack: o.stack, yes: o.yes, in: in, out: out}
}

func (a *aws) Up(ctx context.Context) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return missing("docker")
	}
	if err := a.reuse(ctx); err != nil {
		return err
	}
	if a.yes {
		return a.pulumi(ctx, "up", "--yes")
	}
	return a.pulumi(ctx, "up")
}

func (a *aws) Preview(ctx context.Context) error { return a.pulumi(ctx, "preview") }
func (a *aws) Refresh(ctx context.Context) error { return a.pulumi(ctx, "refresh") }

// Destroy does not let Pulumi ask again: the stack's name was typed, or given.
func (a *aws) Destroy(ctx context.Context) error { return a.pulumi(ctx, "destroy", "--yes") }

// Scale sets how many app servers there are: containers on one host, the fewest machines of a group.
func (a *aws) Scale(ctx context.Context, appServers int) error {
	topology, err := a.output(ctx, "pulumi", "config", "get", "twip:topology", "--stack", a.stack)
	if err != nil {
		return err
	}
	set := []string{"config", "set", "twip:appContainers"}
	if strings.TrimSpace(string(topology)) == string(stacks.MultiZone) {
		set = []string{"config", "set", "--path", "twip:appServers.min"}
	}
	if err := a.pulumi(ctx, append(set, fmt.Sprint(appServers))...); err != nil {
		return err
	}
	return a.pulumi(ctx, "up")
}

func (a *aws) Outputs(ctx context.Context) (map[string]any, error) {
	outputs := map[string]any{}
	return outputs, a.read(ctx, &outputs, "pulumi", "stack", "output", "--json", "--stack", a.stack)
}

func (a *aws) Machines() ops.Machines { return a }

// Routes has the edge only: nothing else of an environment in AWS can be reached from here.
func (a *aws) Routes(_ context.Context, env ops.Environment) ([]ops.Route, error) {
	return []ops.Route{{Name: "edge", URL: strings.TrimSuffix(env.URL, "/") + "/"}}, nil
}

// Store says how a person gets to the data: no command of ours runs on a machine in AWS, which has no SSH.
func (a *aws) Store(ctx context.Context) (ops.Host, error) {
	outputs, err := a.Outputs(ctx)
	if err != nil {
		return nil, err
	}
	if volume, ok := outputs["dataVolumeId"].(string); ok {
		return nil, fmt.Errorf(`stack %q: the data is on volume %s, which only its machine can reach:
  1. stop the machine: aws ec2 stop-instances --instance-ids %v
  2. detach the volume, attach it to a Linux machine of yours that has Docker, and mount it on /mnt
  3. docker run --rm -v /mnt/store:/store <app image> epochs --store /store
     docker run --rm -v /mnt/store:/store <app image> restore --store /store <epoch>
  4. unmount it, attach it back as /dev/xvdf, and start the machine
make images STACK=%[1]s CLOUD=aws names the app image; to practise all this, use CLOUD=local`,
			a.stack, volume, outputs["instanceId"])
	}
	return nil, fmt.Errorf(`stack %q: the data is on a file system that only its machines can reach:
  1. open a session on a machine of the app group: aws ssm start-session --target i-...
     (make status STACK=%[1]s CLOUD=aws lists the machines; twip:sessionAgent lets people in)
  2. sudo docker exec app-1 keeper epochs --store /store
     sudo docker exec app-1 keeper restore --store /store <epoch>`, a.stack)
}

// pulumi runs the command with the terminal it was started from.
func (a *aws) pulumi(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "pulumi", append(args, "--stack", a.stack)...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = a.root, a.in, a.out, os.Stderr
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return missing("pulumi")
	case err != nil:
		return fmt.Errorf(
			"pulumi %s --stack %s: %w: what it printed above says why; mend that and run the command again",
			strings.Join(args, " "), a.stack, err)
	}
	return nil
}

func (a *aws) read(ctx context.Context, into any, argv ...string) error {
	text, err := a.output(ctx, argv...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf(
			"%s: answer is not what was expected: %w: compare the command's version with README, \"On AWS\"",
			strings.Join(argv, " "), err)
	}
	return nil
}

// ask puts a question to the AWS command line.
func (a *aws) ask(ctx context.Context, into any, arguments ...string) error {
	return a.read(ctx, into, append([]string{"aws", "--output", "json"}, arguments...)...)
}

func (a *aws) output(ctx context.Context, argv ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stderr = a.root, &stderr
	text, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, missing(argv[0])
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %s\nare you logged in (README, \"On AWS\")?",
			strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return text, nil
}

func missing(program string) error {
	return fmt.Errorf("%s is not on PATH: install it (README, \"On AWS\")", program)
}
