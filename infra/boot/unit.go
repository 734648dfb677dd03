package boot

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	target    = "twip.target"
	storeUnit = "twip-store.service"
	netUnit   = "twip-network.service"
	scriptDir = "/usr/local/sbin/"
	before    = scriptDir + "twip-before"
)

// unit is one systemd unit file.
type unit struct{ name, text string }

func unitNames(units []unit) []string {
	var names []string
	for _, u := range units {
		names = append(names, u.name)
	}
	return names
}

// units lists everything systemd runs, in the order it is started; systemd stops it in reverse.
func (m Machine) units() []unit {
	units := []unit{{target, `[Unit]
Description=Everything this machine is for

[Install]
WantedBy=multi-user.target
`}}
	after := []string{"docker.service", netUnit}
	if m.Store != nil {
		if m.Store.EFS != nil {
			units = append(units, tunnelUnit)
		}
		units = append(units, m.Store.unit())
		after = append(after, storeUnit)
	}
	units = append(units, networkUnit)
	for _, c := range m.Containers {
		units = append(units, c.unit(m.Region, after))
		after = append(after, c.unitName())
	}
	if m.GivesUp {
		units = append(units, m.giveUp(), giveUpTimer)
	}
	if m.Launch != nil {
		units = append(units, m.Launch.unit(m.Region))
	}
	if m.Sessions != nil {
		units = append(units, m.Sessions.unit(m.Region))
	}
	return append(units, m.journalUnit(), watchdogUnit, watchdogTimer)
}

const journalName = "twip-journal.service"

// Metrics of machines, as twip-journal writes them, every minute; the one dimension is the log group's name.
const (
	MetricsNamespace = "TWIP/Machines"
	JournalDimension = "LogGroup"
	MemoryMetric     = "MemoryUsedPercent"
	DiskMetric       = "DiskUsedPercent" // the fullest disk's
)

// journalUnit is stopped before the network is, so that the last words of a machine that powers itself off are sent.
func (m Machine) journalUnit() unit {
	disks := []string{"/"}
	if m.Store != nil && m.Store.Volume != nil {
		disks = append(disks, VolumeDir) // a file system of EFS has no end
	}
	return unit{journalName, fmt.Sprintf(`[Unit]
Description=Send the journal to CloudWatch Logs
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=%s
RuntimeDirectory=twip-journal
MemoryMax=64M
TimeoutStopSec=15
Restart=always
RestartSec=30

[Install]
WantedBy=twip.target
`, command(append([]string{scriptDir + "twip-journal", m.Region, m.Journal}, disks...)...))}
}

// RestartMode=direct, here and in the store's unit, lets what requires the unit wait while it is tried again; by
// default the first failure would fail the containers for good (systemd.service(5)).
var networkUnit = unit{netUnit, `[Unit]
Description=The Docker network on which containers find each other by name
Requires=docker.service
After=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "docker network inspect twip >/dev/null 2>&1 || docker network create twip"
Restart=on-failure
RestartMode=direct
RestartSec=2

[Install]
WantedBy=twip.target
`}

var watchdogUnit = unit{"twip-watchdog.service", `[Unit]
Description=Restart containers whose health check keeps failing

[Service]
Type=oneshot
ExecStart=` + scriptDir + `twip-watchdog
`}

var watchdogTimer = unit{"twip-watchdog.timer", `[Unit]
Description=Look after containers every 30 seconds

[Timer]
OnActiveSec=30
OnUnitInactiveSec=30

[Install]
WantedBy=twip.target
`}

func (m Machine) giveUp() unit {
	argv := []string{scriptDir + "twip-give-up"}
	for _, c := range m.Containers {
		argv = append(argv, c.Name)
	}
	return unit{"twip-give-up.service", fmt.Sprintf(`[Unit]
Description=Make way for another machine when this one stays unhealthy

[Service]
Type=oneshot
ExecStart=%s
`, command(argv...))}
}

