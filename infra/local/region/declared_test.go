package region

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadDeclared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "world.json")
	none, err := ReadDeclared(file)
	require.NoError(t, err)
	require.Empty(t, none.Groups)

	require.NoError(t, os.WriteFile(file, []byte(`{"serial": 9, "templates": {"lt-1": {"2": {"instanceType": "t3.micro", "userData": "aGk="}}},
"resources": {
 "a": {"type": "aws:ec2/subnet:Subnet", "id": "subnet-1", "facts": {"availabilityZone": "us-east-1b"}},
 "b": {"type": "aws:ec2/subnet:Subnet", "id": "subnet-2", "facts": {"availabilityZone": "us-east-1a"}},
 "c": {"type": "aws:autoscaling/group:Group", "id": "g", "facts": {"name": "g", "minSize": 2, "maxSize": 4, "healthCheckType": "ELB",
   "healthCheckGracePeriod": 300, "vpcZoneIdentifiers": ["subnet-1", "subnet-2"], "targetGroupArns": ["arn:t"],
   "mixedInstancesPolicy": {"launchTemplate": {"launchTemplateSpecification": {"launchTemplateId": "lt-1", "version": "2"}, "overrides": [{"instanceType": "t3.small"}]}}, "instanceMaintenancePolicy": {"minHealthyPercentage": 100, "maxHealthyPercentage": 200}}},
 "d": {"type": "aws:autoscaling/lifecycleHook:LifecycleHook", "id": "h", "facts": {"name": "h", "autoscalingGroupName": "g",
   "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "heartbeatTimeout": 600, "defaultResult": "ABANDON"}},
 "e": {"type": "aws:lb/targetGroup:TargetGroup", "id": "t", "facts": {"arn": "arn:t", "name": "t", "port": 8080, "deregistrationDelay": 60,
   "loadBalancingAlgorithmType": "round_robin", "healthCheck": {"path": "/health", "port": "traffic-port", "matcher": "200",
   "interval": 5, "timeout": 4, "healthyThreshold": 2, "unhealthyThreshold": 3}}},
 "f": {"type": "aws:lb/listener:Listener", "id": "l", "facts": {"arn": "arn:l", "port": 80, "protocol": "HTTP",
   "defaultActions": [{"type": "forward", "targetGroupArn": "arn:t"}]}},
 "g": {"type": "aws:lb/listenerRule:ListenerRule", "id": "r2", "facts": {"listenerArn": "arn:l", "priority": 200,
   "actions": [{"type": "fixed-response", "fixedResponse": {"statusCode": "403", "messageBody": "no"}}], "conditions": [{"pathPattern": {"values": ["/x"]}}]}},
 "h": {"type": "aws:lb/listenerRule:ListenerRule", "id": "r1", "facts": {"listenerArn": "arn:l", "priority": 100,
   "actions": [{"type": "redirect", "redirect": {"port": "443"}}], "conditions": [{"pathPattern": {"values": ["/y"]}}]}},
 "i": {"type": "aws:lb/loadBalancer:LoadBalancer", "id": "b", "facts": {"idleTimeout": 45}},
 "j": {"type": "aws:efs/fileSystem:FileSystem", "id": "fs-1", "facts": {"dnsName": "fs-1.efs"}},
 "k": {"type": "aws:autoscaling/group:Group", "id": "begun"}
}}`), 0o600))
	d, err := ReadDeclared(file)
	require.NoError(t, err)
	require.Equal(t, Declared{
		Groups: map[string]GroupSpec{"g": {Name: "g", Min: 2, Max: 4, Zones: []string{"us-east-1a", "us-east-1b"},
			Template: Reference{"lt-1", 2}, Types: []string{"t3.small"}, TargetGroups: []string{"arn:t"}, HealthCheckType: "ELB", Grace: 5 * time.Minute,
			MinHealthy: 100, MaxHealthy: 200, Hooks: []Hook{{"h", launching, abandon, 10 * time.Minute}}}},
		Templates: map[string]map[int]Template{"lt-1": {2: {InstanceType: "t3.micro", UserData: "aGk="}}},
		TargetGroups: map[string]TargetGroup{"arn:t": {ARN: "arn:t", Name: "t", Algorithm: "round_robin", Port: 8080,
			Drain: time.Minute, Check: HealthCheck{Path: "/health", Matcher: "200", Port: 8080, Interval: 5 * time.Second,
				Timeout: 4 * time.Second, Healthy: 2, Unhealthy: 3}}},
		Listeners: []Listener{{ARN: "arn:l", Port: 80, Protocol: "HTTP", Default: Forward{TargetGroup: "arn:t"}, Rules: []Rule{
			{Priority: 100, Paths: []string{"/y"}, Action: Forward{Redirect: 443}},
			{Priority: 200, Paths: []string{"/x"}, Action: Forward{Status: 403, Body: "no"}}}}},
		FileSystems: map[string]string{"fs-1.efs": "fs-1"}, Certificates: map[string]string{}, Idle: 45 * time.Second,
	}, d)
	data, err := d.Templates["lt-1"][2].Document()
	require.NoError(t, err)
	require.Equal(t, "hi", string(data))

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err = ReadDeclared(file)
	require.ErrorContains(t, err, file)
}
