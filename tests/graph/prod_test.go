package graph

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// prod is the graph of the committed production environment, with values of its own where a test needs them. Tests only
// read it, so that those that ask for the same share it.
func prod(t testing.TB, overrides ...map[string]string) *Graph {
	t.Helper()
	key, err := json.Marshal(overrides)
	require.NoError(t, err)
	run, _ := prodGraphs.LoadOrStore(string(key), sync.OnceValue(func() *Graph { return runProd(t, overrides...) }))
	return run.(func() *Graph)()
}

var prodGraphs sync.Map // func() *Graph by what is overridden

func runProd(t testing.TB, overrides ...map[string]string) *Graph {
	t.Helper()
	g, err := RunStack("prod", prodConfig(t, overrides...), stacks.Program)
	require.NoError(t, err)
	return g
}

func prodConfig(t testing.TB, overrides ...map[string]string) map[string]string {
	t.Helper()
	values := Fixture(t, "prod", nil)
	for _, override := range overrides {
		for key, value := range override {
			values[key] = value
		}
	}
	return values
}

// The steps from the limited release to the public one, as the README has them; each adds to the one before.
var (
	threeZones = map[string]string{"twip:zones": `["a","b","c"]`}
	named      = map[string]string{"twip:domain": "news.example.com", "twip:hostedZone": "Z0123456789ABCDEFGHIJ"}
	uncounted  = map[string]string{"twip:wafUncountedCidrs": `["198.51.100.0/24"]`}
	told       = map[string]string{"twip:alarmEmail": "ops@example.com", "twip:monthlyBudgetUsd": "1000"}
	bare       = map[string]string{"twip:waf": "false"} // on no way anywhere: for whoever has a web ACL of their own
	worldwide  = map[string]string{"twip:cdn": "true", "twip:cdnSecret": strings.Repeat("0123456789abcdef", 4)}
	bothWays   = map[string]string{"twip:cdnBothWays": "true"}
	larger     = map[string]string{"twip:appServers": `{"min":3,"max":9}`, "twip:staticServers": `{"min":3,"max":9}`, "twip:instanceType": "m7i.large"}
)

const (
	groupType      = "aws:autoscaling/group:Group"
	launchHookType = "aws:autoscaling/lifecycleHook:LifecycleHook"
	templateType   = "aws:ec2/launchTemplate:LaunchTemplate"
	balancerType   = "aws:lb/loadBalancer:LoadBalancer"
	targetsType    = "aws:lb/targetGroup:TargetGroup"
	listenerType   = "aws:lb/listener:Listener"
	ruleType       = "aws:lb/listenerRule:ListenerRule"
	mountType      = "aws:efs/mountTarget:MountTarget"
	filesType      = "aws:efs/fileSystem:FileSystem"
	rolloutType    = "aws:lambda/invocation:Invocation"
)

func TestProdGraph(t *testing.T) {
	golden(t, "prod.txt", prod(t).Summary())
	golden(t, "prod-public.txt", prod(t, threeZones, named, told, worldwide, larger).Summary())
}

func TestProdIsTheSameEveryTime(t *testing.T) {
	require.Equal(t, runProd(t, named).Summary(), runProd(t, named).Summary())
}

// A preview of a stack that does not exist yet runs the whole program with nothing known.
func TestProdPreview(t *testing.T) {
	for name, steps := range prodShapes {
		t.Run(name, func(t *testing.T) {
			g, err := Preview(prodConfig(t, steps...), stacks.Program)
			require.NoError(t, err)
			require.Len(t, g.Nodes, len(prod(t, steps...).Nodes))
		})
	}
}

var prodShapes = map[string][]map[string]string{
	"limited":     nil,
	"three zones": {threeZones},
	"domain":      {named},
	"no web ACL":  {bare},
	"CDN":         {named, worldwide},
	"both ways":   {named, worldwide, bothWays},
	"public":      {threeZones, named, told, worldwide, larger},
	"own network": {named, uncounted},
	"cheap":       {{"twip:natGateways": "single"}},
	"endpoints":   {{"twip:interfaceEndpoints": "true"}},
	"existing VPC": {{"twip:network": `{"vpcId":"vpc-01234567","public":{"a":"subnet-01234567","b":"subnet-12345678"},` +
		`"private":{"a":"subnet-23456789","b":"subnet-3456789a"}}`}},
}

