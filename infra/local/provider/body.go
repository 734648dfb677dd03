package provider

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"twip/infra/boot"
	"twip/infra/local/account"
	"twip/infra/local/computer"
)

// operation is one resource that is being created, changed, looked at or deleted.
type operation struct {
	server   *Server
	computer Computer
	cloud    account.Model
	name     string // logical name
	id       string
	inputs   resource.PropertyMap
	outputs  resource.PropertyMap // of a resource being created or changed: may be added to
	old      resource.PropertyMap // the inputs before a change
}

// body is what a resource is besides its record. Any of its functions may be absent.
type body struct {
	create func(context.Context, *operation) error
	update func(context.Context, *operation) error
	exists func(context.Context, *operation) (bool, error)
	remove func(context.Context, *operation) error
	// discard removes what a failed or interrupted creation may have left, and nothing that was there before it.
	discard func(context.Context, *operation) error
	facts   []string // outputs that other resources' bodies depend on
}

const (
	volumeType     = "aws:ebs/volume:Volume"
	attachmentType = "aws:ec2/volumeAttachment:VolumeAttachment"
	imageType      = "docker:index/image:Image"
	repositoryType = "aws:ecr/repository:Repository"
	subnetType     = "aws:ec2/subnet:Subnet"
	logGroupType   = "aws:cloudwatch/logGroup:LogGroup"
)

// bodies are by resource type. The rest of the types is recorded only.
var bodies = joined(machineBodies, regionBodies)

func joined(tables ...map[string]body) map[string]body {
	all := map[string]body{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// machineBodies are those of what one machine needs.
var machineBodies = map[string]body{
	imageType:      {create: build, update: build, exists: imageExists},
	repositoryType: {remove: deleteRepository},
	instanceType: {
		create:  launch,
		update:  changeMachine,
		exists:  machineExists,
		remove:  terminate,
		discard: terminate,
		facts:   []string{"vpcSecurityGroupIds", "availabilityZone"},
	},
	volumeType: {
		create:  createVolume,
		update:  changeVolume,
		exists:  volumeExists,
		remove:  deleteVolume,
		discard: deleteVolume,
	},
	attachmentType: {
		create: attach,
		exists: attachmentExists,
		remove: detach,
		facts:  []string{"volumeId", "instanceId", "deviceName"},
	},
	addressType:     {facts: []string{"instance", "publicIp"}},
	associationType: {exists: associationExists, facts: []string{"allocationId", "instanceId"}},
	ingressType:     {facts: ruleFacts},
	egressType:      {facts: ruleFacts},
	logGroupType: {
		create:  ensureLogGroup,
		exists:  logGroupExists,
		remove:  deleteLogGroup,
		discard: deleteLogGroup,
		facts:   []string{"name"},
	},
	subnetType: {facts: []string{"availabilityZone"}},
}

// publishers are the types that decide together which ports are reachable.
var publishers = []string{instanceType, addressType, associationType, ingressType}

func build(ctx context.Context, o *operation) error {
	image := text(o.inputs, "imageName")
	b := computer.Build{
		Repository: account.Repository(image),
		Context:    text(o.inputs, "build", "context"),
		Args:       map[string]string{},
	}
	b.Tag = strings.TrimPrefix(strings.TrimPrefix(image, b.Repository), ":")
	if b.Tag == "" {
		return fmt.Errorf("image %q: imageName %q has no tag: name one, repositories here do not let tags move", o.name,
			image)
	}
	if b.Context == "" {
		return fmt.Errorf("image %q: build.context is empty: name the directory to build", o.name)
	}
	b.Context = o.server.path(b.Context)
	if f := text(o.inputs, "build", "dockerfile"); f != "" {
		b.Dockerfile = o.server.path(f)
	}
	if args := value(o.inputs, "build", "args"); args.IsObject() {
		for k := range args.ObjectValue() {
			b.Args[string(k)] = text(args.ObjectValue(), k)
		}
	}
	digest, err := o.computer.Build(ctx, b)
	if err != nil {
		return fmt.Errorf("image %q: %w", o.name, err)
	}
	o.outputs["repoDigest"] = resource.NewStringProperty(b.Repository + "@" + digest)
	return nil
}

func imageExists(ctx context.Context, o *operation) (bool, error) {
	repository, digest, ok := strings.Cut(text(o.outputs, "repoDigest"), "@")
	if !ok {
		return false, nil
	}
	return o.computer.HasImage(ctx, repository, digest)
}

// deleteRepository takes the images along, as forceDelete says.
func deleteRepository(ctx context.Context, o *operation) error {
	return o.computer.DeleteRepository(ctx, text(o.outputs, "name"))
}

// imageQuestion is the data source that tells whether an image is there.
const imageQuestion = "aws:ecr/getImage:getImage"

func (s *Server) hasImage(ctx context.Context, args resource.PropertyMap) error {
	repository, digest := text(args, "repositoryName"), text(args, "imageDigest")
	there, err := s.options.Computer.HasImage(ctx, repository, digest)
	if err == nil && !there {
		err = fmt.Errorf("no image %s is in repository %s: copy it there with make promote", digest, repository)
	}
	return err
}

func launch(ctx context.Context, o *operation) error {
	typ := text(o.inputs, "instanceType")
	mib, known := boot.InstanceTypes[typ]
	if !known {
		return fmt.Errorf("instance %q: instanceType %q: its memory is not known: use one of %s",
			o.name, typ, strings.Join(boot.InstanceTypeNames(), ", "))
	}
	data := []byte(text(o.inputs, "userData"))
	if encoded := text(o.inputs, "userDataBase64"); encoded != "" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return fmt.Errorf("instance %q: userDataBase64: %w: give it base64, or use userData", o.name, err)
		}
	}
	name := text(o.inputs, "tags", "Name")
	if name == "" {
		name = o.id
	}
	m := computer.Machine{
		ID:        o.id,
		Name:      name,
		Type:      typ,
		Zone:      text(o.outputs, "availabilityZone"),
		MemoryMiB: mib,
		UserData:  data,
	}
	if err := o.computer.Launch(ctx, m); err != nil {
		return fmt.Errorf("instance %q (%s): %w", o.name, o.id, err)
	}
	return o.describeMachine(ctx)
}

