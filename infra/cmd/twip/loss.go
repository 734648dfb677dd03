package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// holders are the resource types whose deletion loses something that another `up` does not bring back.
var holders = map[string]string{
	"aws:ebs/volume:Volume":                    "the data volume: all articles",
	"aws:efs/fileSystem:FileSystem":            "the file system: all articles",
	"aws:backup/vault:Vault":                   "the vault: all backups that are in it",
	"aws:ecr/repository:Repository":            "an image repository: releases that could be gone back to",
	"aws:cloudwatch/logGroup:LogGroup":         "a log group: what was logged",
	"aws:ec2/eip:Eip":                          "a public address: another one comes next time",
	"aws:lb/loadBalancer:LoadBalancer":         "the load balancer: its name in DNS is another one next time",
	"aws:cloudfront/distribution:Distribution": "the distribution: its name in DNS is another one next time",
	"aws:kms/key:Key":                          "a key: what it encrypted cannot be read without it",
}

// Loss says what a destroy of the stack would delete, and is an error while a resource is protected from that.
func (a *aws) Loss(ctx context.Context) (string, error) {
	var state struct {
		Deployment struct {
			Resources []struct {
				Type, ID, URN   string
				Custom, Protect bool
			}
		}
	}
	if err := a.read(ctx, &state, "pulumi", "stack", "export", "--stack", a.stack); err != nil {
		return "", err
	}
	count, lines := 0, []string{}
	var protected []error
	for _, r := range state.Deployment.Resources {
		if !r.Custom || strings.HasPrefix(r.Type, "pulumi:") {
			continue
		}
		count++
		if what, ok := holders[r.Type]; ok {
			lines = append(lines, fmt.Sprintf("  %s (%s)", what, r.ID))
		}
		if r.Protect {
			protected = append(protected, fmt.Errorf("  %s (%s)", r.URN[strings.LastIndex(r.URN, "::")+2:], r.Type))
		}
	}
	if len(protected) > 0 {
		return "", fmt.Errorf("destroy of stack %q: nothing was changed: these are protected:\n%w\nif you mean it: "+
			"pulumi config set -s %[1]s twip:protectData false (in groups also twip:protectEdge false), "+
			"make up STACK=%[1]s CLOUD=aws, then destroy", a.stack, errors.Join(protected...))
	}
	slices.Sort(lines)
	return fmt.Sprintf("destroy of stack %s deletes %d resources in AWS for good, among them:\n%s",
		a.stack, count, strings.Join(lines, "\n")), nil
}
