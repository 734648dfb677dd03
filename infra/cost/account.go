package cost

import (
	"slices"
	"twip/infra/keeper"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// item is an amount of something that has a price.
type item struct {
	price   string
	amount  float64
	assumed string
}

// account is what a resource's items are computed from.
type account struct {
	all []Resource
	use Use
}

const (
	assumedGiB = 1.0
	holdsOne   = "holds 1 GiB"
	seconds    = hours * 3600
	// metricsOfMachines are memory and disks (infra/boot/scripts/twip-journal), one of each for all machines of a kind.
	metricsOfMachines = 2.0
	// metricsOfKeepers are those of infra/keeper/report.go.
	metricsOfKeepers = 6.0
	rootGiB          = 8.0 // Debian's machine image, unless the machine asks for more
	// pageKiB is a page with its share of styles and images, compressed.
	pageKiB = 64.0
)

// paidFor says what of a resource is paid for: nil for nothing, or for nothing that a declaration tells, as what is
// logged.
var paidFor = map[string]func(account, Resource) []item{
	"aws:ec2/instance:Instance":                      machine,
	"aws:autoscaling/group:Group":                    group,
	"aws:ec2/natGateway:NatGateway":                  one("nat"),
	"aws:ec2/eip:Eip":                                one("address"),
	"aws:ec2/vpcEndpoint:VpcEndpoint":                endpoint,
	"aws:lb/loadBalancer:LoadBalancer":               balancer,
	"aws:ebs/volume:Volume":                          volume,
	"aws:dlm/lifecyclePolicy:LifecyclePolicy":        snapshots,
	"aws:efs/fileSystem:FileSystem":                  fileSystem,
	"aws:backup/vault:Vault":                         stored("backup"),
	"aws:ecr/repository:Repository":                  stored("registry"),
	"aws:kms/key:Key":                                one("key"),
	"aws:wafv2/webAcl:WebAcl":                        webACL,
	"aws:cloudwatch/metricAlarm:MetricAlarm":         alarm,
	"aws:cloudwatch/compositeAlarm:CompositeAlarm":   one("alarm.joined"),
	"aws:cloudwatch/dashboard:Dashboard":             one("dashboard"),
	"aws:cloudwatch/logMetricFilter:LogMetricFilter": one("metric"),

	"aws:route53/healthCheck:HealthCheck": one("check"),

	"aws:acm/certificate:Certificate":                                      nil,
	"aws:acm/certificateValidation:CertificateValidation":                  nil,
	"aws:autoscaling/lifecycleHook:LifecycleHook":                          nil,
	"aws:autoscaling/policy:Policy":                                        nil,
	"aws:autoscaling/schedule:Schedule":                                    nil,
	"aws:backup/plan:Plan":                                                 nil,
	"aws:backup/restoreTestingPlan:RestoreTestingPlan":                     nil,
	"aws:backup/restoreTestingSelection:RestoreTestingSelection":           nil,
	"aws:backup/selection:Selection":                                       nil,
	"aws:backup/vaultLockConfiguration:VaultLockConfiguration":             nil,
	"aws:budgets/budget:Budget":                                            nil,
	"aws:cloudfront/cachePolicy:CachePolicy":                               nil,
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy":                   nil,
	"aws:cloudfront/distribution:Distribution":                             nil, // the first TB a month is free
	"aws:cloudwatch/logGroup:LogGroup":                                     nil,
	"aws:cloudwatch/queryDefinition:QueryDefinition":                       nil,
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":                    nil,
	"aws:ec2/eipAssociation:EipAssociation":                                nil,
	"aws:ec2/flowLog:FlowLog":                                              nil,
	"aws:ec2/internetGateway:InternetGateway":                              nil,
	"aws:ec2/launchTemplate:LaunchTemplate":                                nil,
	"aws:ec2/route:Route":                                                  nil,
	"aws:ec2/routeTable:RouteTable":                                        nil,
	"aws:ec2/routeTableAssociation:RouteTableAssociation":                  nil,
	"aws:ec2/securityGroup:SecurityGroup":                                  nil,
	"aws:ec2/subnet:Subnet":                                                nil,
	"aws:ec2/volumeAttachment:VolumeAttachment":                            nil,
	"aws:ec2/vpc:Vpc":                                                      nil,
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                              nil,
	"aws:efs/accessPoint:AccessPoint":                                      nil,
	"aws:efs/backupPolicy:BackupPolicy":                                    nil,
	"aws:efs/fileSystemPolicy:FileSystemPolicy":                            nil,
	"aws:efs/mountTarget:MountTarget":                                      nil,
	"aws:iam/instanceProfile:InstanceProfile":                              nil,
	"aws:iam/policy:Policy":                                                nil,
	"aws:iam/role:Role":                                                    nil,
	"aws:iam/rolePolicy:RolePolicy":                                        nil,
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":                    nil,
	"aws:kms/alias:Alias":                                                  nil,
	"aws:lambda/function:Function":                                         nil,
	"aws:lambda/invocation:Invocation":                                     nil,
	"aws:lambda/permission:Permission":                                     nil,
	"aws:lb/listener:Listener":                                             nil,
	"aws:lb/listenerRule:ListenerRule":                                     nil,
	"aws:lb/targetGroup:TargetGroup":                                       nil,
	"aws:route53/record:Record":                                            nil,
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": nil,
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":               nil,
	"aws:s3/bucketPolicy:BucketPolicy":                                     nil,
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":               nil,
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": nil,
	"aws:s3/bucketV2:BucketV2":                                        nil,
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                    nil,
	"aws:scheduler/schedule:Schedule":                                 nil,
	"aws:sns/topic:Topic":                                             nil,
	"aws:sns/topicPolicy:TopicPolicy":                                 nil,
	"aws:sns/topicSubscription:TopicSubscription":                     nil,
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":         nil,
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":       nil,
	"aws:wafv2/ipSet:IpSet":                                           nil,
	"aws:wafv2/webAclAssociation:WebAclAssociation":                   nil,
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": nil,
}

func one(price string) func(account, Resource) []item {
	return func(account, Resource) []item { return []item{{price, 1, ""}} }
}

func stored(price string) func(account, Resource) []item {
	return func(account, Resource) []item { return []item{{price, assumedGiB, holdsOne}} }
}

func machine(a account, r Resource) []item {
	items := []item{{"instance." + text(r.Properties, "instanceType"), 1, ""},
		{"volume.gp3", number(r.Properties, rootGiB, "rootBlockDevice", "volumeSize"), ""}}
	if on, _ := at(r.Properties, "monitoring"); on.IsBool() && on.BoolValue() {
		items = append(items, item{"monitoring", 1, ""})
	}
	items = append(items, item{"metric", metricsOfMachines, ""})
	return append(items, a.traffic(a.first("aws:lb/loadBalancer:LoadBalancer") == nil)...)
}

// group has the fewest machines that it may have: it has more only under load.
// mounts says whether machines of the group mount a file system: those are the app servers, which have keepers.
func (a account) mounts(group Resource) bool {
	return slices.ContainsFunc(a.all, func(other Resource) bool {
		return other.Type == "aws:efs/mountTarget:MountTarget" && slices.Contains(group.Dependencies, other.URN)
	})
}

func group(a account, r Resource) []item {
	machines := number(r.Properties, 1, "minSize")
	items := []item{{"metric", metricsOfMachines, ""}}
	for _, other := range a.all {
		if other.Type == "aws:efs/fileSystem:FileSystem" && a.mounts(r) {
			items = append(items, item{"metric", metricsOfKeepers, ""})
		}
		if other.Type != "aws:ec2/launchTemplate:LaunchTemplate" || !slices.Contains(r.Dependencies, other.URN) {
			continue
		}
		items = append(items, item{"instance." + text(other.Properties, "instanceType"), machines, "at the fewest"})
		disk := rootGiB
		if disks, _ := at(other.Properties, "blockDeviceMappings"); disks.IsArray() && len(disks.ArrayValue()) > 0 {
			disk = number(disks.ArrayValue()[0].ObjectValue(), rootGiB, "ebs", "volumeSize")
		}
		items = append(items, item{"volume.gp3", machines * disk, "at the fewest"})
		if on, _ := at(other.Properties, "monitoring", "enabled"); on.IsBool() && on.BoolValue() {
			items = append(items, item{"monitoring", machines, "at the fewest"})
		}
	}
	return items
}

func endpoint(_ account, r Resource) []item {
	if text(r.Properties, "vpcEndpointType") != "Interface" {
		return nil // gateways are free
	}
	return []item{{"endpoint", length(r.Properties, "subnetIds"), ""}}
}

// balancer has a public address in each of its zones. A capacity unit is 25 new connections a second, or 1 GiB an hour.
func balancer(a account, r Resource) []item {
	units := max(1, a.use.Visits/25, a.use.Visits*pageKiB*3600/(1<<20))
	return append([]item{{"balancer", 1, ""}, {"balancer.unit", units, "at least one unit"},
		{"address", max(length(r.Properties, "subnets"), length(r.Properties, "subnetMappings")), ""}}, a.traffic(true)...)
}

// traffic is what visitors are sent.
func (a account) traffic(here bool) []item {
	if !here || a.use.Visits == 0 {
		return nil
	}
	return []item{{"traffic", a.use.Visits * seconds * pageKiB / (1 << 20), "64 KiB a visit"}}
}

func volume(_ account, r Resource) []item {
	return []item{{"volume.gp3", number(r.Properties, rootGiB, "size"), ""}}
}

func snapshots(account, Resource) []item { return []item{{"snapshot", assumedGiB, holdsOne}} }

// What EFS meters an operation as at the least: docs.aws.amazon.com/efs/latest/ug/metered-sizes.html
const (
	dataGiB       = 32.0 / (1 << 20)
	metadataGiB   = 4.0 / (1 << 20)
	postsInVisits = 0.1
)

// written is that of Prevayler's journal, a post's own.
var written = keeper.Operations{Writes: 1}

// fileSystem is metered by what the keepers of all app servers do, which are those of groups that depend on it.
func fileSystem(a account, r Resource) []item {
	servers := 0.0
	for _, other := range a.all {
		if other.Type == "aws:autoscaling/group:Group" && a.reaches(other, r.URN, map[string]bool{}) {
			servers += number(other.Properties, 1, "minSize")
		}
	}
	items := []item{{"efs.storage", assumedGiB, holdsOne}}
	if text(r.Properties, "throughputMode") != "elastic" || servers == 0 {
		return items
	}
	standbys, posts := servers-1, a.use.Visits*postsInVisits
	reads, writes := 0.0, 0.0
	for _, o := range []struct {
		keeper.Operations
		times float64 // a second
	}{
		{keeper.LeaderIdle, 1}, {keeper.StandbyIdle, standbys}, {keeper.FenceOfPost, posts}, {written, posts},
	} {
		reads += o.times * (o.Reads*dataGiB + o.Metadata*metadataGiB)
		writes += o.times * o.Writes * dataGiB
	}
	return append(items, item{"efs.read", reads * seconds, "heartbeats, and one post in ten visits"},
		item{"efs.write", writes * seconds, "heartbeats, and one post in ten visits"})
}

// reaches says whether a resource uses another, by itself or through what it uses.
func (a account) reaches(from Resource, urn string, seen map[string]bool) bool {
	for _, dependency := range from.Dependencies {
		if dependency == urn {
			return true
		}
		if seen[dependency] {
			continue
		}
		seen[dependency] = true
		for _, other := range a.all {
			if other.URN == dependency && a.reaches(other, urn, seen) {
				return true
			}
		}
	}
	return false
}

func webACL(a account, r Resource) []item {
	items := []item{{"acl", 1, ""}, {"acl.rule", length(r.Properties, "rules"), ""}}
	if a.use.Visits > 0 {
		items = append(items, item{"acl.requests", a.use.Visits * seconds / 1e6, ""})
	}
	return items
}

// alarm is paid for by the metrics that it looks at.
func alarm(_ account, r Resource) []item {
	metrics := 0.0
	if queries, _ := at(r.Properties, "metricQueries"); queries.IsArray() {
		for _, query := range queries.ArrayValue() {
			if query.IsObject() && query.ObjectValue()["metric"].IsObject() {
				metrics++
			}
		}
	}
	return []item{{"alarm", max(1, metrics), ""}}
}

func (a account) first(typ string) *Resource {
	for i := range a.all {
		if a.all[i].Type == typ {
			return &a.all[i]
		}
	}
	return nil
}

// at follows names into an object. Values that are not known yet, and secrets, are not there.
func at(m resource.PropertyMap, path ...resource.PropertyKey) (v resource.PropertyValue, ok bool) {
	for i, key := range path {
		v, ok = m[key]
		if !ok || i == len(path)-1 {
			return v, ok
		}
		if !v.IsObject() {
			return resource.PropertyValue{}, false
		}
		m = v.ObjectValue()
	}
	return v, ok
}

func text(m resource.PropertyMap, path ...resource.PropertyKey) string {
	if v, _ := at(m, path...); v.IsString() {
		return v.StringValue()
	}
	return ""
}

func number(m resource.PropertyMap, otherwise float64, path ...resource.PropertyKey) float64 {
	if v, _ := at(m, path...); v.IsNumber() {
		return v.NumberValue()
	}
	return otherwise
}

func length(m resource.PropertyMap, path ...resource.PropertyKey) float64 {
	if v, _ := at(m, path...); v.IsArray() {
		return float64(len(v.ArrayValue()))
	}
	return 0
}
