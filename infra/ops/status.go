package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// fewCredits are ten minutes of a whole vCPU. Without any, a t2 falls to its baseline (a t2.micro to 10 % of its vCPU),
// and newer types go on for money:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
const fewCredits = 10

// Status prints the environment's machines, their containers, its release and store, and whether the site answers. The
// error joins what is not well, so that a pipeline can ask too.
func Status(ctx context.Context, env Environment, out io.Writer) error {
	machines, err := env.Machines.Status(ctx)
	if err != nil {
		return fmt.Errorf("stack %q: machines: %w", env.Stack, err)
	}
	var problems []error
	journals := map[string]bool{} // that say why
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range machines {
		if m.Journal != "" {
			journals[m.Journal] = true
		}
		if m.Zone != "" {
			fmt.Fprintf(table, "%s\t%s\t%s\tversion %d\t%s, %s\t%s\t%s\n", m.Zone, m.Tier, m.ID, m.Version, m.State,
				m.Lifecycle, m.Health, m.Role)
			if m.Lifecycle != "InService" || m.Health != "healthy" {
				problems = append(problems, fmt.Errorf("machine %s of %s in %s: %s, %s, %s: its group replaces it if it "+
					"does not come up", m.ID, m.Tier, m.Zone, m.State, m.Lifecycle, m.Health))
			}
			continue
		}
		fmt.Fprintf(table, "machine %s\t%s\t%s\n", m.ID, m.State, m.Memory)
		if c := m.Credits; c != nil {
			fmt.Fprintf(table, "  CPU credits\t%.0f left\ta minute of a whole vCPU each\n", *c)
			if *c < fewCredits {
				problems = append(problems, fmt.Errorf("machine %s has %.0f CPU credits left and is slow without any: wait "+
					"until it has earned some, or give it a type that needs none with twip:instanceType", m.ID, *c))
			}
		}
		if m.State != "running" {
			problems = append(problems, fmt.Errorf("machine %s is %s: replace it with pulumi up --refresh "+
				"(make local on this computer)", m.ID, m.State))
		}
		for _, c := range m.Containers {
			fmt.Fprintf(table, "  %s\t%s\t%s\n", c.Name, c.Status, short(c.Image))
			if !strings.HasPrefix(c.Status, "Up") || strings.Contains(c.Status, "unhealthy") {
				problems = append(problems, fmt.Errorf("container %s on %s: %s: its log says why; "+
					"the machine starts it again by itself", c.Name, m.ID, c.Status))
			}
		}
	}
	for _, tier := range slices.Sorted(maps.Keys(env.Images)) {
		fmt.Fprintf(table, "release of %s\t%s\n", tier, short(env.Images[tier]))
	}
	if env.Store != "" {
		fmt.Fprintf(table, "store\t%s\n", env.Store)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, url := range []string{env.URL, env.StatsURL} {
		if url == "" {
			continue
		}
		answer, ok := probe(ctx, url)
		fmt.Fprintf(out, "%s  %s\n", url, answer)
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %s", url, answer))
		}
	}
	if len(problems) > 0 && len(journals) > 0 {
		problems = append(problems, fmt.Errorf("what the machines logged, from the first line of their boot on:\n  %s",
			strings.Join(slices.Sorted(maps.Keys(journals)), "\n  ")))
	}
	return errors.Join(problems...)
}

func probe(ctx context.Context, url string) (answer string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error(), false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error(), false
	}
	res.Body.Close()
	took := time.Since(start).Round(time.Millisecond)
	return fmt.Sprintf("%s after %s", res.Status, took), res.StatusCode == http.StatusOK
}

// Images prints which image every tier runs.
func Images(env Environment, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, tier := range slices.Sorted(maps.Keys(env.Images)) {
		fmt.Fprintf(table, "%s\t%s\n", tier, env.Images[tier])
	}
	return table.Flush()
}

// short keeps the part of an image's name that tells images apart.
func short(image string) string {
	name, digest, _ := strings.Cut(image, "@sha256:")
	return name[strings.LastIndex(name, "/")+1:] + "@" + digest[:min(12, len(digest))]
}
