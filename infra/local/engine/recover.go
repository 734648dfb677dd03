package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long an orphaned engine may take to end: its providers and its program died with the process that ran
// them.
const patience = 30 * time.Second

// mendAttributes removes attributes that a killed run had begun to write. The backend keeps a file of them beside each
// of its own and writes it in place (setAttrs of gocloud.dev/blob/fileblob): one that is cut off makes the state
// unreadable, and one that is missing does not. Nobody needs what is in them.
func (w *workspace) mendAttributes() error {
	return filepath.WalkDir(w.backend(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".attrs" {
			var text []byte
			if text, err = os.ReadFile(path); err == nil && !json.Valid(text) {
				err = os.Remove(path)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // there is no state yet, or an engine that still works has replaced the file
		}
		return err
	})
}

// breakLock removes the lock that a killed run left in the backend. Whoever holds the workspace's lock is the only one
// who may work on the state, except an engine that outlived the process that started it: that one is waited for.
func (w *workspace) breakLock(ctx context.Context) error {
	var locks []string
	err := filepath.WalkDir(filepath.Join(w.backend(), ".pulumi", "locks"),
		func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == ".json" {
				locks = append(locks, path)
			}
			return err
		})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	deadline, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, path := range locks {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var owner struct {
			Pid int `json:"pid"`
		}
		if err := json.Unmarshal(b, &owner); err != nil {
			return fmt.Errorf("%s: %w: remove the file if no engine is running", path, err)
		}
		if err := awaitEnd(deadline, owner.Pid); err != nil {
			return fmt.Errorf("stack %s is locked by process %d: %w: stop that process", w.stack, owner.Pid, err)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// awaitEnd returns when the engine with a process id has ended. A process of another program that got the same id is
// not waited for.
func awaitEnd(ctx context.Context, pid int) error {
	for isEngine(pid) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

func isEngine(pid int) bool {
	if pid <= 0 || pid == os.Getpid() || syscall.Kill(pid, 0) != nil {
		return false
	}
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && filepath.Base(program) == "pulumi"
}
