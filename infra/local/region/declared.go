package region

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"
)

// Declared is what the program asked AWS for, as far as it concerns this package.
type Declared struct {
	Groups       map[string]GroupSpec // by name
	Templates    map[string]map[int]Template
	TargetGroups map[string]TargetGroup // by ARN
	Listeners    []Listener
	FileSystems  map[string]string // id by DNS name
	Certificates map[string]string // domain by ARN
	Idle         time.Duration     // the load balancer's

	Rules          []GroupRule
	BalancerGroups []string // security groups of the load balancer
	StoreGroups    []string // and of the mount targets
}

// has says whether a template has a version. Nothing in particular is always there.
func (d Declared) has(to Reference) bool {
	_, ok := d.Templates[to.ID][to.Version]
	return ok || to == Reference{}
}

// Template is one version of a launch template.
type Template struct {
	InstanceType, UserData string   // UserData in base64
	SecurityGroups         []string // none where a program of before recorded none
}

// GroupSpec is an autoscaling group.
type GroupSpec struct {
	Name                   string
	Min, Max, Desired      int // Desired 0: the group's own business
	Zones                  []string
	Template               Reference
	Types                  []string // of machines, in the order in which they are tried
	TargetGroups           []string
	HealthCheckType        string // EC2 or ELB
	Grace                  time.Duration
	MinHealthy, MaxHealthy int // percent of the desired capacity while machines are replaced for their health
	Hooks                  []Hook
}

// Reference names a version of a launch template.
type Reference struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Hook is a lifecycle hook.
type Hook struct {
	Name, Transition, Default string
	Timeout                   time.Duration
}

// The transitions that hooks are about, and their results.
const (
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
	goOn        = "CONTINUE"
	abandon     = "ABANDON"
)

// TargetGroup is the servers of a tier as the load balancer sees them.
type TargetGroup struct {
	ARN, Name, Algorithm string
	Port                 int
	Drain                time.Duration
	Check                HealthCheck
}

// HealthCheck is how the load balancer finds out whether a target answers.
type HealthCheck struct {
	Path, Matcher      string
	Port               int
	Interval, Timeout  time.Duration
	Healthy, Unhealthy int // thresholds
}

// Listener is a port of the load balancer with its rules, in the order of their priorities; Default answers the rest.
type Listener struct {
	ARN, Protocol, Certificate string
	Port                       int
	Default                    Forward
	Rules                      []Rule
}

// Rule sends requests for paths to a target group.
type Rule struct {
	Priority int
	Paths    []string
	Action   Forward
}

// Forward is what is done with a request: it is sent to a target group, redirected to HTTPS, or answered.
type Forward struct {
	TargetGroup string // ARN
	Redirect    int    // port
	Status      int
	Body        string
}

// number is a number that the program may have given as text.
type number int

func (n *number) UnmarshalJSON(text []byte) error {
	var err error
	value := string(text)
	if len(text) > 0 && text[0] == '"' {
		if value, err = strconv.Unquote(value); err != nil {
			return err
		}
	}
	f, err := strconv.ParseFloat(value, 64)
	*n = number(f)
	return err
}

func (n number) seconds() time.Duration { return time.Duration(n) * time.Second }

type action struct {
	Type           string
	TargetGroupArn string
	Redirect       struct{ Port string }
	FixedResponse  struct {
		StatusCode  string
		MessageBody string
	}
}

func (a action) forward() Forward {
	redirect, _ := strconv.Atoi(a.Redirect.Port)
	status, _ := strconv.Atoi(a.FixedResponse.StatusCode)
	return Forward{a.TargetGroupArn, redirect, status, a.FixedResponse.MessageBody}
}

func firstAction(all []action) Forward {
	if len(all) == 0 {
		return Forward{}
	}
	return all[0].forward()
}

// facts are the outputs that the providers record of the types above.
type facts struct {
	Name, Arn, DnsName, AvailabilityZone string
	MinSize, MaxSize, DesiredCapacity    number
	VpcZoneIdentifiers, TargetGroupArns  []string
	HealthCheckType                      string
	HealthCheckGracePeriod               number
	MixedInstancesPolicy                 struct {
		LaunchTemplate struct {
			LaunchTemplateSpecification struct{ LaunchTemplateID, Version string }
			Overrides                   []struct{ InstanceType string }
		}
	}
	InstanceMaintenancePolicy                 struct{ MinHealthyPercentage, MaxHealthyPercentage number }
	AutoscalingGroupName, LifecycleTransition string
	DefaultResult                             string
	HeartbeatTimeout                          number
	Port                                      number
	LoadBalancingAlgorithmType                string
	DeregistrationDelay, IdleTimeout          number
	HealthCheck                               struct {
		Path, Port, Matcher                                     string
		Interval, Timeout, HealthyThreshold, UnhealthyThreshold number
	}
	Protocol, CertificateArn, ListenerArn, DomainName string
	DefaultActions, Actions                           []action
	Priority                                          number
	Conditions                                        []struct{ PathPattern struct{ Values []string } }

	SecurityGroups                             []string
	SecurityGroupID, ReferencedSecurityGroupID string
	IPProtocol, CidrIpv4                       string
	FromPort, ToPort                           number
}

type record struct {
	Type, ID string
	Serial   int
	Facts    facts
}

