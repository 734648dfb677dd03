package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"twip/components/compute"
	"twip/stacks"
)

// AWS puts a question to the AWS command line and reads its JSON.
type AWS func(ctx context.Context, into any, arguments ...string) error

// Preflight is what is asked about, and who answers.
type Preflight struct {
	Config *stacks.Config
	AWS    AWS
	// Servers looks up the name servers of a domain in the public DNS.
	Servers func(ctx context.Context, domain string) ([]string, error)
}

// check is one question; it answers what it found, or what stands in the way and what to do.
type check struct {
	name string
	ask  func(Preflight, context.Context) (found string, err error)
}

var checks = []check{
	{"credentials", Preflight.account},
	{"zones", Preflight.zones},
	{"instance types", Preflight.instanceTypes},
	{"vCPUs", Preflight.vCPUs},
	{"Elastic IPs", Preflight.addresses},
	{"VPCs", Preflight.networks},
	{"machine image", Preflight.machineImage},
	{"hosted zone", Preflight.hostedZone},
}

// Run puts all questions and prints a line for each. The error joins what stands in the way. Without credentials
// nothing else is asked.
func (p Preflight) Run(ctx context.Context, out io.Writer) error {
	var problems []error
	for i, c := range checks {
		found, err := c.ask(p, ctx)
		if err != nil {
			err = fmt.Errorf("%s: %w", c.name, err)
			problems = append(problems, err)
			fmt.Fprintf(out, "NO  %v\n", err)
			if i == 0 {
				break
			}
			continue
		}
		fmt.Fprintf(out, "ok  %s: %s\n", c.name, found)
	}
	if len(problems) > 0 {
		return fmt.Errorf("preflight of stack %q: %d of %d questions stand in the way of up:\n%w", p.Config.Stack,
			len(problems), len(checks), errors.Join(problems...))
	}
	return nil
}

// here asks in the environment's region.
func (p Preflight) here(ctx context.Context, into any, arguments ...string) error {
	return p.AWS(ctx, into, append(arguments, "--region", p.Config.Region)...)
}

func (p Preflight) account(ctx context.Context) (string, error) {
	var caller struct{ Account, Arn string }
	if err := p.AWS(ctx, &caller, "sts", "get-caller-identity"); err != nil {
		return "", fmt.Errorf("%w: log in first, for example with aws configure or aws sso login", err)
	}
	if wanted := p.Config.Account; wanted != "" && wanted != caller.Account {
		return "", fmt.Errorf("%s is in account %s, and twip:account is %s: use credentials of that account", caller.Arn,
			caller.Account, wanted)
	}
	return caller.Arn, nil
}

func (p Preflight) zones(ctx context.Context) (string, error) {
	var answer struct {
		AvailabilityZones []struct{ ZoneName, State, OptInStatus string }
	}
	if err := p.here(ctx, &answer, "ec2", "describe-availability-zones"); err != nil {
		return "", err
	}
	var open []string
	for _, zone := range answer.AvailabilityZones {
		if zone.State == "available" && zone.OptInStatus != "not-opted-in" {
			open = append(open, zone.ZoneName)
		}
	}
	if missing := without(p.Config.ZoneNames(), open); len(missing) > 0 {
		return "", fmt.Errorf("%s cannot be used by this account: choose twip:zones among %s", strings.Join(missing, ", "),
			strings.Join(open, ", "))
	}
	return strings.Join(p.Config.ZoneNames(), ", "), nil
}

func (p Preflight) instanceTypes(ctx context.Context) (string, error) {
	var problems []error
	for _, typ := range p.types() {
		var answer struct{ InstanceTypeOfferings []struct{ Location string } }
		if err := p.here(ctx, &answer, "ec2", "describe-instance-type-offerings", "--location-type", "availability-zone",
			"--filters", "Name=instance-type,Values="+typ); err != nil {
			return "", err
		}
		var offered []string
		for _, offer := range answer.InstanceTypeOfferings {
			offered = append(offered, offer.Location)
		}
		if missing := without(p.Config.ZoneNames(), offered); len(missing) > 0 {
			problems = append(problems, fmt.Errorf("%s does not offer %s: choose other zones (it is in %s), or another type",
				strings.Join(missing, ", "), typ, strings.Join(offered, ", ")))
		}
	}
	return strings.Join(p.types(), ", ") + " in every zone", errors.Join(problems...)
}

func (p Preflight) machineImage(ctx context.Context) (string, error) {
	var answer struct {
		Images []struct{ ImageId, State, DeprecationTime string }
	}
	if err := p.here(ctx, &answer, "ec2", "describe-images", "--owners",
		compute.ImageOwner(p.Config.MachineImage), "--include-deprecated",
		"--filters", "Name=name,Values="+p.Config.MachineImage); err != nil {
		return "", err
	}
	if len(answer.Images) != 1 || answer.Images[0].State != "available" {
		return "", fmt.Errorf("%s is not to be had in %s: set twip:machineImage to a newer one of Debian's "+
			"(wiki.debian.org/Cloud/AmazonEC2Image/Trixie), or make one of your own there: make machine-image",
			p.Config.MachineImage, p.Config.Region)
	}
	image := answer.Images[0]
	return fmt.Sprintf("%s is %s, deprecated from %s on", p.Config.MachineImage, image.ImageId, image.DeprecationTime), nil
}

func (p Preflight) hostedZone(ctx context.Context) (string, error) {
	if p.Config.Domain == "" {
		return "none is needed without twip:domain", nil
	}
	var answer struct {
		HostedZone struct {
			Name   string
			Config struct{ PrivateZone bool }
		}
		DelegationSet struct{ NameServers []string }
	}
	if err := p.AWS(ctx, &answer, "route53", "get-hosted-zone", "--id", p.Config.HostedZone); err != nil {
		return "", fmt.Errorf("%w: is twip:hostedZone = %s in this account?", err, p.Config.HostedZone)
	}
	zone := strings.TrimSuffix(answer.HostedZone.Name, ".")
	switch {
	case answer.HostedZone.Config.PrivateZone:
		return "", fmt.Errorf("%s is private: a certificate needs a public zone", zone)
	case p.Config.Domain != zone && !strings.HasSuffix(p.Config.Domain, "."+zone):
		return "", fmt.Errorf("%s is of %s, and twip:domain = %s is not in it: name the zone of the domain",
			p.Config.HostedZone, zone, p.Config.Domain)
	}
	delegated, err := p.Servers(ctx, zone)
	if missing := without(answer.DelegationSet.NameServers, delegated); err != nil || len(missing) > 0 {
		return "", fmt.Errorf("the world is not led to %s (%v): ask whoever keeps the domain above it for NS records to %s; "+
			"until then no certificate is issued", zone, errors.Join(err, fmt.Errorf("it finds %q", delegated)),
			strings.Join(answer.DelegationSet.NameServers, ", "))
	}
	return zone + " is delegated to Route 53", nil
}

// without are the wanted that are not there.
func without(wanted, there []string) (missing []string) {
	known := map[string]bool{}
	for _, name := range there {
		known[plain(name)] = true
	}
	for _, name := range wanted {
		if !known[plain(name)] {
			missing = append(missing, name)
		}
	}
	return missing
}

// plain is a name as DNS compares it.
func plain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
