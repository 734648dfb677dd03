package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Change is a change of an environment that can be interrupted: another number of app servers.
type Change struct {
	Servers func(ctx context.Context) (int, error) // as many as there are
	Up      func(servers int) *exec.Cmd            // brings the environment up with so many
	// Lasting names what no change may replace, and Due counts the resources that the next up would change.
	Lasting func(ctx context.Context) (string, error)
	Due     func(ctx context.Context) (int, error)
}

// killed kills up at random moments of changes to and fro, and then lets one end.
func (c Change) killed(kills int, promise Promise) Drill {
	var lasting string
	return Drill{Name: "up-killed", Fault: fmt.Sprintf("up is killed at %d random moments of a change", kills),
		Promise: promise,
		Do: func(ctx context.Context, say func(string)) (err error) {
			if lasting, err = c.Lasting(ctx); err != nil {
				return err
			}
			before, err := c.Servers(ctx)
			if err != nil {
				return err
			}
			began := time.Now()
			if err := finish(c.Up(before + 1)); err != nil {
				return err
			}
			whole := time.Since(began)
			say(fmt.Sprintf("the change takes %.0f s when nobody interrupts it", whole.Seconds()))
			for i := range kills {
				moment := rand.N(whole)
				ended, err := interrupt(ctx, c.Up(before+i%2), moment)
				if err != nil {
					return err
				}
				say(fmt.Sprintf("kill %d of %d: %s", i+1, kills, map[bool]string{
					true: "it had ended by itself", false: "after " + seconds(moment)}[ended]))
			}
			return finish(c.Up(before))
		},
		After: func(ctx context.Context) ([]Check, error) {
			now, err := c.Lasting(ctx)
			if err != nil {
				return nil, err
			}
			due, err := c.Due(ctx)
			return []Check{
				{"where the data is", lasting, now, now == lasting},
				{"resources that the next up would change", "0", strconv.Itoa(due), due == 0},
			}, err
		},
	}
}

// finish runs a command to its end. Its error has the last that it said.
func finish(up *exec.Cmd) error {
	said, err := up.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(up.Args, " "), err, said[max(0, len(said)-2000):])
	}
	return nil
}

// interrupt kills a command after a while, and says whether it had ended by itself.
func interrupt(ctx context.Context, up *exec.Cmd, after time.Duration) (ended bool, err error) {
	up.Stdout, up.Stderr = io.Discard, io.Discard
	if err := up.Start(); err != nil {
		return false, err
	}
	done := make(chan error, 1)
	go func() { done <- up.Wait() }()
	select {
	case <-done:
		return true, nil // how it ended tells nothing: it may have met what the kill before it left
	case <-ctx.Done():
	case <-time.After(after):
	}
	err = up.Process.Kill()
	<-done
	if errors.Is(err, os.ErrProcessDone) { // at that very moment
		return true, ctx.Err()
	}
	return false, errors.Join(err, ctx.Err())
}
