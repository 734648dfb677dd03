package provider

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"twip/infra/local/computer"
)

// What AWS does by itself, package region does from what is recorded here; it reads the state file. So most of these
// types need no function: their facts are enough.

const (
	templateType   = "aws:ec2/launchTemplate:LaunchTemplate"
	fileSystemType = "aws:efs/fileSystem:FileSystem"
	functionType   = "aws:lambda/function:Function"
	invocationType = "aws:lambda/invocation:Invocation"
)

// template is one version of a launch template.
type template struct {
	InstanceType   string   `json:"instanceType"`
	UserData       string   `json:"userData"` // in base64
	SecurityGroups []string `json:"securityGroups,omitempty"`
}

// ruleFacts are what is recorded of rules of security groups.
var ruleFacts = []string{
	"securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "referencedSecurityGroupId",
}

// function is what a function of Lambda runs.
type function struct {
	Files   map[string]string `json:"files"`
	Handler string            `json:"handler"`
	Seconds int               `json:"seconds"`
}

// regionBodies are by resource type, as bodies.
var regionBodies = map[string]body{
	templateType: {create: keepTemplate, update: keepTemplate, remove: dropTemplate, discard: dropTemplate,
		facts: []string{"name", "latestVersion"}},
	fileSystemType: {create: createFiles, exists: filesExist, remove: deleteFiles, discard: deleteFiles,
		facts: []string{"dnsName"}},
	functionType:   {create: keepFunction, update: keepFunction, remove: dropFunction, discard: dropFunction},
	invocationType: {create: invoke, update: invoke},
	"aws:autoscaling/group:Group": {facts: []string{
		"name", "minSize", "maxSize", "desiredCapacity", "vpcZoneIdentifiers", "mixedInstancesPolicy", "targetGroupArns",
		"healthCheckType", "healthCheckGracePeriod", "instanceMaintenancePolicy",
	}},
	"aws:autoscaling/lifecycleHook:LifecycleHook": {facts: []string{
		"name", "autoscalingGroupName", "lifecycleTransition", "heartbeatTimeout", "defaultResult",
	}},
	"aws:lb/loadBalancer:LoadBalancer": {facts: []string{"arn", "idleTimeout", "securityGroups"}},
	"aws:efs/mountTarget:MountTarget":  {facts: []string{"securityGroups"}},
	"aws:lb/targetGroup:TargetGroup": {facts: []string{
		"arn", "name", "port", "loadBalancingAlgorithmType", "deregistrationDelay", "healthCheck",
	}},
	"aws:lb/listener:Listener":         {facts: []string{"arn", "port", "protocol", "certificateArn", "defaultActions"}},
	"aws:lb/listenerRule:ListenerRule": {facts: []string{"listenerArn", "priority", "conditions", "actions"}},
	"aws:acm/certificate:Certificate":  {facts: []string{"arn", "domainName"}},
}

// keepTemplate remembers a version for as long as the template exists: a refresh may go back to it.
func keepTemplate(_ context.Context, o *operation) error {
	version := value(o.outputs, "latestVersion")
	if !version.IsNumber() {
		return fmt.Errorf("launch template %q: latestVersion is no number", o.name)
	}
	return o.server.state.change(func(c *contents) error {
		if c.Templates == nil {
			c.Templates = map[string]map[int]template{}
		}
		if c.Templates[o.id] == nil {
			c.Templates[o.id] = map[int]template{}
		}
		c.Templates[o.id][int(version.NumberValue())] = template{
			InstanceType: text(o.inputs, "instanceType"), UserData: text(o.inputs, "userData"),
			SecurityGroups: securityGroups(o.inputs),
		}
		return nil
	})
}

// securityGroups are those of the machines that a template makes: of their first interface, if it says so.
func securityGroups(template resource.PropertyMap) (all []string) {
	groups := value(template, "vpcSecurityGroupIds")
	if cards := value(template, "networkInterfaces"); cards.IsArray() && len(cards.ArrayValue()) > 0 {
		if card := cards.ArrayValue()[0]; card.IsObject() {
			groups = value(card.ObjectValue(), "securityGroups")
		}
	}
	if groups.IsArray() {
		for _, group := range groups.ArrayValue() {
			if group.IsString() {
				all = append(all, group.StringValue())
			}
		}
	}
	return all
}

func dropTemplate(_ context.Context, o *operation) error {
	return o.server.state.change(func(c *contents) error { delete(c.Templates, o.id); return nil })
}

func createFiles(ctx context.Context, o *operation) error {
	return o.computer.CreateFileSystem(ctx, o.id)
}

func filesExist(ctx context.Context, o *operation) (bool, error) {
	return o.computer.HasFileSystem(ctx, o.id)
}

func deleteFiles(ctx context.Context, o *operation) error {
	return o.computer.DeleteFileSystem(ctx, o.id)
}

// keepFunction remembers the very files that Lambda would be given.
func keepFunction(_ context.Context, o *operation) error {
	f := function{Files: map[string]string{}, Handler: text(o.inputs, "handler"), Seconds: 3}
	if seconds := value(o.inputs, "timeout"); seconds.IsNumber() {
		f.Seconds = int(seconds.NumberValue())
	}
	code := value(o.inputs, "code")
	if !code.IsArchive() {
		return fmt.Errorf("function %q: code is no archive: give it an AssetArchive", o.name)
	}
	assets, ok := code.ArchiveValue().GetAssets()
	if !ok {
		return fmt.Errorf("function %q: code: only an archive of assets is understood here", o.name)
	}
	for name, asset := range assets {
		a, ok := asset.(*resource.Asset)
		if !ok {
			return fmt.Errorf("function %q: code: %s is no file", o.name, name)
		}
		content, err := a.Bytes()
		if err != nil {
			return fmt.Errorf("function %q: code: %s: %w", o.name, name, err)
		}
		f.Files[name] = string(content)
	}
	return o.server.state.change(func(c *contents) error {
		if c.Functions == nil {
			c.Functions = map[string]function{}
		}
		c.Functions[text(o.outputs, "name")] = f
		return nil
	})
}

func dropFunction(_ context.Context, o *operation) error {
	return o.server.state.change(func(c *contents) error { delete(c.Functions, text(o.outputs, "name")); return nil })
}

func invoke(ctx context.Context, o *operation) error {
	name := text(o.inputs, "functionName")
	c, err := o.server.state.read()
	if err != nil {
		return err
	}
	f, ok := c.Functions[name]
	if !ok {
		return fmt.Errorf("invocation %q: there is no function %s", o.name, name)
	}
	result, err := o.computer.RunFunction(ctx, computer.Function{
		Files: f.Files, Handler: f.Handler, Seconds: f.Seconds, Payload: text(o.inputs, "input"),
	})
	if err != nil {
		return fmt.Errorf("invocation %q of %s: %w", o.name, name, err)
	}
	o.outputs["result"] = resource.NewStringProperty(result)
	return nil
}
