package stacks

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"twip/components/compute"
	"twip/infra/boot"
)

// operationKeys are about running an environment, not about its shape.
var operationKeys = []Key{
	{
		Name: "account", Default: "", Example: "123456789012",
		Description: "The AWS account of this environment: credentials of another one are refused before anything is " +
			"read; empty: any.",
		read: text(func(c *Config) *string { return &c.Account },
			optional(matches(accountRE, "it is not the number of an account: 12 digits"))),
	},
	{
		Name: "workingHours", Default: map[string]any{},
		Example: `{start: "07:00", stop: "20:00", days: MON-FRI, timezone: Europe/Berlin}`,
		Description: "On one host: when the machine runs; it starts on these days and stops every evening. Empty: " +
			"always.",
		read: workingHours,
	},
	{
		Name: "sessionAgent", Default: "", Example: "3.3.987.0@sha256:" + strings.Repeat("0123456789abcdef", 4),
		Description: "In groups: version and digest of Amazon's agent for sessions on machines, without SSH and " +
			"without an open port; empty: nobody gets in.",
		read: sessionAgent,
	},
}

var accountRE = regexp.MustCompile(`^[0-9]{12}$`)

func workingHours(raw string, c *Config) error {
	var hours compute.Hours
	if err := strictly(raw, &hours); err != nil {
		return errors.New("it is not {start: HH:MM, stop: HH:MM, days: days, timezone: name}")
	}
	if hours == (compute.Hours{}) {
		c.WorkingHours = nil
		return nil
	}
	c.WorkingHours = &hours
	return hours.Check()
}

var sessionAgentRE = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+){3})@sha256:([0-9a-f]{64})$`)

func sessionAgent(raw string, c *Config) error {
	c.Sessions = nil
	if raw == "" {
		return nil
	}
	parts := sessionAgentRE.FindStringSubmatch(raw)
	if parts == nil {
		return fmt.Errorf("it is not <version>@sha256:<digest of its Debian package for amd64>")
	}
	c.Sessions = &boot.Sessions{Version: parts[1], SHA256: parts[2]}
	return nil
}
