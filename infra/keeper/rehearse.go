package keeper

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// rehearsePauses are those after failed rehearsals: the first, and the longest.
const (
	rehearsePause    = 5 * time.Second
	rehearsePauseMax = time.Minute
)

// copiesToRehearse bounds how often a rehearsal begins again because the leader took files away meanwhile.
const copiesToRehearse = 5

// Rehearsal is what a release did on a copy of the data.
type Rehearsal struct {
	Epoch   uint64         // whose data it was; 0: what was there before keepers
	Bytes   int64          // copied
	Copied  time.Duration  // for copying
	Started time.Duration  // until the first answer
	Pages   map[string]int // status by path
}

// mayLead returns once this keeper's release may lead, and false when stop is closed before. One that has led may; any
// other has to pass a rehearsal, and tries again for as long as it does not: what kept it may have been the store.
// A keeper without Options.Release may lead at once.
func (k *Keeper) mayLead(stop <-chan struct{}) bool {
	pause := rehearsePause
	for k.release != "" && !k.rehearsed && !closed(stop) {
		tried, err := k.rehearse(stop)
		switch {
		case err == nil:
			k.rehearsed = true
		case !tried:
			k.note("store cannot be read", err)
			k.env.Wait(k.timing.Poll, stop)
		default:
			k.note("rehearsal of release "+k.release+" failed, so it does not lead", err)
			k.env.Wait(pause, stop)
			pause = min(2*pause, rehearsePauseMax)
		}
	}
	return !closed(stop)
}

// rehearse starts the release on a copy of the newest data, unless there is none, or the release has written it. tried
// says that it came to that.
func (k *Keeper) rehearse(stop <-chan struct{}) (tried bool, err error) {
	var r Rehearsal
	for attempt := 1; ; attempt++ {
		src, err := k.latest()
		if err != nil || len(src.files) == 0 || k.hasLed(src.epoch) {
			return tried, err
		}
		tried = true
		k.cannotAnswer(fmt.Sprintf("release %s rehearses on a copy of epoch %d", k.release, src.epoch))
		r, err = k.env.Rehearse(src.parts, stop)
		r.Epoch = src.epoch
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || attempt == copiesToRehearse {
			return tried, fmt.Errorf("on a copy of epoch %d: %w", src.epoch, err)
		}
	}
	k.resolved()
	k.log.Info("rehearsed", "release", k.release, "epoch", r.Epoch, "bytes", r.Bytes, "copy", r.Copied, "start", r.Started,
		"pages", r.Pages)
	return tried, nil
}

// latest is what a new epoch would start from, if it were claimed now.
func (k *Keeper) latest() (source, error) {
	newest, err := k.store.newest(0)
	if err != nil {
		return source{}, err
	}
	return k.store.source(newest+1, nil)
}

// hasLed says that an epoch's JVM was of this keeper's release.
func (k *Keeper) hasLed(epoch uint64) bool {
	if epoch == 0 {
		return false
	}
	claim, err := k.store.readClaim(epoch)
	return err == nil && claim.Release == k.release
}

// Rehearse runs the command on a copy of parts, as it would run if this keeper led: nobody else's requests reach it. No
// JVM of this keeper runs meanwhile, for it has not led yet. The copy is gone afterwards.
func (c *computer) Rehearse(parts []part, stop <-chan struct{}) (r Rehearsal, err error) {
	scratch, err := os.MkdirTemp(c.options.Scratch, "rehearsal-")
	if err != nil {
		return r, fmt.Errorf("scratch directory: %w; give --scratch one that can be written to", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	began := c.Now()
	if r.Bytes, err = copyParts(c.options.Store, scratch, parts); err != nil {
		return r, err
	}
	r.Copied = c.Now() - began
	began = c.Now()
	j, err := c.run(scratch)
	if err != nil {
		return r, fmt.Errorf("start the JVM: %w", err)
	}
	defer c.end(j)
	for !j.Ready() {
		switch {
		case closed(j.Exited()):
			return r, fmt.Errorf("%w before it was ready; its output above says why", errJVMDied)
		case closed(stop):
			return r, errStopped
		case c.Now()-began > c.options.Timing.Start:
			return r, fmt.Errorf("%w, for %s: %s does not answer below 500", errJVMSilent, c.options.Timing.Start,
				c.options.ReadyPath)
		}
		c.Wait(20*time.Millisecond, j.Exited(), stop)
	}
	r.Started = c.Now() - began
	r.Pages, err = c.read(append([]string{"/"}, c.options.ReadPaths...))
	return r, err
}

// end stops a JVM whose data nobody keeps.
func (c *computer) end(j *jvm) {
	j.Stop()
	c.Wait(c.options.Timing.Stop, j.Exited())
	j.Kill()
	<-j.Exited()
}

// read asks the JVM for pages. All of them have to answer below 500.
func (c *computer) read(paths []string) (map[string]int, error) {
	pages, client := map[string]int{}, &http.Client{Timeout: c.options.Timing.Hang, Transport: transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var problems []error
	for _, path := range paths {
		answer, err := client.Get("http://" + c.options.Backend + path)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", path, err))
			continue
		}
		_, err = io.Copy(io.Discard, answer.Body)
		problems = append(problems, err, answer.Body.Close())
		if pages[path] = answer.StatusCode; answer.StatusCode >= http.StatusInternalServerError {
			problems = append(problems, fmt.Errorf("%s: %s", path, answer.Status))
		}
	}
	return pages, errors.Join(problems...)
}

// copyParts copies what a new epoch would be given into a directory that is no store, and answers how many bytes.
func copyParts(store, dir string, parts []part) (int64, error) {
	var need, copied int64
	for _, p := range parts {
		need += p.Bytes
	}
	free, err := dirFS(dir).Free()
	if err != nil {
		return 0, err
	}
	if free < need+spare {
		return 0, fmt.Errorf("scratch directory %s: full: %d bytes are free, and %d are needed; give --scratch a larger one",
			filepath.Dir(dir), free, need+spare)
	}
	for _, p := range parts {
		n, err := copyPart(filepath.Join(store, filepath.FromSlash(p.from)), filepath.Join(dir, filepath.FromSlash(p.Name)))
		copied += n
		if err != nil {
			return copied, err
		}
	}
	return copied, nil
}

func copyPart(from, to string) (n int64, err error) {
	source, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return 0, err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(target, source)
	return n, errors.Join(err, target.Close())
}

// Rehearse runs a command once on a copy of a store's newest data, beside whoever leads, and says in one line what it
// saw. It changes nothing in the store.
func Rehearse(o Options, out io.Writer) error {
	if err := checkMounted(o.Store); err != nil {
		return err
	}
	env, err := newComputer(o)
	if err != nil {
		return err
	}
	if err := env.lock(); err != nil {
		return err
	}
	stop := make(chan struct{})
	go func() {
		_ = env.awaitStop(nil)
		close(stop)
	}()
	k := newKeeper(o.Timing, newID(), "", dirFS(o.Store), env, newLogger(out))
	if k.release = o.Release; k.release == "" {
		k.release = "without a name"
	}
	_, err = k.rehearse(stop)
	return err
}