func TestProdWarnsWithoutTLS(t *testing.T) {
	loud := func(g *Graph) bool { return strings.Contains(strings.Join(g.Messages, "\n"), "WITHOUT TLS") }
	require.True(t, loud(prod(t)))
	require.False(t, loud(prod(t, named)))
}

func TestProdWarnsWithoutWebACL(t *testing.T) {
	loud := func(g *Graph) bool { return strings.Contains(strings.Join(g.Messages, "\n"), "OGNL") }
	require.True(t, loud(prod(t, bare)))
	require.False(t, loud(prod(t)))
	require.False(t, prod(t, bare).Has("aws:wafv2/webAcl:WebAcl"))
}

// A machine boots only when everything that it needs at boot is there, and is waited for only when it can be reached.
func TestProdOrder(t *testing.T) {
	for name, steps := range prodShapes {
		t.Run(name, func(t *testing.T) {
			g := prod(t, steps...)
			for _, group := range g.Of(t, groupType) {
				types := []string{listenerType, ruleType, "aws:lb/targetGroup:TargetGroup"}
				if name != "existing VPC" {
					types = append(types, "aws:ec2/natGateway:NatGateway", "aws:ec2/route:Route", "aws:ec2/routeTableAssociation:RouteTableAssociation", "aws:ec2/vpcEndpoint:VpcEndpoint")
				}
				if strings.Contains(group.Name, "app") {
					types = append(types, mountType, filesType, "aws:efs/fileSystemPolicy:FileSystemPolicy")
				}
				for _, typ := range types {
					for _, node := range g.Of(t, typ) {
						if strings.Contains(node.Name, "network-network-public") || typ == targetsType && !sameTier(node, group) {
							continue
						}
						require.True(t, g.Waits(group, node), "%s does not wait for %s %s", group.Name, typ, node.Name)
					}
				}
				for _, typ := range []string{imageType, logGroupType} {
					tier := strings.TrimSuffix(group.Name, "-group")
					require.True(t, g.Waits(group, g.One(t, typ, tier)), "%s does not wait for %s", group.Name, typ)
				}
				require.True(t, g.Waits(g.One(t, rolloutType, group.Name), group))
			}
		})
	}
}

func sameTier(node, group *Node) bool { return strings.HasPrefix(group.Name, node.Name) }

func TestProdGroups(t *testing.T) {
	g := prod(t, threeZones)
	for _, tier := range []struct {
		name, health, instanceType string
		containers                 int
	}{
		// nginx depends on nothing: what fails is the server. A keeper that cannot answer is, as a rule, not the fault of its
		// server, and no outage of the store may throw the servers away.
		{"static", "ELB", "t3.micro", 1},
		{"app", "EC2", "t3.small", 1},
	} {
		t.Run(tier.name, func(t *testing.T) {
			group := g.One(t, groupType, "twip-prod-"+tier.name+"-group")
			require.Equal(t, tier.health, g.At(t, group, "healthCheckType"))
			require.Len(t, g.At(t, group, "vpcZoneIdentifiers"), 3)
			require.Equal(t, 2.0, g.At(t, group, "minSize"))
			require.Equal(t, 2.0, g.At(t, group, "minElbCapacity"), "the first up ends when servers answer")
			require.Equal(t, 100.0, g.At(t, group, "instanceMaintenancePolicy.minHealthyPercentage"))
			require.Equal(t, []string{"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification"}, group.IgnoreChanges, "versions are brought by the rollout")
			for _, absent := range []string{"desiredCapacity", "forceDelete", "instanceRefresh", "trafficSources"} {
				require.NotContains(t, group.Inputs, absent)
			}
			template := g.One(t, templateType, group.Name)
			require.Equal(t, tier.instanceType, g.At(t, template, "instanceType"))
			require.Equal(t, "required", g.At(t, template, "metadataOptions.httpTokens"))
			require.Equal(t, 1.0, g.At(t, template, "metadataOptions.httpPutResponseHopLimit"))
			require.Equal(t, "false", g.At(t, template, "networkInterfaces[0].associatePublicIpAddress"))
			require.Equal(t, "true", g.At(t, template, "blockDeviceMappings[0].ebs.encrypted"))
			require.NotContains(t, template.Inputs, "keyName")
			for i := range 3 {
				require.Equal(t, "prod", g.At(t, template, fmt.Sprintf("tagSpecifications[%d].tags.Stack", i)), "default tags do not reach machines")
			}
			document := g.Document(t, template)
			require.Equal(t, tier.containers, strings.Count(document, "ExecStart=/usr/bin/docker run"))
			require.NotContains(t, document, "hostname:", "machines of a group are told apart by EC2's names")

			var request map[string]any
			require.NoError(t, json.Unmarshal([]byte(g.At(t, g.One(t, rolloutType, group.Name), "input").(string)), &request))
			require.Equal(t, 1.0, request["version"], "a number: AWS cannot roll back from $Latest")
			require.Equal(t, template.ID, request["template"])
		})
	}
}

