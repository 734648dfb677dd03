package computer

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// The labels on Docker objects. labelCloud is on all of them; the others say what an object is the body of.
const (
	labelCloud     = "twip.local"      // this cloud's name
	labelStack     = "twip.stack"      // the stack that a machine, its disk or an address belongs to
	labelConfig    = "twip.config"     // hash of what the object was made from
	labelMachine   = "twip.machine"    // instance id
	labelAddress   = "twip.address"    // Elastic IP's allocation id
	labelGroup     = "twip.group"      // on a machine that its group replaces rather than starts again
	labelFiles     = "twip.files"      // id of the file system that a volume stands for
	labelServer    = "twip.server"     // id of the file system that a kernel serves
	labelKernel    = "twip.kernel"     // the zone of a machine with a kernel of its own
	labelPrivateIP = "twip.private-ip" // that machine's address
	labelZone      = "twip.zone"       // the zone that a container is the network of
	labelEndpoint  = "twip.endpoint"   // "all": the container that answers under AWS's names
)

// run runs a program on this computer and returns its standard output. Its error holds the end of what the program
// said.
func run(ctx context.Context, stdin io.Reader, argv ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Stdin, command.Stdout, command.Stderr = stdin, &stdout, &stderr
	command.WaitDelay = 5 * time.Second
	if err := command.Run(); err != nil {
		said := LastLines(stderr.String()+"\n"+stdout.String(), 15)
		if errors.Is(err, exec.ErrNotFound) {
			return "", err
		}
		return stdout.String(), fmt.Errorf("%s: %w: %s", strings.Join(argv[:min(3, len(argv))], " "), err, said)
	}
	return stdout.String(), nil
}

func docker(ctx context.Context, args ...string) (string, error) {
	out, err := run(ctx, nil, append([]string{"docker"}, args...)...)
	return strings.TrimSpace(out), err
}

// LastLines is the end of a text: n lines of it at the most.
func LastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func (c *Computer) label() string { return labelCloud + "=" + c.name }

// stackLabel is on what belongs to one stack, so that it is found when no record tells of it.
func (c *Computer) stackLabel() string { return labelStack + "=" + c.options.Stack }

func (c *Computer) object(parts ...string) string {
	return strings.Join(append([]string{"twip", c.name}, parts...), "-")
}

// find lists ids of the objects of one kind (container, volume, network, image) that carry this cloud's label and every
// other one given. Whatever is changed or removed is found here first, so an object that is not ours cannot be touched.
func (c *Computer) find(ctx context.Context, kind string, labels ...string) ([]string, error) {
	return find(ctx, kind, append(labels, c.label())...)
}

func find(ctx context.Context, kind string, labels ...string) ([]string, error) {
	args := []string{kind, "ls", "--quiet"}
	if kind == "container" {
		args = append(args, "--all")
	}
	if kind != "volume" {
		args = append(args, "--no-trunc")
	}
	for _, label := range labels {
		args = append(args, "--filter", "label="+label)
	}
	out, err := docker(ctx, args...)
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(out)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// body is the part of "docker inspect" that matters here.
type body struct {
	ID     string `json:"Id"`
	Config struct {
		Labels map[string]string
	}
	State struct {
		Status string
		Pid    int
	}
	NetworkSettings struct {
		Ports    map[string][]struct{ HostIP, HostPort string }
		Networks map[string]struct {
			IPAMConfig *struct{ IPv4Address string }
		}
	}
}

// container returns the one container of this cloud with the label, nil when there is none.
func (c *Computer) container(ctx context.Context, label, value string) (*body, error) {
	all, err := c.containers(ctx, label+"="+value)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if len(all) > 1 {
		return nil, fmt.Errorf("local cloud %q: %d containers are labelled %s=%s: remove one", c.name, len(all), label,
			value)
	}
	return &all[0], nil
}

// halfMade says that a container was created and never started: whoever made it was killed before its files were in it.
func (b *body) halfMade() bool { return b != nil && b.State.Status == "created" }

// whole removes a container that was half made; what is left is nil, or a container that was started once.
func (c *Computer) whole(ctx context.Context, b *body) (*body, error) {
	if !b.halfMade() {
		return b, nil
	}
	return nil, c.removeContainer(ctx, b)
}

func (c *Computer) containers(ctx context.Context, labels ...string) ([]body, error) {
	ids, err := c.find(ctx, "container", labels...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out, err := docker(ctx, append([]string{"container", "inspect"}, ids...)...)
	if err != nil && strings.Contains(err.Error(), "No such container") && ctx.Err() == nil {
		return c.containers(ctx, labels...) // one was removed meanwhile, and is not found again
	}
	if err != nil {
		return nil, err
	}
	var bodies []body
	if err := json.Unmarshal([]byte(out), &bodies); err != nil {
		return nil, fmt.Errorf("docker container inspect: %w", err)
	}
	return bodies, nil
}

func (c *Computer) removeContainer(ctx context.Context, b *body) error {
	if b == nil {
		return nil
	}
	_, err := docker(ctx, "container", "rm", "--force", "--volumes", b.ID)
	return err
}

// file is a file to put into a container before it starts.
type file struct {
	path    string
	mode    int64
	content []byte
}

// putFiles writes files, and the directories above them, into a container that need not run.
func putFiles(ctx context.Context, container string, files ...file) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	made := map[string]bool{}
	for _, f := range files {
		name := strings.TrimPrefix(f.path, "/")
		for i, r := range name {
			if r == '/' && !made[name[:i]] {
				made[name[:i]] = true
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name[:i] + "/", Mode: 0o755}); err != nil {
					return err
				}
			}
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
			return err
		}
		if _, err := w.Write(f.content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err := run(ctx, &archive, "docker", "cp", "-", container+":/")
	return err
}