// describeMachine takes over from the body what only it knows.
func (o *operation) describeMachine(ctx context.Context) error {
	state, err := o.computer.State(ctx, o.id)
	if err != nil {
		return err
	}
	o.outputs["instanceState"] = resource.NewStringProperty(string(state.Phase))
	if state.PrivateIP != "" {
		o.outputs["privateIp"] = resource.NewStringProperty(state.PrivateIP)
	}
	return nil
}

// changeMachine does what EC2 does in place. Another instance type is another machine with the same identifier: its
// root disk starts afresh here, which holds nothing that the user data does not make again.
func changeMachine(ctx context.Context, o *operation) error {
	changed := o.cloud.Diff(instanceType, o.old, o.inputs).Changed
	if slices.Contains(changed, "userData") || slices.Contains(changed, "userDataBase64") {
		return fmt.Errorf("instance %q: userData: a running machine never reads it again: set userDataReplaceOnChange",
			o.name)
	}
	if !slices.Contains(changed, "instanceType") {
		return nil
	}
	attached, err := o.attachments()
	if err != nil {
		return err
	}
	if err := o.computer.Stop(ctx, o.id); err != nil {
		return err
	}
	for _, a := range attached {
		if err := o.computer.DetachVolume(ctx, a.text("volumeId")); err != nil {
			return err
		}
	}
	if err := o.computer.Terminate(ctx, o.id); err != nil {
		return err
	}
	if err := launch(ctx, o); err != nil {
		return err
	}
	for _, a := range attached {
		if err := o.computer.AttachVolume(ctx, a.text("volumeId"), o.id, a.text("deviceName")); err != nil {
			return err
		}
	}
	return o.server.republish(ctx, true)
}

func (o *operation) attachments() ([]recorded, error) {
	c, err := o.server.state.read()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(c.of(attachmentType), func(a recorded) bool { return a.text("instanceId") != o.id }), nil
}

func machineExists(ctx context.Context, o *operation) (bool, error) {
	state, err := o.computer.State(ctx, o.id)
	if err != nil || state.Phase == computer.Gone {
		return false, err
	}
	return true, o.describeMachine(ctx)
}

func terminate(ctx context.Context, o *operation) error { return o.computer.Terminate(ctx, o.id) }

// defaultVolumeGiB is the size of a volume of which neither size nor snapshot is given.
const defaultVolumeGiB = 8

func createVolume(ctx context.Context, o *operation) error {
	return o.computer.CreateVolume(ctx, o.id, gib(o.inputs))
}

func gib(inputs resource.PropertyMap) int {
	if v := value(inputs, "size"); v.IsNumber() {
		return int(v.NumberValue())
	}
	return defaultVolumeGiB
}