func TestProdAppServersShareTheStore(t *testing.T) {
	g := prod(t)
	files := g.Of(t, filesType)[0]
	document := g.Document(t, g.One(t, templateType, "twip-prod-app-group"))
	for _, want := range []string{
		"connect = " + Plain(files.Outputs["dnsName"]).(string) + ":2049", "checkHost", "actimeo=0", "lookupcache=none", "target=/store",
		"--publish 8080:8080", "--publish 8082:8082", "--env TWIP_ADDRESS",
	} {
		require.Contains(t, document, want)
	}
	require.True(t, files.Protect)
	require.Len(t, g.Of(t, mountType), 2)
	require.Equal(t, "elastic", g.At(t, files, "throughputMode"))
	require.Contains(t, g.At(t, g.Of(t, "aws:efs/fileSystemPolicy:FileSystemPolicy")[0], "policy"), `"aws:SecureTransport":"false"`)
	require.Equal(t, g.At(t, files, "kmsKeyId"), Plain(g.One(t, "aws:kms/key:Key", "twip-prod-store").Outputs["arn"]))

	check := g.One(t, targetsType, "twip-prod-app")
	require.Equal(t, "/health", g.At(t, check, "healthCheck.path"))
	require.Equal(t, "8082", g.At(t, check, "healthCheck.port"))
	require.LessOrEqual(t, g.At(t, check, "healthCheck.interval").(float64)*g.At(t, check, "healthCheck.unhealthyThreshold").(float64), 10.0,
		"seconds until a dead server gets no more requests")
}

// flows lists who may call whom, from the rules at both ends; both ends have to agree.
func flows(t *testing.T, g *Graph) []string {
	t.Helper()
	groups := map[string]string{}
	for _, node := range g.Of(t, "aws:ec2/securityGroup:SecurityGroup") {
		groups[node.ID] = strings.TrimPrefix(node.Name, "twip-prod-")
	}
	side := func(typ string, in bool) (lines []string) {
		for _, rule := range g.Of(t, typ) {
			far, peered := rule.Inputs["referencedSecurityGroupId"]
			own, port := groups[g.At(t, rule, "securityGroupId").(string)], g.At(t, rule, "fromPort")
			switch {
			case peered && in:
				lines = append(lines, fmt.Sprintf("%s -> %s:%v", groups[Plain(far).(string)], own, port))
			case peered:
				lines = append(lines, fmt.Sprintf("%s -> %s:%v", own, groups[Plain(far).(string)], port))
			}
		}
		return lines
	}
	ways := side(ingressType, true)
	require.ElementsMatch(t, ways, side(egressType, false))
	return ways
}

func TestProdFlows(t *testing.T) {
	for name, steps := range prodShapes {
		t.Run(name, func(t *testing.T) {
			require.ElementsMatch(t, []string{
				"edge -> static:8080", "edge -> app:8080", "edge -> app:8082", "app -> app:8080", "app -> store:2049",
			}, flows(t, prod(t, steps...)))
		})
	}
}

