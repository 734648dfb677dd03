package guardrails

import "regexp"

var machineRules = []*Rule{
	{
		ID: "AutoScaling.1", Title: "groups behind a load balancer use its health checks",
		Source: securityHub("AutoScaling.1"), Types: []string{group},
		check: is("healthCheckType", "ELB"),
	},
	{
		ID: "AutoScaling.2", Title: "groups cover several availability zones",
		Source: securityHub("AutoScaling.2"), Types: []string{group},
		check: items("vpcZoneIdentifiers", 2, "name a subnet in each of two zones or more"),
	},
	{
		ID: "AutoScaling.6", Title: "groups can start machines of several types",
		Source: securityHub("AutoScaling.6"), Types: []string{group},
		check: items("mixedInstancesPolicy.launchTemplate.overrides", 2, "name two instance types or more"),
	},
	{
		ID: "AutoScaling.9", Title: "groups use launch templates",
		Source: securityHub("AutoScaling.9"), Types: []string{group},
		check: all(some(groupTemplate+".launchTemplateId", "name a launch template"),
			none("launchConfiguration", "use a launch template instead")),
	},
	{
		ID: "EC2.7", CIS: "v3.0.0/2.2.1", Title: "volumes are encrypted, whatever the account's default is",
		Source: securityHub("EC2.7"), Types: []string{volume, instance, template},
		check: of(map[string]check{
			volume:   is("encrypted", "true"),
			instance: all(is("rootBlockDevice.encrypted", "true"), optional("ebsBlockDevices[].encrypted", "true")),
			template: is("blockDeviceMappings[].ebs.encrypted", "true"),
		}),
	},
	{
		ID: "EC2.8", CIS: "v3.0.0/5.6", Title: "instances answer IMDSv2 only",
		Source: securityHub("EC2.8"), Types: []string{instance},
		check: is("metadataOptions.httpTokens", "required"),
	},
	{
		ID: "EC2.9", Title: "instances have no public address",
		Source: securityHub("EC2.9"), Types: []string{instance, "aws:ec2/eipAssociation:EipAssociation"},
		check: of(map[string]check{
			instance: isNot("associatePublicIpAddress", "true", "leave it out, and "+
				"put a load balancer in front"),
			"aws:ec2/eipAssociation:EipAssociation": none("instanceId", "put a load balancer in front instead"),
		}),
	},
	{
		ID: "EC2.25", Title: "launch templates give out no public addresses",
		Source: securityHub("EC2.25"), Types: []string{template},
		check: is("networkInterfaces[].associatePublicIpAddress", "false"),
	},
	{
		ID: "EC2.170", Title: "launch templates ask for IMDSv2",
		Source: securityHub("EC2.170"), Types: []string{template},
		check: is("metadataOptions.httpTokens", "required"),
	},
	{
		ID: "TWIP-LAUNCH-1", Title: "a new machine serves, and takes another's place, only after it has said that it can",
		Source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
		Types:  []string{group},
		whole:  launchesInOrder,
	},
	{
		ID: "TWIP-LAUNCH-2", Title: "a machine that says nothing in its time is given up",
		Source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/adding-lifecycle-hooks.html",
		Types:  []string{launchHook},
		check: all(is("lifecycleTransition", "autoscaling:EC2_INSTANCE_LAUNCHING"), is("defaultResult", "ABANDON"),
			number("heartbeatTimeout", 30, 7200)),
	},
	{
		ID: "TWIP-MACHINE-1", Title: "containers cannot reach the machine's role: the metadata service's hop limit " +
			"is 1",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html", Types: []string{instance, template},
		check: is("metadataOptions.httpPutResponseHopLimit", "1"),
	},
	{
		ID: "TWIP-MACHINE-2", Title: "nobody logs in to a machine with a key",
		Source: ownDesign, Types: []string{instance, template, "aws:ec2/keyPair:KeyPair"},
		check: of(map[string]check{
			instance:                  none("keyName", "leave it out: machines have no SSH"),
			template:                  none("keyName", "leave it out: machines have no SSH"),
			"aws:ec2/keyPair:KeyPair": never("publicKey", "remove it: machines have no SSH"),
		}),
	},
	{
		ID: "TWIP-MACHINE-3", Title: "a machine is what its user data says: other user data is another machine",
		Source: ownDesign, Types: []string{instance},
		check: is("userDataReplaceOnChange", "true"),
	},
	{
		ID: "TWIP-MACHINE-4", Title: "nothing of a machine outlives it but the store",
		Source: ownDesign, Types: []string{instance, template},
		check: of(map[string]check{
			instance: is("rootBlockDevice.deleteOnTermination", "true"),
			template: all(is("blockDeviceMappings[].ebs.deleteOnTermination", "true"),
				is("networkInterfaces[].deleteOnTermination", "true"),
				is("instanceInitiatedShutdownBehavior", "terminate")),
		}),
	},
	{
		ID: "TWIP-GROUP-1", Title: "a group names its template's version by number: AWS cannot roll back from any " +
			"other",
		Source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html", Types: []string{group},
		check: text(groupTemplate+".version", regexp.MustCompile(`^[0-9]+$`).MatchString,
			"use the template's LatestVersion"),
	},
	{
		ID: "TWIP-GROUP-2", Title: "one machine's failure is not seen: two or more, and the successor comes first",
		Source: ownDesign, Types: []string{group},
		check: all(number("minSize", 2, 1000), number("instanceMaintenancePolicy.minHealthyPercentage", 100, 100),
			number("healthCheckGracePeriod", 60, 3600)),
	},
	{
		ID: "TWIP-GROUP-3", Title: "scaling policies own a group's size, the leader is mostly spared, and nothing is torn " +
			"down in a hurry",
		Source: ownDesign, Types: []string{group},
		check: all(items("terminationPolicies", 1, "let the newest go first"),
			oneOf("terminationPolicies[]", "NewestInstance"),
			none("desiredCapacity", "leave it out: every update would undo the scaling"),
			isNot("forceDelete", "true", "leave it out: machines are to stop in an orderly way")),
	},
	{
		ID: "TWIP-GROUP-4", Title: "a dead server gets no requests after ten seconds, and a leaving one finishes " +
			"its own",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html", Types: []string{targetGroup},
		check: all(number("healthCheck.interval", 5, 5), number("healthCheck.unhealthyThreshold", 2, 2),
			is("healthCheck.matcher", "200"), number("deregistrationDelay", 15,
				300), text("healthCheck.path", func(p string) bool { return len(p) > 1 }, "name the path that "+
				"tells health")),
	},
}

const groupTemplate = "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification"

// optional asks for a value of every element that there is.
func optional(path, want string) check {
	return every(path, func(v value) bool { return v.state != known || v.text() == want }, "set it to "+want)
}

func launchesInOrder(r *Resource, g *Graph) []finding {
	if len(g.users(r, launchHook)) > 0 {
		return nil
	}
	return []finding{{value{path: "name"}, "declare a LifecycleHook for it, and have machines complete it"}}
}
