package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	rebuildRE      = regexp.MustCompile(`^[A-Za-z0-9._:-]{0,64}$`)
	imageRE        = regexp.MustCompile(`^[a-z0-9]+([._/:-][a-z0-9]+)*(@sha256:[0-9a-f]{64})?$`)
	machineImageRE = regexp.MustCompile(`^(twip-)?debian-13-amd64-[0-9]{8}-[0-9]+(-[0-9]{12})?$`)
	hostedZoneRE   = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	zoneRE         = regexp.MustCompile(`^[a-h]$`)
	regionRE       = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	stackRE        = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)
	domainRE       = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
)

// check says why a value cannot be used, or nil.
type check func(value string) error

// text, integer, boolean and list each make the read function of a key from the field that it fills and its checks.

func text(field func(*Config) *string, checks ...check) func(string, *Config) error {
	return func(raw string, c *Config) error {
		*field(c) = raw
		return all(checks, raw)
	}
}

func integer(field func(*Config) *int, checks ...func(int) error) func(string, *Config) error {
	return func(raw string, c *Config) error {
		n, err := strconv.Atoi(raw)
		if err != nil {
			return errors.New("it is not a whole number")
		}
		*field(c) = n
		for _, ok := range checks {
			if err := ok(n); err != nil {
				return err
			}
		}
		return nil
	}
}

func boolean(field func(*Config) *bool) func(string, *Config) error {
	return func(raw string, c *Config) error {
		if raw != "true" && raw != "false" {
			return errors.New("it is neither true nor false")
		}
		*field(c) = raw == "true"
		return nil
	}
}

func list(field func(*Config) *[]string, checks ...func([]string) error) func(string, *Config) error {
	return func(raw string, c *Config) error {
		var items []string
		if err := json.Unmarshal([]byte(raw), &items); err != nil {
			return errors.New("it is not a list of texts")
		}
		*field(c) = items
		var problems []error
		for _, ok := range checks {
			problems = append(problems, ok(items))
		}
		return errors.Join(problems...)
	}
}

// reservedTags are set by the program itself.
var reservedTags = []string{"Project", "Stack", "ManagedBy", "Name"}

// tags checks by AWS's rules: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
func tags(raw string, c *Config) error {
	if err := json.Unmarshal([]byte(raw), &c.Tags); err != nil {
		return errors.New("it is not a map from texts to texts")
	}
	var problems []error
	if len(c.Tags) > 40 {
		problems = append(problems, errors.New("AWS takes 50 tags on a resource, of which 10 are left to the program"))
	}
	for _, key := range sortedKeys(c.Tags) {
		switch value := c.Tags[key]; {
		case slices.Contains(reservedTags, key):
			problems = append(problems, fmt.Errorf("%s is set by the program", key))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			problems = append(problems, fmt.Errorf("%s: names beginning with aws: belong to AWS", key))
		case !tagRE.MatchString(key) || len(key) > 128:
			problems = append(problems,
				fmt.Errorf("%q: a tag's name has 1 to 128 letters, digits, spaces and _.:/=+-@", key))
		case value != "" && !tagRE.MatchString(value) || len(value) > 256:
			problems = append(problems,
				fmt.Errorf("%s: a tag's value has at most 256 letters, digits, spaces and _.:/=+-@", key))
		}
	}
	return errors.Join(problems...)
}

var tagRE = regexp.MustCompile(`^[\p{L}\p{N} _.:/=+@-]+$`)

func all(checks []check, value string) error {
	for _, ok := range checks {
		if err := ok(value); err != nil {
			return err
		}
	}
	return nil
}

func filled(value string) error {
	if strings.TrimSpace(value) == "" {
		return errors.New("it is empty")
	}
	return nil
}

func optional(ok check) check {
	return func(value string) error {
		if value == "" {
			return nil
		}
		return ok(value)
	}
}

func matches(pattern *regexp.Regexp, reason string) check {
	return func(value string) error {
		if !pattern.MatchString(value) {
			return errors.New(reason)
		}
		return nil
	}
}

func oneOf(values ...string) check {
	return func(value string) error {
		if !slices.Contains(values, value) {
			return fmt.Errorf("it is none of %s", strings.Join(values, ", "))
		}
		return nil
	}
}

func ipv4Range(value string) error {
	prefix, err := netip.ParsePrefix(value)
	switch {
	case err != nil || !prefix.Addr().Is4():
		return fmt.Errorf("%q is not an IPv4 range", value)
	case prefix != prefix.Masked():
		return fmt.Errorf("%q has host bits: the range is %s", value, prefix.Masked())
	}
	return nil
}

func prefixBits(least, most int) check {
	return func(value string) error {
		if prefix, err := netip.ParsePrefix(value); err == nil && (prefix.Bits() < least || prefix.Bits() > most) {
			return fmt.Errorf("a VPC for several zones is a /%d to /%d", least, most)
		}
		return nil
	}
}

func between(least, most int) func(int) error {
	return func(n int) error {
		if n < least || n > most {
			return fmt.Errorf("it is not from %d to %d", least, most)
		}
		return nil
	}
}

func oneNumberOf(values []int) func(int) error {
	return func(n int) error {
		if !slices.Contains(values, n) {
			return fmt.Errorf("it is none of %s", strings.Trim(fmt.Sprint(values), "[]"))
		}
		return nil
	}
}

func atLeast(n int) func([]string) error {
	return func(items []string) error {
		if len(items) < n {
			return fmt.Errorf("it has fewer than %d items", n)
		}
		return nil
	}
}

// each checks every item, and that none is there twice.
func each(ok check) func([]string) error {
	return func(items []string) error {
		var problems []error
		seen := map[string]bool{}
		for _, item := range items {
			if err := ok(item); err != nil {
				problems = append(problems, err)
			}
			if seen[item] {
				problems = append(problems, fmt.Errorf("%q is there twice", item))
			}
			seen[item] = true
		}
		return errors.Join(problems...)
	}
}