// Whoever is not meant to reach the load balancer does not: in the limited release that is for a list of ranges to say,
// behind CloudFront everyone but our own distribution.
func TestProdIsClosedBehindTheCDN(t *testing.T) {
	g := prod(t, named, worldwide)
	edge := g.One(t, "aws:ec2/securityGroup:SecurityGroup", "twip-prod-edge")
	var ways []*Node
	for _, rule := range g.Of(t, ingressType) {
		if g.At(t, rule, "securityGroupId") == edge.ID {
			ways = append(ways, rule)
		}
	}
	require.Len(t, ways, 1)
	require.Equal(t, "pl-3b927c52", g.At(t, ways[0], "prefixListId"), "CloudFront's addresses, as the account model has them")
	tls := g.One(t, listenerType, "twip-prod-edge-tls")
	require.Equal(t, "fixed-response", g.At(t, tls, "defaultActions[0].type"))
	for _, rule := range g.Of(t, ruleType) {
		require.Equal(t, "X-Twip-Origin", g.At(t, rule, "conditions[1].httpHeader.httpHeaderName"), rule.Name)
		require.True(t, rule.Inputs["conditions"].ContainsSecrets(), "the secret is readable in the state")
	}
	distribution := g.Of(t, "aws:cloudfront/distribution:Distribution")[0]
	require.Equal(t, "https-only", g.At(t, distribution, "origins[0].customOriginConfig.originProtocolPolicy"))
	require.Equal(t, "origin.news.example.com", g.At(t, distribution, "origins[0].domainName"))
	require.Equal(t, "CLOUDFRONT", g.At(t, g.Of(t, "aws:wafv2/webAcl:WebAcl")[0], "scope"))
	require.False(t, g.Has("aws:wafv2/webAclAssociation:WebAclAssociation"), "the web ACL stands where it sees visitors' addresses")
	for _, node := range g.Of(t, "aws:acm/certificate:Certificate") {
		require.Equal(t, strings.Contains(node.Name, "cdn"), strings.Contains(node.Provider, "us-east-1"), node.Name)
	}
}

// Who turns CDN on leads visitors to CloudFront before the load balancer turns away those who come to it directly; and who
// turns it off again leaves the record by which ACM renews the load balancer's certificate.
func TestProdTurnsToTheCDNInOrder(t *testing.T) {
	g := prod(t, named, worldwide)
	alias := g.One(t, "aws:route53/record:Record", "twip-prod-edge")
	require.True(t, g.Waits(g.One(t, "aws:lb/listener:Listener", "twip-prod-edge-tls"), alias))
	for _, rule := range g.Of(t, "aws:lb/listenerRule:ListenerRule") {
		require.True(t, g.Waits(rule, alias), rule.Name)
	}
	require.True(t, g.One(t, "aws:route53/record:Record", "twip-prod-edge-cdn-proof-news.example.com").RetainOnDelete)
	require.False(t, g.One(t, "aws:route53/record:Record", "twip-prod-edge-proof-news.example.com").RetainOnDelete)
}

func TestProdTLS(t *testing.T) {
	g := prod(t, named)
	tls := g.One(t, listenerType, "twip-prod-edge-tls")
	require.Equal(t, "ELBSecurityPolicy-TLS13-1-2-2021-06", g.At(t, tls, "sslPolicy"))
	plain := g.One(t, listenerType, "twip-prod-edge")
	require.Equal(t, "redirect", g.At(t, plain, "defaultActions[0].type"))
	require.Equal(t, "HTTP_301", g.At(t, plain, "defaultActions[0].redirect.statusCode"))
	require.Equal(t, "https://news.example.com", g.Output(t, "url"))
	require.True(t, g.Waits(tls, g.Of(t, "aws:acm/certificateValidation:CertificateValidation")[0]), "a certificate that is not valid yet cannot be used")
}