var giveUpTimer = unit{"twip-give-up.timer", `[Unit]
Description=Ask every minute whether this machine is of use

[Timer]
OnActiveSec=60
OnUnitInactiveSec=60

[Install]
WantedBy=twip.target
`}

func (l Launch) unit(region string) unit {
	return unit{"twip-launched.service", fmt.Sprintf(`[Unit]
Description=Tell the group when this machine can serve
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=%s
Restart=on-failure
RestartSec=10

[Install]
WantedBy=twip.target
`, command(scriptDir+"twip-launched", region, l.Hook, l.URL))}
}

func (s Sessions) unit(region string) unit {
	return unit{"twip-sessions.service", fmt.Sprintf(`[Unit]
Description=The agent that opens sessions for people
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%s
Restart=on-failure
RestartMode=direct
RestartSec=30

[Install]
WantedBy=twip.target
`, command(scriptDir+"twip-sessions", region, s.Version, s.SHA256))}
}

func (s Store) unit() unit {
	program, needs := []string{scriptDir + "twip-volume"}, "network-online.target"
	if s.EFS != nil {
		program, needs = []string{scriptDir + "twip-efs"}, TunnelUnit
	}
	start, stop := append(program, "mount", VolumeDir, strconv.Itoa(StoreUID)), append(program, "unmount", VolumeDir)
	if s.Volume != nil {
		start = append(start, s.Volume.Device, s.Volume.ID, s.Volume.Label)
	}
	return unit{storeUnit, fmt.Sprintf(`[Unit]
Description=The store that outlives this machine
Wants=%s
After=%[1]s
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%[2]s
ExecStop=%[3]s
TimeoutStartSec=15min
Restart=on-failure
RestartMode=direct
RestartSec=5

[Install]
WantedBy=twip.target
`, needs, command(start...), command(stop...))}
}

func (c Container) unitName() string { return "twip-" + c.Name + ".service" }

// unit runs the container in the foreground of systemd. Requires names only what the container cannot work
// without; After also names the containers before it, so that all are stopped in reverse order.
func (c Container) unit(region string, after []string) unit {
	requires := []string{"docker.service", netUnit}
	if c.StoreMount != "" {
		requires = append(requires, storeUnit)
	}
	return unit{c.unitName(), fmt.Sprintf(`[Unit]
Description=Container %s
Requires=%s
After=%s
StartLimitIntervalSec=0

[Service]
Type=exec
Environment=HOME=/root
%[7]s%[8]s%[9]sExecStartPre=-/usr/bin/docker rm --force --volumes %[1]s
ExecStart=%[4]s
ExecStop=/usr/bin/docker stop --time %[5]d %[1]s
TimeoutStopSec=%[6]d
Restart=always
RestartSec=1

[Install]
WantedBy=twip.target
`, c.Name, strings.Join(requires, " "), strings.Join(after, " "), command(c.run(region)...),
		c.StopSeconds, c.StopSeconds+15, c.address(), c.fetchBefore(), c.makeSockets())}
}

// makeSockets is the part of the unit that makes the directory for sockets. That of all is made as well: a container
// that looks there may start first.
func (c Container) makeSockets() (lines string) {
	owner := strconv.Itoa(StoreUID)
	if c.SocketMount != "" {
		lines += fmt.Sprintf("ExecStartPre=%s\n", command("/usr/bin/install", "-d", "-o", owner, "-g", owner, "-m", "0750",
			c.socketDir()))
	}
	if c.PeersMount != "" {
		lines += fmt.Sprintf("ExecStartPre=%s\n", command("/usr/bin/install", "-d", SocketsDir))
	}
	return lines
}

func (c Container) socketDir() string { return SocketsDir + "/" + c.Name }

// address is the part of the unit that finds out the machine's address. systemd reads the file for each command anew,
// so that docker run, which hands the variable on by name, gets what the command before it wrote: systemd.exec(5),
// EnvironmentFile=.
func (c Container) address() string {
	if c.AddressEnv == "" {
		return ""
	}
	file := "/run/twip-" + c.Name + ".env"
	return fmt.Sprintf("EnvironmentFile=-%s\nExecStartPre=%s\n", file,
		command(scriptDir+"twip-address", c.AddressEnv, file))
}

