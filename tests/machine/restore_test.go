package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/ops"
)

// operator is what the verbs about restore points are given.
func (e *environment) operator() (ops.Environment, ops.Host) {
	e.t.Helper()
	e.outputs = nil
	env := ops.Environment{Stack: "train", URL: e.output("url")}
	host, err := e.Store(e.t.Context())
	require.NoError(e.t, err)
	return env, host
}

// drill runs a restore drill and returns what it printed. Nothing of it may be left, however it ended.
func (e *environment) drill() (string, error) {
	e.t.Helper()
	env, host := e.operator()
	var out bytes.Buffer
	err := ops.RestoreDrill(e.t.Context(), env, host, io.MultiWriter(&out, e.t.Output()))
	require.NotContains(e.t, e.on("docker", "ps", "--all", "--format", "{{.Names}}"), "drill")
	require.Empty(e.t, e.on("sh", "-c", "ls -d /var/lib/twip/*drill* 2>/dev/null || true"))
	return out.String(), err
}

// settle stops the writer in an orderly way, so that Prevayler writes its snapshot and all dates are in it.
func (e *environment) settle() {
	e.t.Helper()
	e.on("systemctl", "restart", "twip-"+e.writer())
	e.awaitSite()
}

func passesRestoreDrill(e *environment) {
	e.post("before the drill")
	e.settle()
	said, err := e.drill()
	require.NoError(e.t, err)
	require.Contains(e.t, said, "PASSED")
	require.Contains(e.t, said, "0 not as on the site")
	require.Contains(e.t, e.articles(), "before the drill", "the site went on")

	// A store whose newest data cannot be read must not pass: what the drill proves is that it can be read.
	e.t.Run("or fails with data that cannot be restored", func(t *testing.T) {
		broken := &environment{Cloud: e.Cloud, t: t, log: e.log}
		env, host := broken.operator()
		// The keeper refuses such a store and goes on asking for a better one; ten times a good start is enough to see that.
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		defer cancel()
		err := ops.RestoreDrill(ctx, env, spoiled{host}, t.Output())
		require.ErrorContains(t, err, "FAILED")
		require.ErrorContains(t, err, "refused", "the keeper's own words")
		require.Empty(t, broken.on("docker", "ps", "--all", "--quiet", "--filter", "name=drill"), "nothing of it is left")
	})
}

// spoiled is a host on which the data of every epoch is lost from whatever is copied.
type spoiled struct{ ops.Host }

func (s spoiled) Exec(ctx context.Context, argv ...string) ([]byte, error) {
	out, err := s.Host.Exec(ctx, argv...)
	if err == nil && argv[0] == "sh" {
		_, err = s.Host.Exec(ctx, "find", "/var/lib/twip/restore-drill/store/keeper/epochs", "-type", "f",
			"-exec", "truncate", "--size", "0", "{}", ";")
	}
	return out, err
}

// newestPoint is the largest number that begins a line of the list of restore points.
func (e *environment) newestPoint() (newest uint64) {
	e.t.Helper()
	_, host := e.operator()
	var list bytes.Buffer
	require.NoError(e.t, ops.RestorePoints(e.t.Context(), host, &list))
	for _, m := range regexp.MustCompile(`(?m)^\s*([0-9]+)\b`).FindAllStringSubmatch(list.String(), -1) {
		number, err := strconv.ParseUint(m[1], 10, 64)
		require.NoError(e.t, err)
		newest = max(newest, number)
	}
	require.NotZero(e.t, newest, "no restore point in:\n%s", list.String())
	return newest
}

func goesBack(e *environment) {
	env, host := e.operator()
	e.post("before the point")
	e.settle() // another epoch begins whenever a server takes over
	point := e.newestPoint()
	e.settle()
	e.post("after the point")
	article := e.article("before the point")

	var said bytes.Buffer
	require.NoError(e.t, ops.Restore(e.t.Context(), env, host, point, &said))
	e.t.Logf("restore of point %d: %s", point, said.String())
	e.eventually(time.Minute, func() error {
		if a, err := e.try(e.output("url") + "/Read.action"); err != nil || a.status != http.StatusOK {
			return fmt.Errorf("the list of articles: %d: %w", a.status, err)
		} else if strings.Contains(a.body, "after the point") {
			return errors.New("the site still shows what was posted after the point")
		}
		return nil
	})
	require.Equal(e.t, article, e.article("before the point"), "the restored article has its date")
	require.Greater(e.t, e.newestPoint(), point, "what was restored is a point of its own")

	err := ops.Restore(e.t.Context(), env, host, 999999, io.Discard)
	require.ErrorContains(e.t, err, "restore-points", "a point that is not there")
	require.Contains(e.t, e.articles(), "before the point")
}