// Refusals register nothing and say what to do.
func TestProdRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]string
		want   string
	}{
		"one zone":                 {map[string]string{"twip:zones": `["a"]`}, "two or three zones"},
		"one server":               {map[string]string{"twip:appServers": `{"min":1,"max":2}`}, "fewer than 2 machines"},
		"more least than most":     {map[string]string{"twip:staticServers": `{"min":3,"max":2}`}, "less than min"},
		"misspelt size":            {map[string]string{"twip:appServers": `{"mni":2}`}, "{min: number, max: number}"},
		"memory":                   {map[string]string{"twip:memoryMiB": `{"app":4000}`}, `twip:instanceType = "t3.small" has 2048`},
		"several containers":       {map[string]string{"twip:appContainers": "2"}, "twip:appServers"},
		"CDN without all it needs": {map[string]string{"twip:cdn": "true"}, "openssl rand -hex 32"},
		"subnets for no ALB":       {map[string]string{"twip:vpcCidr": "10.0.0.0/24"}, "smaller than the /27"},
		"more ranges than rules": {map[string]string{"twip:siteCidrs": manyRanges(31), "twip:domain": "news.example.com",
			"twip:hostedZone": "Z0123456789ABCDEFGHIJ"}, "a security group takes 60 rules"},
		"short secret":              {map[string]string{"twip:cdnSecret": "short"}, "32 to 128"},
		"readers that CDN ignores":  {map[string]string{"twip:cdn": "true", "twip:domain": "news.example.com", "twip:hostedZone": "Z0123456789ABCDEFGHIJ", "twip:cdnSecret": strings.Repeat("0123456789abcdef", 4), "twip:siteCidrs": `["203.0.113.0/24"]`}, "twip:siteCidrs"},
		"everyone uncounted":        {map[string]string{"twip:wafUncountedCidrs": `["0.0.0.0/0"]`}, "that is everyone"},
		"uncounted without web ACL": {map[string]string{"twip:wafUncountedCidrs": `["198.51.100.0/24"]`, "twip:waf": "false"}, "twip:wafUncountedCidrs"},
		"urgent, and nothing else":  {map[string]string{"twip:urgentEmail": "pager@example.com"}, "twip:alarmEmail"},
		"budget that nobody sees":   {map[string]string{"twip:monthlyBudgetUsd": "10"}, "twip:alarmEmail"},
		"backups":                   {map[string]string{"twip:backups": `{"every":"minute"}`}, "hour, day"},
		"VPC without its subnets":   {map[string]string{"twip:network": `{"vpcId":"vpc-01234567"}`}, "name both"},
		"VPC and NAT":               {map[string]string{"twip:network": `{"vpcId":"vpc-01234567"}`, "twip:natGateways": "single"}, "whoever keeps that VPC"},
		"a name that AWS cuts":      {map[string]string{"twip:network": `{"vpcId":"vpc-1"}`}, "not the id of a VPC"},
		"NAT gateways by the dozen": {map[string]string{"twip:natGateways": "12"}, "per-zone, single"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := RunStack("prod", prodConfig(t, tc.values), stacks.Program)
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, g.Nodes)
		})
	}
}

