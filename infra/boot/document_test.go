package boot

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		``:                           nil,
		`a  b`:                       {"a", "b"},
		`"a b" c`:                    {"a b", "c"},
		`a="b c"`:                    {"a=b c"},
		`"\"a\" \\" b`:               {`"a" \`, "b"},
		`""`:                         {""},
		`--health-cmd "x y" image@z`: {"--health-cmd", "x y", "image@z"},
	} {
		require.Equal(t, want, words(line), line)
	}
}

// What Render writes is read back as the values that it was rendered from.
func TestRunsAreReadBack(t *testing.T) {
	machine := Machine{Region: "eu-central-1", Journal: "twip-app", Store: &Store{EFS: &EFS{DNSName: "fs-1.efs.eu-central-1.amazonaws.com"}},
		Containers: []Container{{
			Name: "app-1", Image: "registry/app@sha256:" + zeros, LogGroup: "app", MemoryMiB: 512, PIDs: 64, StopSeconds: 15,
			Health: []string{"/usr/local/bin/keeper", "health"}, Ports: []Port{{Host: 80, Container: 8080}},
			Env: map[string]string{"A": "b c"}, Tmpfs: []string{"/run:size=4m"}, StoreMount: "/store",
		}}}
	document, err := machine.Render()
	require.NoError(t, err)
	read, err := ReadDocument(string(document))
	require.NoError(t, err)
	require.Equal(t, []Run{{
		User: "10001:10001", ReadOnly: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
		Memory: "512m", MemorySwap: "512m", PIDs: "64", Network: "twip", LogDriver: "awslogs",
		Mounts: []string{"type=bind,source=/var/lib/twip/volume/store,target=/store"},
		LogOptions: []string{"mode=non-blocking", "max-buffer-size=4m", "awslogs-region=eu-central-1",
			"awslogs-group=app", "awslogs-stream=%H/app-1"},
		Image: "registry/app@sha256:" + zeros,
	}}, read.Runs())
	require.Contains(t, read.File("/twip-efs"), "nfsvers=4.1")
}

func TestUnknownFlagsAreTold(t *testing.T) {
	for command, want := range map[string][]string{
		"--privileged image":                                {"--privileged"},
		"--pid=host image":                                  {"--pid"},
		"--volume /:/host image":                            {"--volume"},
		"--user 1:1 --user 0:0 image":                       {"--user"},
		"-v /var/run/docker.sock:/d.sock --read-only image": {"-v"},
	} {
		require.Equal(t, want, parseRun(words(command)).Unknown, command)
	}
}

func TestReadDocumentRefusesOthers(t *testing.T) {
	for text, want := range map[string]string{"#!/bin/sh\n": "no cloud-config", "#cloud-config\n\t{": "cloud-config: "} {
		_, err := ReadDocument(text)
		require.ErrorContains(t, err, want)
	}
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
