package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"twip/infra/site"
)

// Host runs programs on the machine that has an environment's data.
type Host interface {
	Exec(ctx context.Context, argv ...string) ([]byte, error)
}

const (
	storeMount = "/store" // the store, seen from an app container
	docker     = "docker"

	// restoreTimeout is how long a restored site may take to answer: a keeper has to notice, copy the data and start
	// Jetty.
	restoreTimeout = 3 * time.Minute
)

// appName is what the app containers of a machine are called.
var appName = regexp.MustCompile(`^app-[0-9]+$`)

// appContainer finds an app container that runs on the host: any of them can read the store.
func appContainer(ctx context.Context, host Host) (string, error) {
	names, err := host.Exec(ctx, docker, "ps", "--format", "{{.Names}}")
	if err != nil {
		return "", fmt.Errorf("app container: %w", err)
	}
	for _, name := range strings.Fields(string(names)) {
		if appName.MatchString(name) {
			return name, nil
		}
	}
	return "", errors.New("no app container runs on the machine: see make status, and bring it up with make up")
}

// runKeeper runs a command of the keeper beside the data, passes on what it says, and returns it.
func runKeeper(ctx context.Context, host Host, out io.Writer, args ...string) (string, error) {
	app, err := appContainer(ctx, host)
	if err != nil {
		return "", err
	}
	text, err := host.Exec(ctx, append([]string{docker, "exec", app, "keeper"}, args...)...)
	if _, printErr := out.Write(text); printErr != nil {
		return "", printErr
	}
	return string(text), err
}

// restored is the epoch that a restore has made, in its own words.
var restored = regexp.MustCompile(`(?m)^epoch (\d+) holds `)

// awaitsRestored returns nil once a server leads what a restore has made: one that stands by answers for the leader of
// before until then. Keepers of older images cannot be asked.
func awaitsRestored(ctx context.Context, host Host, said string) error {
	epoch := restored.FindStringSubmatch(said)
	if epoch == nil {
		return fmt.Errorf("the keeper did not say which epoch it has made: %q", said)
	}
	_, err := runKeeper(ctx, host, io.Discard, "health", "--after", epoch[1])
	if err != nil && strings.Contains(err.Error(), "flag provided but not defined") {
		return nil
	}
	return err
}

// RestorePoints prints what the keeper knows of the states that can be gone back to.
func RestorePoints(ctx context.Context, host Host, out io.Writer) error {
	_, err := runKeeper(ctx, host, out, "epochs", "--store", storeMount)
	return err
}

// Restore makes the data of an earlier epoch the site's, and returns when the site answers with it. The writer need not
// be stopped before: it finds the newer epoch and gives way. The state before stays as a restore point.
func Restore(ctx context.Context, env Environment, host Host, point uint64, out io.Writer) error {
	said, err := runKeeper(ctx, host, out, "restore", "--store", storeMount, strconv.FormatUint(point, 10))
	if err != nil {
		return fmt.Errorf("restore of point %d: %w\nlist the points with: make restore-points STACK=%s",
			point, err, env.Stack)
	}
	fmt.Fprintf(out, "waiting for %s\n", env.URL)
	ctx, cancel := context.WithTimeout(ctx, restoreTimeout)
	defer cancel()
	for {
		answer, ok := "", false
		if err := awaitsRestored(ctx, host, said); err != nil {
			answer = err.Error()
		} else {
			answer, ok = probe(ctx, strings.TrimSuffix(env.URL, "/")+site.ReadPath)
		}
		if ok {
			fmt.Fprintf(out, "%s: %s\n", env.URL, answer)
			return nil
		} else if ctx.Err() != nil {
			return fmt.Errorf("restore of point %d: no answer from the site after %s: %s\nlook at it with: "+
				"make status STACK=%s", point, restoreTimeout, answer, env.Stack)
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}