// Every alarm that tells someone says what to do, and tells them when it is over; those that are joined tell nobody.
func TestProdAlarms(t *testing.T) {
	g := prod(t, threeZones, named, told, worldwide, larger)
	urgent := g.One(t, "aws:sns/topic:Topic", "twip-prod-alerts")
	morning := g.One(t, "aws:sns/topic:Topic", "twip-prod-alerts-morning")
	outside := g.One(t, "aws:sns/topic:Topic", "twip-prod-alerts-outside") // an alarm tells topics of its own region only
	outsideMorning := g.One(t, "aws:sns/topic:Topic", "twip-prod-alerts-outside-morning")
	joined := ""
	for _, composite := range g.Of(t, "aws:cloudwatch/compositeAlarm:CompositeAlarm") {
		joined += g.At(t, composite, "alarmRule").(string)
		require.Equal(t, []any{urgent.ID}, g.At(t, composite, "alarmActions"))
		require.Equal(t, []any{urgent.ID}, g.At(t, composite, "okActions"))
	}
	alone := map[string][]string{}
	for _, alarm := range g.Of(t, "aws:cloudwatch/metricAlarm:MetricAlarm") {
		require.Greater(t, len(g.At(t, alarm, "alarmDescription").(string)), 30, alarm.Name)
		_, tells := alarm.Inputs["alarmActions"]
		inComposite := strings.Contains(joined, `"`+Plain(alarm.Outputs["name"]).(string)+`"`)
		if tells {
			told := g.At(t, alarm, "alarmActions").([]any)
			require.Len(t, told, 1)
			alone[told[0].(string)] = append(alone[told[0].(string)], strings.TrimPrefix(alarm.Name, "twip-prod-"))
			require.False(t, inComposite, "%s tells twice", alarm.Name)
			require.Equal(t, told, g.At(t, alarm, "okActions"))
		} else if !strings.HasSuffix(alarm.Name, "group-errors") { // only rolls back: visitors' errors are an alarm of their own
			require.True(t, inComposite, "%s tells nobody", alarm.Name)
		}
	}
	require.ElementsMatch(t, []string{"watch-refused"}, alone[urgent.ID])
	require.ElementsMatch(t, []string{"watch-takeovers", "watch-io", "watch-backups", "watch-no-backup", "watch-snapshots",
		"watch-attacks", "watch-rollouts", "watch-certificate", "app-group-credits", "app-group-memory", "app-group-disk",
		"static-group-credits", "static-group-memory", "static-group-disk"}, alone[morning.ID])
	require.ElementsMatch(t, []string{"outside-away", "outside-cdn-errors"}, alone[outside.ID])
	require.ElementsMatch(t, []string{"outside-cdn-certificate"}, alone[outsideMorning.ID])

	for _, rollout := range g.Of(t, rolloutType) {
		var request struct{ Alarms []string }
		require.NoError(t, json.Unmarshal([]byte(g.At(t, rollout, "input").(string)), &request))
		require.Len(t, request.Alarms, 2)
		for _, end := range []string{"-unhealthy", "-errors"} {
			name := Plain(g.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", rollout.Name+end).Outputs["name"])
			require.Contains(t, request.Alarms, name)
		}
	}
}

// AWS reports no count of 5xx for a minute without any, and RequestCount not for requests that no server was there for: an
// expression over an absent value has none itself, and its alarm would sleep through an outage.
func TestProdErrorsAreSeenWhateverElseIsAbsent(t *testing.T) {
	g := prod(t)
	queries := g.At(t, g.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "twip-prod-watch-errors"), "metricQueries").([]any)
	judged := queries[len(queries)-1].(map[string]any)["expression"].(string)
	for _, count := range []string{"balancer", "servers", "requests"} {
		require.NotZero(t, strings.Count(judged, count), judged)
		require.Equal(t, strings.Count(judged, count), strings.Count(judged, "FILL("+count+", 0)"), judged)
	}
}

func TestProdDashboard(t *testing.T) {
	g := prod(t)
	var body struct {
		Widgets []struct {
			Type                string
			X, Y, Width, Height int
			Properties          map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(g.At(t, g.Of(t, "aws:cloudwatch/dashboard:Dashboard")[0], "dashboardBody").(string)), &body))
	taken := map[[2]int]string{}
	for _, widget := range body.Widgets {
		title := widget.Properties["title"].(string)
		require.LessOrEqual(t, widget.X+widget.Width, 24, title)
		for x := widget.X; x < widget.X+widget.Width; x++ {
			for y := widget.Y; y < widget.Y+widget.Height; y++ {
				require.Empty(t, taken[[2]int{x, y}], "%s covers another", title)
				taken[[2]int{x, y}] = title
			}
		}
	}
	alarms := body.Widgets[0].Properties["alarms"].([]any)
	// All that tell someone, and what they are joined from; not the two that only roll back.
	require.Len(t, alarms, len(g.Of(t, "aws:cloudwatch/metricAlarm:MetricAlarm"))+len(g.Of(t, "aws:cloudwatch/compositeAlarm:CompositeAlarm"))-2)
}

