package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Preflight means AWS, whatever CLOUD says, and asks by the commands that people use.
func TestPreflightAsksAWS(t *testing.T) {
	log := stand(t, map[string]string{
		"pulumi": `echo '{"aws:region": {"value": "eu-central-1"}, "twip:account": {"value": "123456789012"}}'`,
		"aws":    `echo '{"Account": "210987654321", "Arn": "arn:aws:iam::210987654321:user/me"}'`,
	})
	var out bytes.Buffer
	err := run(t.Context(), strings.Fields("-cloud local preflight"), strings.NewReader(""), &out)
	require.ErrorContains(t, err, "is in account 210987654321, and twip:account is 123456789012")
	require.Equal(t, "pulumi config --json --stack train\naws --output json sts get-caller-identity\n", calls(t, log),
		"nothing else is asked of a wrong account")
}
