package computer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// daemonLog is where a Docker daemon that was started here writes, when no service manager keeps it.
const daemonLog = "/var/log/dockerd.log"

// ensureDocker has a Docker daemon answer. As root on Debian it installs and starts what is missing; elsewhere it says
// what to do.
func (c *Computer) ensureDocker(ctx context.Context) error {
	if err := c.EnsureProgram(ctx, "docker", "docker.io", "docker-cli"); err != nil {
		return err
	}
	problem := daemonAnswers(ctx)
	if problem == nil {
		return nil
	}
	if os.Geteuid() != 0 || os.Getenv("DOCKER_HOST") != "" {
		return fmt.Errorf(
			"docker does not answer: %w\nstart it (systemctl start docker), or let yourself use it (sudo usermod "+
				"-aG docker $USER, then log in again)",
			problem)
	}
	// A computer may have the command, to talk to an engine elsewhere, and no engine.
	if err := c.EnsureProgram(ctx, "dockerd", "docker.io"); err != nil {
		return err
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		if _, err := run(ctx, nil, "systemctl", "start", "docker"); err != nil {
			return fmt.Errorf("start Docker: %w: see journalctl -u docker", err)
		}
	} else if err := c.startDaemon(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for problem = daemonAnswers(ctx); problem != nil; problem = daemonAnswers(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("docker was started but does not answer: %w: see %s or journalctl -u docker", problem,
				daemonLog)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

func daemonAnswers(ctx context.Context) error {
	_, err := docker(ctx, "version", "--format", "{{.Server.Version}}")
	return err
}

// startDaemon starts dockerd in a session of its own, so that it goes on after this command.
func (c *Computer) startDaemon() error {
	log, err := os.OpenFile(daemonLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the daemon has its own copy
	if err := KeepFromChildren(); err != nil {
		return err
	}
	daemon := exec.Command("dockerd")
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	c.options.Progress(fmt.Sprintf(
		"no service manager runs here: started dockerd (process %d, log in %s); it goes on when this command ends",
		daemon.Process.Pid, daemonLog))
	return daemon.Process.Release()
}

// KeepFromChildren closes, for programs started from now on, the files that this process inherited: a lock that
// somebody holds by such a file, as flock(1) does, would be held as long as the daemon lives.
func KeepFromChildren() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if number, err := strconv.Atoi(entry.Name()); err == nil && number > 2 {
			syscall.CloseOnExec(number)
		}
	}
	return nil
}

// EnsureProgram has a program of this computer there, from Debian's packages of these names if need be.
func (c *Computer) EnsureProgram(ctx context.Context, program string, packages ...string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	return c.install(ctx, program, packages...)
}

// install installs those of Debian's packages that exist, because some are split in newer releases, and checks that
// program is there then.
func (c *Computer) install(ctx context.Context, program string, packages ...string) error {
	_, aptMissing := exec.LookPath("apt-get")
	if os.Geteuid() != 0 || aptMissing != nil {
		return fmt.Errorf("%s is not installed: install it (on Debian: sudo apt-get install %s) and try again", program,
			packages[0])
	}
	defer c.step("installing %s with apt-get", packages[0])()
	if _, err := run(ctx, nil, "apt-get", "update"); err != nil {
		return fmt.Errorf("install %s: %w", program, err)
	}
	for _, name := range packages {
		if _, err := run(ctx, nil, "apt-cache", "show", name); err != nil {
			continue
		}
		if _, err := run(ctx, nil, "env", "DEBIAN_FRONTEND=noninteractive",
			"apt-get", "install", "--yes", "--no-install-recommends", name); err != nil {
			return fmt.Errorf("install %s: %w", program, err)
		}
	}
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s is still not there after installing %s: install it by hand", program, packages[0])
	}
	return nil
}