// BenchmarkProgram prints how long one evaluation of the whole production program takes.
func BenchmarkProgram(b *testing.B) {
	for name, steps := range map[string][]map[string]string{"limited": nil, "public": {threeZones, named, told, worldwide, larger}} {
		b.Run(name, func(b *testing.B) {
			config := prodConfig(b, steps...)
			resources := 0
			for b.Loop() {
				g, err := RunStack("prod", config, stacks.Program)
				require.NoError(b, err)
				resources = len(g.Nodes)
			}
			b.ReportMetric(float64(resources), "resources")
		})
	}
}

// A copy of the data in a second region, behind a lock, and a test of restoring it.
func TestProdBackupsInASecondRegion(t *testing.T) {
	g := prod(t, map[string]string{"twip:backups": `{"every":"day","keepDays":90,"lockDays":30,"copyTo":"eu-west-1"}`})
	vaults := g.Of(t, "aws:backup/vault:Vault")
	require.Len(t, vaults, 2)
	second := g.One(t, "aws:backup/vault:Vault", "twip-prod-store-eu-west-1")
	require.Equal(t, "aws-backup-copies", g.By(t, second.Provider).Name)
	require.True(t, second.Protect)
	for _, lock := range g.Of(t, "aws:backup/vaultLockConfiguration:VaultLockConfiguration") {
		require.Equal(t, 30.0, g.At(t, lock, "minRetentionDays"))
		require.NotContains(t, lock.Inputs, "changeableForDays", "a lock that nobody could ever take off again")
	}
	plan := g.One(t, "aws:backup/plan:Plan", "twip-prod-store")
	require.Equal(t, Plain(second.Outputs["arn"]), g.At(t, plan, "rules[0].copyActions[0].destinationVaultArn"))
	require.Equal(t, 90.0, g.At(t, plan, "rules[0].copyActions[0].lifecycle.deleteAfter"))
	silence := g.One(t, alarmType, "twip-prod-watch-no-backup")
	require.Equal(t, 86400.0, g.At(t, silence, "metricQueries[0].metric.period"))

	_, err := RunStack("prod", prodConfig(t, map[string]string{"twip:backups": `{"copyTo":"eu-central-1"}`}), stacks.Program)
	require.ErrorContains(t, err, "that is the region of the environment")
	_, err = RunStack("prod", prodConfig(t, map[string]string{"twip:backups": `{"keepDays":7,"lockDays":8}`}), stacks.Program)
	require.ErrorContains(t, err, "it is not from 0 to 7")
}

// manyRanges is a list of n ranges.
func manyRanges(n int) string {
	ranges := make([]string, n)
	for i := range ranges {
		ranges[i] = fmt.Sprintf("10.%d.0.0/16", i)
	}
	text, err := json.Marshal(ranges)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Nobody is let in, and no server started, before the web ACL stands; plain HTTP leads to TLS only when TLS answers; and
// one group is refreshed after the other, the pages' images first.
func TestProdLetsNobodyInTooEarly(t *testing.T) {
	const associationType = "aws:wafv2/webAclAssociation:WebAclAssociation"
	g := prod(t)
	acl := g.One(t, associationType, "twip-prod-edge")
	for _, typ := range []string{listenerType, "aws:lb/listenerRule:ListenerRule", groupType} {
		for _, node := range g.Of(t, typ) {
			require.True(t, g.Waits(node, acl), "%s %s does not wait for the web ACL", typ, node.Name)
		}
	}
	static, app := g.One(t, rolloutType, "twip-prod-static-group"), g.One(t, rolloutType, "twip-prod-app-group")
	require.True(t, g.Waits(app, static))

	g = prod(t, named)
	redirect, tls := g.One(t, listenerType, "twip-prod-edge"), g.One(t, listenerType, "twip-prod-edge-tls")
	require.True(t, g.Waits(redirect, tls))
	require.True(t, g.Waits(tls, g.One(t, associationType, "twip-prod-edge")))
	require.True(t, g.Waits(tls, g.One(t, "aws:acm/certificateValidation:CertificateValidation", "twip-prod-edge")))
}
