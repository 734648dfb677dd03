package preflight

import (
	"context"
	"fmt"
	"slices"

	"twip/stacks"
)

// Quotas by the codes of https://docs.aws.amazon.com/general/latest/gr/ec2-service.html and .../vpc-service.html.
const (
	standardCPUs = "L-1216C47A" // running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances, in vCPUs
	elasticIPs   = "L-0263D0A3"
	vpcs         = "L-F678F1CE"
)

// machines are how many of each instance type run at most: during a rollout a group has all of its new machines before
// the first old one goes.
func (p Preflight) machines() map[string]int {
	c := p.Config
	if c.Topology != stacks.MultiZone {
		return map[string]int{c.InstanceType: 1}
	}
	count := map[string]int{}
	count[c.InstanceType] += 2 * c.MultiZone.AppServers.Max
	count[c.MultiZone.StaticInstanceType] += 2 * c.MultiZone.StaticServers.Max
	return count
}

func (p Preflight) types() []string {
	var types []string
	for typ := range p.machines() {
		types = append(types, typ)
	}
	slices.Sort(types)
	return types
}

func (p Preflight) vCPUs(ctx context.Context) (string, error) {
	var types struct {
		InstanceTypes []struct {
			InstanceType string
			VCpuInfo     struct{ DefaultVCpus int }
		}
	}
	if err := p.here(ctx, &types, append([]string{"ec2", "describe-instance-types", "--instance-types"},
		p.types()...)...); err != nil {
		return "", err
	}
	need := 0
	for _, typ := range types.InstanceTypes {
		need += typ.VCpuInfo.DefaultVCpus * p.machines()[typ.InstanceType]
	}
	var running struct {
		Reservations []struct {
			Instances []struct {
				CpuOptions struct{ CoreCount, ThreadsPerCore int }
			}
		}
	}
	if err := p.here(ctx, &running, "ec2", "describe-instances", "--filters",
		"Name=instance-state-name,Values=pending,running"); err != nil {
		return "", err
	}
	used := 0
	for _, reservation := range running.Reservations {
		for _, instance := range reservation.Instances {
			used += instance.CpuOptions.CoreCount * instance.CpuOptions.ThreadsPerCore
		}
	}
	return p.quota(ctx, "ec2", standardCPUs, "running On-Demand Standard instances", used, need)
}

func (p Preflight) addresses(ctx context.Context) (string, error) {
	need := 1
	if p.Config.Topology == stacks.MultiZone {
		switch {
		case p.Config.MultiZone.Network != nil:
			need = 0 // its keeper has them
		case p.Config.NATPerZone():
			need = len(p.Config.Zones)
		}
	}
	var answer struct{ Addresses []struct{ PublicIp string } }
	if err := p.here(ctx, &answer, "ec2", "describe-addresses"); err != nil {
		return "", err
	}
	return p.quota(ctx, "ec2", elasticIPs, "EC2-VPC Elastic IPs", len(answer.Addresses), need)
}

func (p Preflight) networks(ctx context.Context) (string, error) {
	need := 1
	if p.Config.MultiZone.Network != nil {
		need = 0
	}
	var answer struct{ Vpcs []struct{ VpcId string } }
	if err := p.here(ctx, &answer, "ec2", "describe-vpcs"); err != nil {
		return "", err
	}
	return p.quota(ctx, "vpc", vpcs, "VPCs per Region", len(answer.Vpcs), need)
}

// quota compares what is used and needed with what the account may have.
func (p Preflight) quota(ctx context.Context, service, code, name string, used, need int) (string, error) {
	var answer struct{ Quota struct{ Value float64 } }
	if err := p.here(ctx, &answer, "service-quotas", "get-service-quota", "--service-code", service, "--quota-code",
		code); err != nil {
		return "", err
	}
	if have := int(answer.Quota.Value); used+need > have {
		return "", fmt.Errorf("%d of %d are used and up to %d more are needed: ask for %d with aws service-quotas "+
			"request-service-quota-increase --service-code %s --quota-code %s --desired-value %[4]d --region %[7]s (%s; what "+
			"this environment has already is counted too)", used, have, need, used+need, service, code, p.Config.Region, name)
	}
	return fmt.Sprintf("%d of %d used, up to %d more needed", used, int(answer.Quota.Value), need), nil
}
