package keeper

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test program be a keeper, or the JVM of one, in processes of their own.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv("KEEPER_TEST_ROLE") {
	case "":
		os.Exit(m.Run())
	case "keeper":
		err = beKeeper()
	case "jvm":
		err = beJVM(os.Args[1], os.Args[2])
	case "confined":
		if os.Args[1] == attemptRole {
			fmt.Println(attempts[os.Args[2]]())
			return
		}
		err = Confine(os.Args[2:], os.Args[1] == "outbound", func(err error) { fmt.Fprintln(os.Stderr, err) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beKeeper() error {
	o := DefaultOptions()
	o.Store, o.Link = os.Getenv("STORE"), os.Getenv("LINK")
	o.Listen, o.Admin, o.Backend = os.Getenv("LISTEN"), os.Getenv("ADMIN"), os.Getenv("BACKEND")
	o.Advertise = o.Listen
	o.Release, o.Scratch = os.Getenv("RELEASE"), os.Getenv("SCRATCH")
	if patience := os.Getenv("PATIENCE"); patience != "" {
		var err error
		if o.Timing.ElectionTimeout, err = time.ParseDuration(patience); err != nil {
			return err
		}
	}
	// What a JVM starts, such as a shell for a script, may have its files open.
	o.Command = []string{"sh", "-c", `sleep 60 >/dev/null 2>&1 & echo $! > "$0.helper"; exec env KEEPER_TEST_ROLE=jvm "$@"`, o.Link,
		os.Args[0], o.Backend, o.Link}
	return Serve(o, os.Stdout)
}

// beJVM serves what was posted, keeps it in a journal, and takes a snapshot when it is asked to stop.
func beJVM(listen, dir string) error {
	var mu sync.Mutex
	names, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil {
		return err
	}
	var posts []string
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		posts = append(posts, strings.Fields(string(content))...)
	}
	journal, err := os.Create(filepath.Join(dir, fmt.Sprintf("%019d.journal", len(posts)+1)))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	switch fault := os.Getenv("JVM_FAULT"); {
	case fault == "does not start", fault == "cannot read the posts" && len(posts) > 0:
		return errors.New(fault)
	case fault == "answers 500":
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, fault, http.StatusInternalServerError) })
	}
	mux.HandleFunc("GET /pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
	mux.HandleFunc("GET /Read.action", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprint(w, strings.Join(posts, " "))
	})
	mux.HandleFunc("POST /Post.action", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintln(journal, r.FormValue("title"))
		if err := errors.Join(err, journal.Sync()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		posts = append(posts, r.FormValue("title"))
		w.WriteHeader(http.StatusFound)
	})
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		mu.Lock()
		err := os.WriteFile(filepath.Join(dir, "last.snapshot"), []byte(strings.Join(posts, " ")), 0o600)
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}()
	return http.ListenAndServe(listen, mux)
}

// program is a keeper in a process of its own.
type program struct {
	t       *testing.T
	environ []string
	listen  string
	admin   string
	link    string
	command *exec.Cmd
	output  bytes.Buffer
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func newProgram(t *testing.T, store string) *program {
	t.Helper()
	p := &program{t: t, listen: freeAddress(t), admin: freeAddress(t), link: filepath.Join(t.TempDir(), "run", "persistence")}
	p.environ = append(os.Environ(), "KEEPER_TEST_ROLE=keeper", "STORE="+store, "LINK="+p.link,
		"LISTEN="+p.listen, "ADMIN="+p.admin, "BACKEND="+freeAddress(t))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", p.listen, p.output.String())
		}
	})
	return p
}

func (p *program) start() {
	p.t.Helper()
	p.command = exec.Command(os.Args[0])
	p.command.Env, p.command.Stdout, p.command.Stderr = p.environ, &p.output, &p.output
	require.NoError(p.t, p.command.Start())
	p.t.Cleanup(func() { p.kill() })
}

func (p *program) kill() {
	if p.command.ProcessState == nil {
		_ = p.command.Process.Kill() // it may have ended
		_ = p.command.Wait()         // by that signal
	}
}

func (p *program) get(path string) (int, string) {
	resp, err := http.Get("http://" + p.listen + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}

func (p *program) post(title string) {
	p.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm("http://"+p.listen+"/Post.action", url.Values{"title": {title}})
	require.NoError(p.t, err)
	resp.Body.Close()
	require.Equal(p.t, http.StatusFound, resp.StatusCode)
}

func (p *program) jvm() int {
	p.t.Helper()
	_, body := p.get("/pid")
	pid, err := strconv.Atoi(body)
	require.NoError(p.t, err)
	return pid
}

// helper is a process that the JVM has started.
func (p *program) helper() int {
	p.t.Helper()
	content, err := os.ReadFile(p.link + ".helper")
	require.NoError(p.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	require.NoError(p.t, err)
	return pid
}

func gone(pid int) func() bool {
	return func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
}

func TestServe(t *testing.T) {
	store := t.TempDir()
	a, b := newProgram(t, store), newProgram(t, store)
	healthy := func(p *program) func() bool { return func() bool { return Healthy(p.admin, CanAnswer) == nil } }
	a.start()
	require.Eventually(t, healthy(a), 30*time.Second, 10*time.Millisecond)
	b.start()
	require.Eventually(t, healthy(b), 30*time.Second, 10*time.Millisecond)
	b.post("by-the-standby")

	second := exec.Command(os.Args[0])
	second.Env = append(a.environ, "LISTEN="+freeAddress(t), "ADMIN="+freeAddress(t))
	output, err := second.CombinedOutput()
	require.Error(t, err, "two keepers share a link")
	require.Contains(t, string(output), "another keeper uses --link")

	before := b.jvm()
	a.kill()
	require.Eventually(t, gone(before), 30*time.Second, 10*time.Millisecond, "a JVM outlives its keeper")
	b.post("after-the-keeper-died") // held until b leads

	before = b.jvm()
	helper := b.helper()
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	require.Eventually(t, gone(before), 30*time.Second, 10*time.Millisecond)
	b.post("after-the-JVM-died")
	require.True(t, gone(helper)(), "what the JVM before started may still write")
	code, body := b.get("/Read.action")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "by-the-standby after-the-keeper-died after-the-JVM-died", body)

	require.NoError(t, b.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, b.command.Wait(), "an orderly stop")
	dir, err := os.Readlink(b.link)
	require.NoError(t, err)
	snapshot, err := os.ReadFile(filepath.Join(dir, "last.snapshot"))
	require.NoError(t, err)
	require.Equal(t, body, string(snapshot))
	require.FileExists(t, filepath.Join(filepath.Dir(dir), "released"))

	a.start()
	require.Eventually(t, healthy(a), 30*time.Second, 10*time.Millisecond)
	_, again := a.get("/Read.action")
	require.Equal(t, body, again)
	points, err := RestorePoints(store)
	require.NoError(t, err)
	require.Len(t, points, 4)
}
