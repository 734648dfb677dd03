package drill

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"twip/infra/boot"
	"twip/infra/ops"
)

// Single is an environment on one machine, as drills break it.
type Single struct {
	Env ops.Environment
	// Host is the machine, which is another one after it was replaced.
	Host func(ctx context.Context) (ops.Host, error)
	// Reboot stops the machine in an orderly way and boots it, CutPower without a warning.
	Reboot, CutPower func(ctx context.Context) error
	Change           Change

	pause time.Duration // for tests; the default is the constant of this name
}

// pause is how long something stands still, or is broken.
const pause = 10 * time.Second

// Train are the drills of an environment on one machine. Their promises hold with one app container; with two (make
// scale APP=2) the writer's death costs less.
func Train(s Single) []Drill {
	// What only touches the app containers, for so long at the most.
	app := func(away time.Duration) Promise {
		return Promise{Pages: held(away), Posts: interrupted(away), Static: unnoticed}
	}
	all := func(b Bound) Promise { return Promise{Pages: b, Posts: b, Static: b} }
	return []Drill{
		{Name: "app-removed", Fault: "the writer's container is removed", Promise: app(8 * time.Second),
			Do: s.withWriter("docker rm --force $app >/dev/null")},
		{Name: "jvm-killed", Fault: "the writer's JVM is killed", Promise: app(5 * time.Second),
			Do: s.withWriter("kill -KILL $jvm")},
		{Name: "jvm-paused", Fault: "the writer's JVM stands still for " + seconds(pause) + " and goes on",
			Promise: app(pause + 2*time.Second),
			// Its keeper may have ended it meanwhile.
			Do: s.pausing("kill -STOP $jvm", "[ ! -d /proc/$jvm ] || kill -CONT $jvm")},
		{Name: "keeper-killed", Fault: "the writer's keeper is killed", Promise: app(8 * time.Second),
			Do: s.withWriter("kill -KILL $keeper")},
		{Name: "app-paused", Fault: "the writer's container stands still for " + seconds(pause) + " and goes on",
			Promise: app(pause + 5*time.Second),
			Do:      s.pausing("docker pause $app >/dev/null", "docker unpause $app >/dev/null")},
		{Name: "proxy-restarted", Fault: "the proxy is restarted in an orderly way",
			Promise: all(interrupted(6 * time.Second)), Do: s.on("systemctl restart twip-proxy")},
		{Name: "proxy-killed", Fault: "the proxy is killed", Promise: all(interrupted(6 * time.Second)),
			Do: s.on("docker kill proxy >/dev/null")},
		{Name: "static-killed", Fault: "the static server is killed",
			Promise: Promise{Pages: unnoticed, Posts: unnoticed, Static: held(6 * time.Second)},
			Do:      s.on("docker kill static >/dev/null")},
		{Name: "store-unreachable", Fault: "the writer cannot reach its store for " + seconds(pause),
			Promise: app(pause + 8*time.Second),
			// By the machine's programs: the container has none.
			Do: s.pausing("mount --namespace $keeper -t tmpfs -o mode=000 none /store",
				// When the container ended meanwhile, what hid its store is gone with it.
				"[ ! -d /proc/$keeper ] || umount --namespace $keeper /store")},
		{Name: "store-full", Fault: "the store is full for " + seconds(pause), Promise: Promise{
			Pages: interrupted(pause + 10*time.Second), Posts: interrupted(pause + 15*time.Second), Static: unnoticed},
			Do: s.pausing(fillStore, "rm -f "+filler)},
		{Name: "machine-rebooted", Fault: "the machine is rebooted in an orderly way",
			Promise: all(interrupted(40 * time.Second)), Do: quietly(s.Reboot)},
		{Name: "power-cut", Fault: "the machine loses its power and boots",
			Promise: all(interrupted(40 * time.Second)), Do: quietly(s.CutPower)},
		s.restore(all(unnoticed)),
		s.Change.killed(10, Promise{Pages: Bound{Any, Any}, Posts: Bound{Any, Any}, Static: Bound{Any, Any}}),
	}
}

// filler is a file that takes all the room of the store. Blocks are taken and not written, so the volume's own file on
// the computer does not grow. Root may use more of a file system than others, so what df says leaves nothing to them.
const (
	filler    = boot.VolumeDir + "/twip-drill-filler"
	fillStore = "fallocate --length $(df --output=avail --block-size=1 " + boot.VolumeDir + " | tail -1) " + filler
)

// writer says, in variables of a shell on the machine, which app container runs a JVM, and the numbers of both
// processes.
const writer = `for app in $(docker ps --filter name=^app- --format '{{.Names}}'); do
  jvm=$(docker top $app -eo pid,comm | awk '$2 == "java" { print $1; exit }')
  [ -n "$jvm" ] && break
done
[ -n "$jvm" ] || { echo "no app container runs a JVM" >&2; exit 1; }
keeper=$(docker inspect --format '{{.State.Pid}}' $app)
`

func quietly(do func(context.Context) error) func(context.Context, func(string)) error {
	return func(ctx context.Context, _ func(string)) error { return do(ctx) }
}

// on runs a shell script on the machine.
func (s Single) on(script string) func(context.Context, func(string)) error {
	return func(ctx context.Context, _ func(string)) error {
		host, err := s.Host(ctx)
		if err != nil {
			return err
		}
		_, err = host.Exec(ctx, "sh", "-euc", script)
		return err
	}
}

func (s Single) withWriter(script string) func(context.Context, func(string)) error {
	return s.on(writer + script)
}

// pausing breaks something of the writer, and mends it after a while, also when the drill is interrupted.
func (s Single) pausing(breaks, mends string) func(context.Context, func(string)) error {
	return func(ctx context.Context, _ func(string)) error {
		host, err := s.Host(ctx)
		if err != nil {
			return err
		}
		named, err := host.Exec(ctx, "sh", "-euc", writer+breaks+`; echo "app=$app jvm=$jvm keeper=$keeper"`)
		if err != nil {
			return err
		}
		interrupted := wait(cmp.Or(s.pause, pause))(ctx)
		_, err = host.Exec(context.WithoutCancel(ctx), "sh", "-euc", string(named)+mends)
		return errors.Join(interrupted, err)
	}
}

// restore is the restore drill, while people go on posting.
func (s Single) restore(promise Promise) Drill {
	var verdict error
	return Drill{Name: "restore", Fault: "the application is started on a copy of the data, beside the site",
		Promise: promise,
		Do: func(ctx context.Context, say func(string)) error {
			host, err := s.Host(ctx)
			if err == nil {
				verdict = ops.RestoreDrill(ctx, s.Env, host, lines(say))
			}
			return err
		},
		After: func(context.Context) ([]Check, error) {
			same := Check{"the copy has the articles of the site, with their dates", "yes", answer(verdict), verdict == nil}
			return []Check{same}, nil
		},
	}
}

func answer(problem error) string {
	if problem == nil {
		return "yes"
	}
	return problem.Error()
}

// lines passes on what is written, line by line.
type lines func(string)

func (l lines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l(strings.TrimRight(line, "\n"))
	}
	return len(text), nil
}