// Types of resources that ReadDeclared reads; the providers record their outputs.
const (
	groupType       = "aws:autoscaling/group:Group"
	hookType        = "aws:autoscaling/lifecycleHook:LifecycleHook"
	subnetType      = "aws:ec2/subnet:Subnet"
	targetGroupType = "aws:lb/targetGroup:TargetGroup"
	balancerType    = "aws:lb/loadBalancer:LoadBalancer"
	listenerType    = "aws:lb/listener:Listener"
	ruleType        = "aws:lb/listenerRule:ListenerRule"
	fileSystemType  = "aws:efs/fileSystem:FileSystem"
	certificateType = "aws:acm/certificate:Certificate"
	mountTargetType = "aws:efs/mountTarget:MountTarget"
	ingressType     = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressType      = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

// ReadDeclared reads the file in which the providers record what exists. No file is nothing declared.
func ReadDeclared(file string) (Declared, error) {
	var contents struct {
		Resources map[string]record
		Templates map[string]map[int]Template
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Declared{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &contents)
	}
	if err != nil {
		return Declared{}, fmt.Errorf("what exists: %s: %w", file, err)
	}
	all := slices.SortedFunc(maps.Values(contents.Resources), func(a, b record) int { return a.Serial - b.Serial })
	return declare(all, contents.Templates), nil
}

func declare(all []record, templates map[string]map[int]Template) Declared {
	d := Declared{
		Groups: map[string]GroupSpec{}, Templates: templates, TargetGroups: map[string]TargetGroup{},
		FileSystems: map[string]string{}, Certificates: map[string]string{}, Idle: time.Minute,
	}
	zones, rules, hooks := map[string]string{}, map[string][]Rule{}, map[string][]Hook{}
	for _, r := range all {
		f := r.Facts
		switch r.Type {
		case subnetType:
			zones[r.ID] = f.AvailabilityZone
		case hookType:
			hooks[f.AutoscalingGroupName] = append(hooks[f.AutoscalingGroupName], Hook{Name: f.Name,
				Transition: f.LifecycleTransition, Default: f.DefaultResult, Timeout: f.HeartbeatTimeout.seconds()})
		case targetGroupType:
			d.TargetGroups[f.Arn] = f.targetGroup()
		case balancerType:
			if f.IdleTimeout > 0 {
				d.Idle = f.IdleTimeout.seconds()
			}
			d.BalancerGroups = f.SecurityGroups
		case mountTargetType:
			d.StoreGroups = f.SecurityGroups
		case ingressType, egressType:
			d.Rules = append(d.Rules, GroupRule{Group: f.SecurityGroupID, Egress: r.Type == egressType,
				Protocol: f.IPProtocol, From: int(f.FromPort), To: int(f.ToPort), CIDR: f.CidrIpv4,
				Peer: f.ReferencedSecurityGroupID})
		case fileSystemType:
			d.FileSystems[f.DnsName] = r.ID
		case certificateType:
			d.Certificates[f.Arn] = f.DomainName
		case listenerType:
			if f.Port > 0 {
				d.Listeners = append(d.Listeners, Listener{ARN: f.Arn, Port: int(f.Port), Protocol: f.Protocol,
					Certificate: f.CertificateArn, Default: firstAction(f.DefaultActions)})
			}
		case ruleType:
			rule := Rule{Priority: int(f.Priority), Action: firstAction(f.Actions)}
			for _, c := range f.Conditions {
				rule.Paths = append(rule.Paths, c.PathPattern.Values...)
			}
			rules[f.ListenerArn] = append(rules[f.ListenerArn], rule)
		}
	}
	for i := range d.Listeners {
		l := &d.Listeners[i]
		l.Rules = slices.SortedFunc(slices.Values(rules[l.ARN]), func(a, b Rule) int { return a.Priority - b.Priority })
	}
	for _, r := range all {
		// A group whose creation has only begun has no facts yet.
		if r.Type == groupType && r.Facts.Name != "" {
			spec := r.Facts.group(zones)
			spec.Hooks = hooks[spec.Name]
			d.Groups[spec.Name] = spec
		}
	}
	return d
}

func (f facts) targetGroup() TargetGroup {
	check := f.HealthCheck
	port, err := strconv.Atoi(check.Port)
	if err != nil {
		port = int(f.Port) // "traffic-port"
	}
	return TargetGroup{
		ARN: f.Arn, Name: f.Name, Algorithm: f.LoadBalancingAlgorithmType, Port: int(f.Port),
		Drain: f.DeregistrationDelay.seconds(),
		Check: HealthCheck{Path: check.Path, Matcher: check.Matcher, Port: port, Interval: check.Interval.seconds(),
			Timeout: check.Timeout.seconds(), Healthy: int(check.HealthyThreshold),
			Unhealthy: int(check.UnhealthyThreshold)},
	}
}

func (f facts) group(zoneOf map[string]string) GroupSpec {
	policy := f.MixedInstancesPolicy.LaunchTemplate
	version, _ := strconv.Atoi(policy.LaunchTemplateSpecification.Version)
	spec := GroupSpec{
		Name: f.Name, Min: int(f.MinSize), Max: int(f.MaxSize), Desired: int(f.DesiredCapacity),
		Template: Reference{policy.LaunchTemplateSpecification.LaunchTemplateID, version}, TargetGroups: f.TargetGroupArns,
		HealthCheckType: f.HealthCheckType, Grace: f.HealthCheckGracePeriod.seconds(),
		MinHealthy: int(f.InstanceMaintenancePolicy.MinHealthyPercentage),
		MaxHealthy: int(f.InstanceMaintenancePolicy.MaxHealthyPercentage),
	}
	for _, override := range policy.Overrides {
		spec.Types = append(spec.Types, override.InstanceType)
	}
	for _, subnet := range f.VpcZoneIdentifiers {
		if zone := zoneOf[subnet]; zone != "" {
			spec.Zones = append(spec.Zones, zone)
		}
	}
	slices.Sort(spec.Zones)
	return spec
}

// Document is the user data as cloud-init gets it.
func (t Template) Document() ([]byte, error) { return base64.StdEncoding.DecodeString(t.UserData) }
