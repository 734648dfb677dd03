package engine_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"twip/infra/local/computer"
)

// recorder is a Computer that remembers what it was asked for, in order, and what should exist after it.
type recorder struct {
	mu       sync.Mutex
	calls    []string
	machines map[string]computer.Machine
	stopped  map[string]bool
	volumes  map[string]string // volume → instance that it is attached to, "" for none
	images   map[string]bool   // by digest
	tags     map[string]string // digests by repository and tag; none can be pushed twice
	ports    map[string]string // address → instance and ports
	groups   map[string]bool
	files    map[string]bool // file systems
}

func newRecorder() *recorder {
	return &recorder{machines: map[string]computer.Machine{}, stopped: map[string]bool{}, volumes: map[string]string{},
		images: map[string]bool{}, tags: map[string]string{}, ports: map[string]string{}, groups: map[string]bool{},
		files: map[string]bool{}}
}

func (r *recorder) note(format string, args ...any) func() {
	r.mu.Lock()
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
	return r.mu.Unlock
}

// since lists the calls after the first n that start with one of the prefixes.
func (r *recorder) since(n int, prefixes ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, c := range r.calls[n:] {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(c, p) }) {
			out = append(out, c)
		}
	}
	return out
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

func (r *recorder) Build(_ context.Context, b computer.Build) (string, error) {
	defer r.note("build %s:%s", b.Repository, b.Tag)()
	if r.tags[b.Repository+":"+b.Tag] != "" {
		return "", fmt.Errorf("the image tag %s already exists in %s", b.Tag, b.Repository)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(b.Repository+b.Tag+fmt.Sprint(b.Args))))
	r.images[digest], r.tags[b.Repository+":"+b.Tag] = true, digest
	return digest, nil
}

func (r *recorder) DeleteRepository(_ context.Context, name string) error {
	defer r.note("delete repository %s", name)()
	maps.DeleteFunc(r.tags, func(tag, _ string) bool { return strings.Contains(tag, name+":") })
	return nil
}

func (r *recorder) HasImage(_ context.Context, repository, digest string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.images[digest], nil
}

func (r *recorder) Launch(_ context.Context, m computer.Machine) error {
	defer r.note("launch %s", m.ID)()
	r.machines[m.ID], r.stopped[m.ID] = m, false
	return nil
}

func (r *recorder) Stop(_ context.Context, id string) error {
	defer r.note("stop %s", id)()
	if _, there := r.machines[id]; !there {
		return fmt.Errorf("machine %s: stop: there is no such machine", id)
	}
	r.stopped[id] = true
	return nil
}

// Terminate is strict where EC2 is careless: a volume that is still attached would lose what is not yet written.
func (r *recorder) Terminate(_ context.Context, id string) error {
	defer r.note("terminate %s", id)()
	for volume, instance := range r.volumes {
		if instance == id {
			return fmt.Errorf("volume %s is still attached to %s", volume, id)
		}
	}
	delete(r.machines, id)
	return nil
}

func (r *recorder) State(_ context.Context, id string) (computer.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch _, ok := r.machines[id]; {
	case !ok:
		return computer.State{Phase: computer.Gone}, nil
	case r.stopped[id]:
		return computer.State{Phase: computer.Stopped, PrivateIP: "10.0.0.10"}, nil
	}
	return computer.State{Phase: computer.Running, PrivateIP: "10.0.0.10"}, nil
}

func (r *recorder) CreateVolume(_ context.Context, id string, gib int) error {
	defer r.note("create volume %s %d GiB", id, gib)()
	r.volumes[id] = ""
	return nil
}

func (r *recorder) DeleteVolume(_ context.Context, id string) error {
	defer r.note("delete volume %s", id)()
	delete(r.volumes, id)
	return nil
}

func (r *recorder) HasVolume(_ context.Context, id string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.volumes[id]
	return ok, nil
}

// AttachVolume refuses a volume that another running machine has: there would be two writers.
func (r *recorder) AttachVolume(_ context.Context, volume, instance, device string) error {
	defer r.note("attach %s to %s at %s", volume, instance, device)()
	if other := r.volumes[volume]; other != "" && other != instance {
		return fmt.Errorf("volume %s is attached to %s", volume, other)
	}
	r.volumes[volume] = instance
	return nil
}

func (r *recorder) DetachVolume(_ context.Context, volume string) error {
	defer r.note("detach %s", volume)()
	if instance := r.volumes[volume]; instance != "" && !r.stopped[instance] {
		return fmt.Errorf("volume %s is in use by %s, which runs", volume, instance)
	}
	if _, ok := r.volumes[volume]; ok {
		r.volumes[volume] = ""
	}
	return nil
}

func (r *recorder) Publish(_ context.Context, address, instance string, ports []int) error {
	defer r.note("publish %v of %s", ports, instance)()
	r.ports[address] = fmt.Sprint(instance, ports)
	return nil
}

func (r *recorder) Unpublish(_ context.Context, address string) error {
	defer r.note("unpublish %s", address)()
	delete(r.ports, address)
	return nil
}

func (r *recorder) EnsureLogGroup(_ context.Context, name string) error {
	defer r.note("log group %s", name)()
	r.groups[name] = true
	return nil
}

func (r *recorder) DeleteLogGroup(_ context.Context, name string) error {
	defer r.note("delete log group %s", name)()
	delete(r.groups, name)
	return nil
}

func (r *recorder) CreateFileSystem(_ context.Context, id string) error {
	defer r.note("create file system %s", id)()
	r.files[id] = true
	return nil
}

func (r *recorder) DeleteFileSystem(_ context.Context, id string) error {
	defer r.note("delete file system %s", id)()
	delete(r.files, id)
	return nil
}

func (r *recorder) HasFileSystem(_ context.Context, id string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[id], nil
}

func (r *recorder) RunFunction(_ context.Context, f computer.Function) (string, error) {
	defer r.note("run %s with %s", f.Handler, f.Payload)()
	if f.Files["rollout.py"] == "" {
		return "", fmt.Errorf("function %s has no rollout.py", f.Handler)
	}
	return "{}", nil
}

// lose takes a body away behind everybody's back.
func (r *recorder) lose(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.machines, id)
	delete(r.volumes, id)
	for volume, instance := range r.volumes {
		if instance == id {
			r.volumes[volume] = ""
		}
	}
}

// left tells what exists.
func (r *recorder) left() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%d machines, %d volumes, %d addresses, %d log groups, %d file systems", len(r.machines), len(r.volumes),
		len(r.ports), len(r.groups), len(r.files))
}
