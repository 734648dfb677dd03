package stacks

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Load reads the whole configuration, or says everything that is wrong with it.
func Load(ctx *pulumi.Context) (*Config, error) {
	values, err := values(ctx)
	if err != nil {
		return nil, err
	}
	c, err := load(ctx.Project(), ctx.Stack(), values)
	if err := errors.Join(err, encrypted(ctx, values)); err != nil {
		return nil, err
	}
	return c, nil
}

// Read makes a Config of values that were read elsewhere, by full key as the engine hands them over, without secrets:
// not everybody can read one, so any right value stands in for it.
func Read(stack string, values map[string]string) (*Config, error) {
	values = maps.Clone(values)
	for _, key := range Keys {
		if key.Secret {
			values[project+":"+key.Name] = key.Example
		}
	}
	return load(project, stack, values)
}

// encrypted refuses secrets that the stack's file has in clear.
func encrypted(ctx *pulumi.Context, values map[string]string) error {
	var problems []error
	for _, key := range Keys {
		full := ctx.Project() + ":" + key.Name
		if key.Secret && values[full] != "" && !ctx.IsConfigSecret(full) {
			problems = append(problems,
				fmt.Errorf("%s is a secret and is not encrypted: remove it from Pulumi.%s.yaml, "+
					"then pulumi config set -s %s --secret %s", full, ctx.Stack(), ctx.Stack(), full))
		}
	}
	return errors.Join(problems...)
}

func load(project, stack string, values map[string]string) (*Config, error) {
	c := &Config{Project: project, Stack: stack, Region: values["aws:region"]}
	var problems []error
	if !stackRE.MatchString(stack) {
		problems = append(problems, fmt.Errorf(
			"stack %q: names of machines and roles begin with it: use 1 to 30 lower-case letters, digits and "+
				"dashes, such as train",
			stack))
	}
	if !regionRE.MatchString(c.Region) {
		problems = append(problems, fmt.Errorf(
			"aws:region = %q: it is not the name of a region; a right value is, for example, aws:region: eu-central-1",
			c.Region))
	}
	for _, key := range Keys {
		// The default comes first, so that a map may name only what it changes.
		if err := key.read(key.defaultText(), c); err != nil {
			problems = append(problems, key.problem(key.defaultText(), err))
		}
		if raw, ok := values[project+":"+key.Name]; ok {
			if err := key.read(raw, c); err != nil {
				problems = append(problems, key.problem(raw, err))
			}
		}
	}
	problems = append(problems, unknownKeys(project, values)...)
	if len(problems) == 0 {
		// Values that are wrong by themselves would only be complained about twice.
		problems = together(c)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("the configuration of stack %q cannot be used; nothing has been changed:\n%w", stack,
			err)
	}
	return c, nil
}

// defaultText is the default in the form in which Pulumi hands over values: texts as they are, all else as JSON.
func (k Key) defaultText() string {
	switch value := k.Default.(type) {
	case string:
		return value
	case int:
		return strconv.Itoa(value)
	case bool:
		return strconv.FormatBool(value)
	default:
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // the table holds nothing that JSON cannot say
		}
		return string(text)
	}
}

// unknownKeys finds keys in the project's namespace that would otherwise be ignored without a word.
func unknownKeys(project string, values map[string]string) (problems []error) {
	names := make([]string, len(Keys))
	for i, key := range Keys {
		names[i] = key.Name
	}
	for _, full := range sortedKeys(values) {
		name, ours := strings.CutPrefix(full, project+":")
		if ours && !slices.Contains(names, name) {
			near := Keys[slices.Index(names, nearest(name, names))]
			// What was meant for a secret is one, whatever it was called.
			problems = append(problems, fmt.Errorf(
				"%s = %s: there is no such key; the nearest is %s:%s (%s), for example %s:%s: %s", full,
				near.shown(values[full]), project, near.Name, strings.TrimSuffix(near.Description, "."), project,
				near.Name, near.Example))
		}
	}
	return problems
}

// together finds values that are right by themselves but not with each other.
func together(c *Config) (problems []error) {
	if (c.Domain == "") != (c.HostedZone == "") {
		problems = append(problems,
			fmt.Errorf("twip:domain = %q and twip:hostedZone = %q: one is of no use without the other; set both, "+
				"for example twip:domain: news.example.com and twip:hostedZone: Z0123456789ABCDEFGHIJ, or neither",
				c.Domain, c.HostedZone))
	}
	if err := c.Release.whole(c.Topology); err != nil {
		problems = append(problems, err)
	}
	if c.Topology == MultiZone {
		return append(problems, multiZoneTogether(c)...)
	}
	if c.Sessions != nil {
		problems = append(problems, fmt.Errorf(
			"twip:sessionAgent = %q: only machines in groups have it; the one host is replaced rather than looked "+
				"into, and its console shows what it logs; remove it",
			c.Sessions.Version))
	}
	if rules := len(c.SiteCIDRs) + len(c.StatsCIDRs); rules > maxRules {
		problems = append(problems, fmt.Errorf("twip:siteCidrs and twip:statsCidrs have %d ranges: a security "+
			"group takes %d "+
			"rules; join ranges, or ask for everyone with 0.0.0.0/0", rules, maxRules))
	}
	if err := c.MemoryMiB.fits(c.InstanceType, c.AppContainers); err != nil {
		problems = append(problems, err)
	}
	return problems
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
