package guardrails

import (
	"encoding/base64"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"twip/infra/boot"
)

// userData is what boot makes of a machine, in either of its two forms.
func userData(t *testing.T) string {
	t.Helper()
	document, err := boot.Machine{Region: "eu-central-1", Journal: "twip-static", Containers: []boot.Container{{
		Name: "static", Image: "registry/static@sha256:" + zeros, LogGroup: "static", MemoryMiB: 64, PIDs: 64, Health: []string{"/usr/local/bin/healthcheck"}, StopSeconds: 15,
	}}}.Render()
	require.NoError(t, err)
	return string(document)
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// A machine that boot renders keeps all rules; that each is noticed when it is broken is shown on whole environments.
func TestWhatBootRendersKeepsTheRules(t *testing.T) {
	plain := userData(t)
	for form, text := range map[string]string{"plain": plain, "base64": base64.StdEncoding.EncodeToString([]byte(plain))} {
		r := &Resource{Type: instance, Name: "m", Properties: resource.PropertyMap{"userData": resource.NewStringProperty(text)}}
		for _, rule := range documentRules {
			require.Empty(t, rule.alone(r), "%s: %s", form, rule.ID)
		}
	}
}

func TestSecretsInUserData(t *testing.T) {
	for line, secret := range map[string]bool{
		"token=$(curl -X PUT http://169.254.169.254/latest/api/token)": false,
		`-H "X-aws-ec2-metadata-token: $token"`:                        false,
		"the secret of a good night":                                   false,
		"password: hunter22":                                           true,
		`DB_PASSWORD="correct horse"`:                                  true,
		"AKIA0123456789ABCDEF":                                         true,
		"-----BEGIN RSA PRIVATE KEY-----":                              true,
		"api_key = abcdef123456":                                       true,
	} {
		require.Equal(t, secret, readDocument("#cloud-config\n# "+line+"\n").secret, line)
	}
	marked := &Resource{Type: instance, Properties: resource.PropertyMap{"userData": resource.MakeSecret(resource.NewStringProperty(userData(t)))}}
	require.NotEmpty(t, ruleOf("TWIP-SECRET-1").alone(marked), "what comes from a secret is one")
}