// changeVolume grows a volume in place, as EBS does; the machine grows the file system when it boots. EBS refuses to
// shrink one.
func changeVolume(ctx context.Context, o *operation) error {
	if before, after := gib(o.old), gib(o.inputs); after < before {
		return fmt.Errorf(
			"volume %q: size %d GiB: a volume of %d GiB cannot shrink: keep the size, or make a new volume", o.name,
			after, before)
	}
	return o.computer.CreateVolume(ctx, o.id, gib(o.inputs))
}

func volumeExists(ctx context.Context, o *operation) (bool, error) {
	return o.computer.HasVolume(ctx, o.id)
}

func deleteVolume(ctx context.Context, o *operation) error { return o.computer.DeleteVolume(ctx, o.id) }

func attach(ctx context.Context, o *operation) error {
	// From now on the volume may hold data.
	if err := o.server.state.change(func(c *contents) error {
		k := key(volumeType, text(o.inputs, "volumeId"))
		if v, ok := c.Resources[k]; ok {
			v.Used = true
			c.Resources[k] = v
		}
		return nil
	}); err != nil {
		return err
	}
	return o.computer.AttachVolume(ctx, text(o.inputs, "volumeId"), text(o.inputs, "instanceId"),
		text(o.inputs, "deviceName"))
}

// attachmentExists: an attachment ends with either of the two that it joins.
func attachmentExists(ctx context.Context, o *operation) (bool, error) {
	state, err := o.computer.State(ctx, text(o.outputs, "instanceId"))
	if err != nil || state.Phase == computer.Gone {
		return false, err
	}
	return o.computer.HasVolume(ctx, text(o.outputs, "volumeId"))
}

func detach(ctx context.Context, o *operation) error {
	if v := value(o.inputs, "skipDestroy"); v.IsBool() && v.BoolValue() {
		return nil
	}
	if v := value(o.inputs, "stopInstanceBeforeDetaching"); v.IsBool() && v.BoolValue() {
		instance := text(o.inputs, "instanceId")
		state, err := o.computer.State(ctx, instance)
		if err != nil {
			return err
		}
		// An interrupted replacement deletes a second time what hung on a machine that is gone.
		if state.Phase != computer.Gone {
			if err := o.computer.Stop(ctx, instance); err != nil {
				return err
			}
		}
	}
	return o.computer.DetachVolume(ctx, text(o.inputs, "volumeId"))
}

func associationExists(ctx context.Context, o *operation) (bool, error) {
	state, err := o.computer.State(ctx, text(o.outputs, "instanceId"))
	if err != nil || state.Phase == computer.Gone {
		return false, err
	}
	return true, o.server.republish(ctx, true)
}

func ensureLogGroup(ctx context.Context, o *operation) error {
	return o.computer.EnsureLogGroup(ctx, text(o.outputs, "name"))
}

func deleteLogGroup(ctx context.Context, o *operation) error {
	return o.computer.DeleteLogGroup(ctx, text(o.outputs, "name"))
}

// logGroupExists makes the group again rather than say that it is gone: what stands in for CloudWatch Logs keeps
// nothing over a restart, and the group's settings are recorded here anyway.
func logGroupExists(ctx context.Context, o *operation) (bool, error) {
	return true, ensureLogGroup(ctx, o)
}

// path resolves a path as the program means it: from the directory that the program runs in.
func (s *Server) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.options.Dir, p)
}

// value follows property names, and takes the value out of what marks it as secret.
func value(m resource.PropertyMap, path ...resource.PropertyKey) resource.PropertyValue {
	v := m[path[0]]
	for v.IsSecret() || v.IsOutput() {
		if v.IsSecret() {
			v = v.SecretValue().Element
		} else {
			v = v.OutputValue().Element
		}
	}
	if len(path) > 1 {
		if !v.IsObject() {
			return resource.NewNullProperty()
		}
		return value(v.ObjectValue(), path[1:]...)
	}
	return v
}

func text(m resource.PropertyMap, path ...resource.PropertyKey) string {
	if v := value(m, path...); v.IsString() {
		return v.StringValue()
	}
	return ""
}

// facts are the plain values of some outputs.
func facts(outputs resource.PropertyMap, names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		if v := value(outputs, resource.PropertyKey(n)); !v.IsNull() && !v.ContainsSecrets() {
			out[n] = v.Mappable()
		}
	}
	return out
}
