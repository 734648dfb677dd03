package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeHost answers commands by their beginning, the longest that fits, and notes them all.
type fakeHost struct {
	answers map[string]string // "!" before an answer makes it an error
	ran     []string
}

func (h *fakeHost) Exec(_ context.Context, argv ...string) ([]byte, error) {
	line := strings.Join(argv, " ")
	h.ran = append(h.ran, line)
	best, answer := -1, ""
	for beginning, a := range h.answers {
		if strings.HasPrefix(line, beginning) && len(beginning) > best {
			best, answer = len(beginning), a
		}
	}
	if reason, failed := strings.CutPrefix(answer, "!"); failed {
		return nil, errors.New(reason)
	}
	return []byte(answer), nil
}

func TestRestorePoints(t *testing.T) {
	for name, tc := range map[string]struct{ containers, want, err string }{
		"any":           {"static\nproxy\napp-2\n", "docker exec app-2 keeper epochs --store /store", ""},
		"the first":     {"app-1\napp-2\n", "docker exec app-1 keeper epochs --store /store", ""},
		"no app":        {"static\napp\nmyapp-1\n", "", "no app container runs on the machine"},
		"docker broken": {"!no docker", "", "no docker"},
	} {
		t.Run(name, func(t *testing.T) {
			host := &fakeHost{answers: map[string]string{"docker ps": tc.containers, "docker exec": "3 points\n"}}
			var out bytes.Buffer
			err := RestorePoints(t.Context(), host, &out)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "3 points\n", out.String(), "the keeper's own words")
			require.Contains(t, host.ran, tc.want)
		})
	}
}

func TestRestore(t *testing.T) {
	site := httptest.NewServer(&companyNews{})
	defer site.Close()
	env := Environment{Stack: "train", URL: site.URL}
	host := &fakeHost{answers: map[string]string{"docker ps": "app-1", "docker exec": "epoch 9 holds epoch 3\n"}}
	var out bytes.Buffer
	require.NoError(t, Restore(t.Context(), env, host, 3, &out))
	require.Contains(t, host.ran, "docker exec app-1 keeper restore --store /store 3")
	require.Contains(t, out.String(), "epoch 9 holds epoch 3\n")
	require.Contains(t, out.String(), "200 OK")

	require.Contains(t, host.ran, "docker exec app-1 keeper health --after 9")

	host.answers["docker exec app-1 keeper health"] = "!flag provided but not defined: -after"
	require.NoError(t, Restore(t.Context(), env, host, 3, &out), "a keeper of before that could not be asked")
	host.answers["docker exec app-1 keeper health"] = "!no server leads an epoch after 9 yet"
	soon, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	require.ErrorContains(t, Restore(soon, env, host, 3, &out), "no server leads an epoch after 9 yet",
		"the site answers, but with what was there before")
	stop()

	host.answers["docker exec"] = "!epoch 3 is no restore point"
	require.ErrorContains(t, Restore(t.Context(), env, host, 3, &out),
		"epoch 3 is no restore point\nlist the points with")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	host.answers["docker exec"] = "epoch 9 holds epoch 3"
	require.ErrorContains(t, Restore(ctx, env, host, 3, &out), "make status STACK=train")
}

const inspected = `[{"Config": {"Image": "twip-app@sha256:1", "User": "10001:10001", "Env": ["A=b", "TWIP_SOCKETS=/sockets"]},
  "HostConfig": {"Memory": 1000, "PidsLimit": 200, "Tmpfs": {"/tmp": "size=64m", "/run": ""}}}]`

func sample(articles ...string) string {
	var page strings.Builder
	for _, title := range articles {
		fmt.Fprintf(&page, "<h2>%s</h2> <time>1</time>", title)
	}
	return page.String()
}

func TestRestoreDrill(t *testing.T) {
	for name, tc := range map[string]struct {
		site, copied string
		answers      map[string]string
		err          string
	}{
		"the same":         {sample("a", "b"), sample("a", "b"), nil, ""},
		"one is missing":   {sample("a", "b"), sample("a"), nil, `missing in the copy: "b"`},
		"nothing came":     {sample("a", "b"), "", nil, "2 on the site before"},
		"foreign":          {"<li>a</li>", "<p>a</p>", nil, ""},
		"foreign, other":   {"<li>a</li>", "<li>b</li>", nil, "does not read the same"},
		"does not start":   {sample("a"), "!refused", map[string]string{"sh -c docker logs": "no space left"}, "no space left"},
		"cannot be copied": {sample("a"), "", map[string]string{"sh -c": "!disk full"}, "copy of the store: disk full"},
		"no app":           {sample("a"), "", map[string]string{"docker ps": "proxy"}, "no app container runs"},
	} {
		t.Run(name, func(t *testing.T) {
			site := httptest.NewServer(&companyNews{read: tc.site})
			defer site.Close()
			host := &fakeHost{answers: map[string]string{
				"docker ps": "app-1", "docker inspect": inspected, "docker inspect --format {{.State.Pid}}": "42\n",
				"docker inspect --format {{.State.Running}}": "false\n", "nsenter --target 42 --net curl": tc.copied,
			}}
			for beginning, answer := range tc.answers {
				host.answers[beginning] = answer
			}
			var out bytes.Buffer
			err := RestoreDrill(t.Context(), Environment{Stack: "train", URL: site.URL}, host, &out)
			require.Equal(t, []string{"docker rm --force " + drillName, "rm -rf " + drillDir},
				host.ran[len(host.ran)-2:], "whatever happened, nothing is left")
			if tc.err == "" {
				require.NoError(t, err)
				require.Contains(t, out.String(), "PASSED")
				require.Contains(t, strings.Join(host.ran, "\n"), "--env TWIP_SOCKETS=/sockets --env TWIP_ADDRESS=127.0.0.1 "+
					"--env TWIP_SOCKETS= twip-app@sha256:1", "it has no directory for sockets")
				return
			}
			require.ErrorContains(t, errors.Join(err, errors.New(out.String())), tc.err)
			require.ErrorContains(t, err, `restore drill of stack "train": FAILED`)
			require.NotContains(t, out.String(), "PASSED")
		})
	}
}

// The application on the copy is as closed as the app container, and reaches nobody.
func TestTheTwinReachesNobody(t *testing.T) {
	site := httptest.NewServer(&companyNews{read: sample("a")})
	defer site.Close()
	host := &fakeHost{answers: map[string]string{
		"docker ps": "app-1", "docker inspect": inspected, "nsenter": sample("a"),
	}}
	require.NoError(t, RestoreDrill(t.Context(), Environment{URL: site.URL}, host, &bytes.Buffer{}))
	var twin string
	for _, line := range host.ran {
		if strings.HasPrefix(line, "docker run") {
			twin = line
		}
	}
	for _, want := range []string{
		"--network none", "--read-only", "--cap-drop ALL", "--user 10001:10001", "--memory 1000 --memory-swap 1000",
		"source=" + drillDir + "/store,target=/store", "--tmpfs /tmp:size=64m", "--env A=b", "--pull never",
	} {
		require.Contains(t, twin, want)
	}
	require.True(t, strings.HasSuffix(twin, " twip-app@sha256:1"))
}

func TestADrillNeedsTheSite(t *testing.T) {
	site := httptest.NewServer(&companyNews{status: map[string]int{"/Read.action": 503}})
	defer site.Close()
	host := &fakeHost{}
	err := RestoreDrill(t.Context(), Environment{Stack: "train", URL: site.URL}, host, &bytes.Buffer{})
	require.ErrorContains(t, err, "the site has to run")
	for _, line := range host.ran {
		require.NotContains(t, line, "docker run")
	}
}
