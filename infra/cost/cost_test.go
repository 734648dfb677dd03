package cost

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	model "twip/infra/local/account"
)

func TestPriceFile(t *testing.T) {
	prices, err := ListPrices()
	require.NoError(t, err)
	require.Regexp(t, `^20\d\d-\d\d$`, prices.Date)
	for _, typ := range boot.InstanceTypeNames() {
		require.Contains(t, prices.Of, "instance."+typ, "a machine can have this type, and needs a price")
	}
	_, err = prices.monthly("moon", 1)
	require.ErrorContains(t, err, "has no price of moon: add it, with its source")
}

// Whatever the program declares, somebody has said what it costs.
func TestEveryTypeIsAccountedFor(t *testing.T) {
	for _, typ := range model.Types() {
		if strings.HasPrefix(typ, "aws:") {
			require.Contains(t, paidFor, typ, "add it to infra/cost/account.go: nil if it costs nothing")
		}
	}
}

func declared(typ, name string, inputs map[string]any, uses ...string) Resource {
	return Resource{URN: name, Type: typ, Name: name, Dependencies: uses, Properties: resource.NewPropertyMapFromMap(inputs)}
}

// cost is the sum of a few resources, by hand: 730 hours a month.
func TestOf(t *testing.T) {
	servers := func(n int) []Resource {
		return []Resource{
			declared("aws:efs/fileSystem:FileSystem", "store", map[string]any{"throughputMode": "elastic"}),
			declared("aws:ec2/launchTemplate:LaunchTemplate", "template", map[string]any{"instanceType": "t3.small",
				"monitoring": map[string]any{"enabled": true}, "blockDeviceMappings": []any{map[string]any{"ebs": map[string]any{"volumeSize": 10}}}}, "store"),
			declared("aws:autoscaling/group:Group", "group", map[string]any{"minSize": n, "maxSize": 9}, "template"),
		}
	}
	const machine, store = 0.024*730 + 10*0.0952 + 2.10, 0.36 + 2*0.30 // and the metrics of the group
	efs := func(reads, looks, writes float64) float64 {
		const month = 730 * 3600.0
		return month / (1 << 20) * ((reads*32+looks*4)*0.04 + writes*32*0.07)
	}
	for name, tc := range map[string]struct {
		resources []Resource
		visits    float64
		want      float64
	}{
		"a machine":                        {[]Resource{declared("aws:ec2/instance:Instance", "m", map[string]any{"instanceType": "t3.micro"})}, 0, 0.012*730 + 8*0.0952 + 2*0.30},
		"a volume":                         {[]Resource{declared("aws:ebs/volume:Volume", "v", map[string]any{"size": 100})}, 0, 9.52},
		"free things":                      {[]Resource{declared("aws:ec2/vpc:Vpc", "v", nil), declared("docker:index/image:Image", "i", nil)}, 0, 0},
		"a gateway endpoint":               {[]Resource{declared("aws:ec2/vpcEndpoint:VpcEndpoint", "e", map[string]any{"vpcEndpointType": "Gateway"})}, 0, 0},
		"an interface in two zones":        {[]Resource{declared("aws:ec2/vpcEndpoint:VpcEndpoint", "e", map[string]any{"vpcEndpointType": "Interface", "subnetIds": []any{"a", "b"}})}, 0, 2 * 0.012 * 730},
		"two servers and their beat":       {servers(2), 0, 2*machine + store + efs(2, 11.1, 1)},
		"nine servers read eight times it": {servers(9), 0, 9*machine + store + efs(16, 46.8, 1)},
		"ten visits a second":              {servers(2), 10, 2*machine + store + efs(2, 11.1+5, 3)},
		"a quiet balancer": {[]Resource{declared("aws:lb/loadBalancer:LoadBalancer", "b", map[string]any{"subnets": []any{"a", "b"}})}, 0,
			730 * (0.027 + 0.008 + 2*0.005)},
		"a busy balancer": {[]Resource{declared("aws:lb/loadBalancer:LoadBalancer", "b", map[string]any{"subnets": []any{"a", "b"}})}, 100,
			730*(0.027+0.008*100*64*3600/(1<<20)+2*0.005) + 100*730*3600*64.0/(1<<20)*0.09},
		"a web ACL": {[]Resource{declared("aws:wafv2/webAcl:WebAcl", "w", map[string]any{"rules": []any{1, 2}})}, 1, 5 + 2 + 0.6*730*3600/1e6},
		"an alarm on two metrics": {[]Resource{declared("aws:cloudwatch/metricAlarm:MetricAlarm", "a", map[string]any{"metricQueries": []any{
			map[string]any{"metric": map[string]any{}}, map[string]any{"metric": map[string]any{}}, map[string]any{"expression": "a+b"}}})}, 0, 0.20},
	} {
		t.Run(name, func(t *testing.T) {
			bill, err := Of(tc.resources, Use{Visits: tc.visits})
			require.NoError(t, err)
			require.InDelta(t, tc.want, bill.Sum(), 0.001)
		})
	}
}

func TestOfRefusesWhatNobodyPriced(t *testing.T) {
	_, err := Of([]Resource{declared("aws:redshift/cluster:Cluster", "dear", nil)}, Use{})
	require.ErrorContains(t, err, `aws:redshift/cluster:Cluster "dear": nobody said what it costs`)
	_, err = Of([]Resource{declared("aws:ec2/instance:Instance", "m", map[string]any{"instanceType": "x1e.32xlarge"})}, Use{})
	require.ErrorContains(t, err, "no price of instance.x1e.32xlarge")
}

func TestBill(t *testing.T) {
	bill, err := Of([]Resource{declared("aws:kms/key:Key", "key", nil), declared("aws:ec2/natGateway:NatGateway", "nat", nil)}, Use{})
	require.NoError(t, err)
	require.Equal(t, "nat 38 (nat), key 1 (key)", bill.Dearest(4), "the dearest first")
	var out bytes.Buffer
	require.NoError(t, bill.Write(&out))
	require.Contains(t, out.String(), "37.96     1       nat   NatGateway nat")
	require.Contains(t, out.String(), "38.96  in all: list prices of eu-central-1, 20")
}
