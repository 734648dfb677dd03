package ops

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"twip/infra/boot"
	"twip/infra/keeper"
	"twip/infra/site"
)

const (
	drillName = "twip-restore-drill" // the container
	drillDir  = "/var/lib/twip/restore-drill"

	// drillTimeout is how long the application may take to start on the copy, on a machine that also serves the site.
	drillTimeout = 3 * time.Minute
	// drillLooks is how often pages of an application other than the sample are compared, since they may show the time.
	drillLooks = 5
)

// drillCopy copies the store of a site that goes on running; see its comments.
//
//go:embed drill-copy
var drillCopy string

// RestoreDrill shows that the data can be restored. It copies the store, starts the application on the copy, beside the
// site and without any network, and compares the articles. It removes what it made, and its error says what is not as
// on the site.
func RestoreDrill(ctx context.Context, env Environment, host Host, out io.Writer) (err error) {
	d := drill{host: host, list: strings.TrimSuffix(env.URL, "/") + site.ReadPath, out: out}
	if err := d.remove(ctx); err != nil { // what a drill that was killed left
		return fmt.Errorf("restore drill of stack %q: %w", env.Stack, err)
	}
	defer func() {
		err = errors.Join(err, d.remove(context.WithoutCancel(ctx)))
		if err != nil {
			err = fmt.Errorf("restore drill of stack %q: FAILED: %w", env.Stack, err)
		}
	}()
	before, err := site.Get(ctx, d.list)
	if err != nil {
		return fmt.Errorf("the site has to run: %w: see make status STACK=%s", err, env.Stack)
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	if err := d.judge(ctx, before); err != nil {
		return err
	}
	fmt.Fprintf(out, "restore drill of stack %s: PASSED\n", env.Stack)
	return nil
}

type drill struct {
	host Host
	list string
	out  io.Writer
}

// container is the part of "docker inspect" of the app container that its twin needs.
type container struct {
	Config struct {
		Image, User string
		Env         []string
	}
	HostConfig struct {
		Memory    int64
		PidsLimit int64
		Tmpfs     map[string]string
	}
}

// start copies the store and starts the application on the copy.
func (d drill) start(ctx context.Context) error {
	app, err := appContainer(ctx, d.host)
	if err != nil {
		return err
	}
	text, err := d.host.Exec(ctx, docker, "inspect", app)
	if err != nil {
		return err
	}
	var found []container
	if err := json.Unmarshal(text, &found); err != nil || len(found) != 1 {
		return fmt.Errorf("docker inspect %s: answer is not what was expected: %w", app, err)
	}
	copied := time.Now()
	text, err = d.host.Exec(ctx, "sh", "-c", drillCopy, "drill-copy", boot.StoreDir, drillDir)
	if err != nil {
		return fmt.Errorf("copy of the store: %w", err)
	}
	fmt.Fprintf(d.out, "copied %s of the store in %.1f s\n", strings.TrimSpace(string(text)),
		time.Since(copied).Seconds())
	started := time.Now()
	if _, err := d.host.Exec(ctx, found[0].twin()...); err != nil {
		return fmt.Errorf("start of the application on the copy: %w", err)
	}
	if err := d.await(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "the application answers on the copy after %.1f s\n", time.Since(started).Seconds())
	return nil
}

// twin is the command that starts the same image as closed as the app container is, and without any network. When the
// machine has not enough memory or processor for both, it is the twin that suffers.
func (c container) twin() []string {
	memory := fmt.Sprint(c.HostConfig.Memory)
	argv := []string{docker, "run", "--detach", "--name", drillName, "--hostname", drillName, "--pull", "never",
		"--network", "none", "--oom-score-adj", "1000", "--cpu-shares", "128",
		"--user", c.Config.User, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--memory", memory, "--memory-swap", memory, "--pids-limit", fmt.Sprint(c.HostConfig.PidsLimit),
		"--mount", "type=bind,source=" + drillDir + "/store,target=" + storeMount}
	for _, dir := range slices.Sorted(maps.Keys(c.HostConfig.Tmpfs)) {
		argv = append(argv, "--tmpfs", strings.TrimSuffix(dir+":"+c.HostConfig.Tmpfs[dir], ":"))
	}
	for _, variable := range c.Config.Env {
		argv = append(argv, "--env", variable)
	}
	// No other keeper reaches this one, and none should; nor a proxy, by sockets.
	return append(argv, "--env", keeper.AddressEnv+"=127.0.0.1", "--env", keeper.SocketsEnv+"=", c.Config.Image)
}

// await waits until the application answers on the copy.
func (d drill) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drillTimeout)
	defer cancel()
	for {
		_, err := d.page(ctx)
		if err == nil {
			return nil
		}
		running, lookErr := d.host.Exec(ctx, docker, "inspect", "--format", "{{.State.Running}}", drillName)
		if ctx.Err() != nil || lookErr == nil && strings.TrimSpace(string(running)) != "true" {
			log, logErr := d.host.Exec(context.WithoutCancel(ctx), "sh", "-c", docker+" logs --tail 30 "+drillName+" 2>&1")
			return errors.Join(fmt.Errorf("the application does not answer on the copy: %w; its log ends with:\n%s",
				err, log), logErr)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// page reads the list of articles from the copy: from the machine, inside the network that only the container has.
func (d drill) page(ctx context.Context) (string, error) {
	pid, err := d.host.Exec(ctx, docker, "inspect", "--format", "{{.State.Pid}}", drillName)
	if err != nil {
		return "", err
	}
	page, err := d.host.Exec(ctx, "nsenter", "--target", strings.TrimSpace(string(pid)), "--net",
		"curl", "--silent", "--show-error", "--fail", "--max-time", "30", "http://127.0.0.1:8080"+site.ReadPath)
	return string(page), err
}

// judge compares the copy with the site, as it was before the copy was taken and as it is now.
func (d drill) judge(ctx context.Context, before string) error {
	var page, after string
	for look := range drillLooks {
		var err error
		if page, err = d.page(ctx); err != nil {
			return err
		}
		if after, err = site.Get(ctx, d.list); err != nil {
			return err
		}
		if was := site.Articles(before); len(was) > 0 {
			return d.compare(compare(was, site.Articles(page), site.Articles(after)))
		}
		if text := site.Text(page); text == site.Text(after) || text == site.Text(before) {
			fmt.Fprintf(d.out, "%s reads the same on the copy and on the site: %d characters (look %d)\n",
				site.ReadPath, len(text), look+1)
			return nil
		}
	}
	return fmt.Errorf("%s does not read the same on the copy and on the site\non the copy: %.300s\non the site: %.300s",
		site.ReadPath, site.Text(page), site.Text(after))
}

func (d drill) compare(c comparison) error {
	fmt.Fprintf(d.out, "articles: %d on the site before, %d in the copy, %d posted since; %d not as on the site\n",
		c.onSite, c.inCopy, c.since, len(c.problems))
	if len(c.problems) == 0 {
		return nil
	}
	const shown = 10
	list := c.problems[:min(shown, len(c.problems))]
	if more := len(c.problems) - len(list); more > 0 {
		list = append(slices.Clone(list), fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("a restore would not bring the site back as it is:\n  %s", strings.Join(list, "\n  "))
}

// remove takes away the container and the copy. That there are none is no error.
func (d drill) remove(ctx context.Context) error {
	if _, err := d.host.Exec(ctx, docker, "rm", "--force", drillName); err != nil {
		return fmt.Errorf("remove container %s: %w", drillName, err)
	}
	if _, err := d.host.Exec(ctx, "rm", "-rf", drillDir); err != nil {
		return fmt.Errorf("remove %s: %w", drillDir, err)
	}
	return nil
}