// fetchBefore is the part of the unit that fetches the files of the release before. Without them the container does its
// work all the same.
func (c Container) fetchBefore() string {
	if c.Before == "" {
		return ""
	}
	repository, _, _ := strings.Cut(c.Image, "@")
	return fmt.Sprintf("ExecStartPre=-%s\n",
		command(before, repository+"@"+c.Before, FilesDir, beforeDirOnHost))
}

// run is the docker command. The security flags are the same for every container, and there is no way to ask
// for less: no root, no capability, no new privilege, nothing writable but tmpfs and the store.
func (c Container) run(region string) []string {
	user := fmt.Sprintf("%d:%d", StoreUID, StoreUID)
	memory := fmt.Sprintf("%dm", c.MemoryMiB)
	args := []string{"/usr/bin/docker", "run", "--name", c.Name, "--hostname", c.Name, "--network", "twip",
		"--user", user, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--memory", memory, "--memory-swap", memory, "--pids-limit", strconv.Itoa(c.PIDs),
		"--stop-timeout", strconv.Itoa(c.StopSeconds),
		// Every check starts a process: 30 s keeps them within 1 % of a t2.micro's baseline of CPU.
		"--health-cmd", strings.Join(c.Health, " "), "--health-interval", "30s", "--health-timeout", "5s",
		"--health-retries", "3", "--health-start-period", "60s",
		// Non-blocking: a container must not stand still because CloudWatch does.
		"--log-driver", "awslogs", "--log-opt", "mode=non-blocking", "--log-opt", "max-buffer-size=4m",
		"--log-opt", "awslogs-region=" + region, "--log-opt", "awslogs-group=" + c.LogGroup,
		"--log-opt", "awslogs-stream=" + hostnameSpecifier + "/" + c.Name}
	for _, port := range c.Ports {
		args = append(args, "--publish", fmt.Sprintf("%d:%d", port.Host, port.Container))
	}
	for _, mount := range c.Tmpfs {
		args = append(args, "--tmpfs", mount)
	}
	if c.StoreMount != "" {
		// --mount, unlike --volume, fails when the source is missing, instead of writing to the root disk.
		args = append(args, "--mount", fmt.Sprintf("type=bind,source=%s,target=%s", StoreDir, c.StoreMount))
	}
	if c.SocketMount != "" {
		args = append(args, "--mount", fmt.Sprintf("type=bind,source=%s,target=%s", c.socketDir(), c.SocketMount))
	}
	if c.PeersMount != "" { // read-only: sockets can be connected to, and neither made nor removed
		args = append(args, "--mount", fmt.Sprintf("type=bind,source=%s,target=%s,readonly", SocketsDir, c.PeersMount))
	}
	if c.Before != "" {
		args = append(args, "--mount", BeforeMount)
	}
	for _, key := range sortedKeys(c.Env) {
		args = append(args, "--env", key+"="+c.Env[key])
	}
	if c.AddressEnv != "" {
		args = append(args, "--env", c.AddressEnv)
	}
	return append(args, c.Image)
}

// hostnameSpecifier stands for systemd's %H (the machine's host name) until command has escaped all other text.
const hostnameSpecifier = "\x00"

// command writes argv as systemd reads it back: specifiers (%), variables ($) and quotes are escaped, so every
// argument arrives as it is. See systemd.service(5), "Command lines".
func command(argv ...string) string {
	words := make([]string, len(argv))
	for i, arg := range argv {
		if !wordRE.MatchString(arg) {
			arg = `"` + systemdEscapes.Replace(arg) + `"`
		}
		words[i] = arg
	}
	return strings.Join(words, " ")
}

var systemdEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`, hostnameSpecifier, `%H`)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
