package nfs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// fault breaks something of a server, or the store of both, for so long, and mends it.
type fault struct {
	name string
	do   func(s *site, victim *server, long time.Duration) error
}

const inside = "/usr/local/lib/twip/inside"

var faults = []fault{
	{"the application is killed", func(s *site, m *server, _ time.Duration) error {
		return s.try(m, "pkill", "-KILL", "-x", "standin")
	}},
	{"the keeper is killed", func(s *site, m *server, _ time.Duration) error {
		return s.try(m, "systemctl", "kill", "--signal=KILL", "--kill-whom=main", "twip-test-keeper")
	}},
	{"the machine stands still", func(s *site, m *server, long time.Duration) error {
		if err := s.Pause(s.t.Context(), m.id); err != nil {
			return err
		}
		time.Sleep(long)
		return s.Resume(context.WithoutCancel(s.t.Context()), m.id)
	}},
	{"the machine's cable is pulled", func(_ *site, m *server, long time.Duration) error {
		a := netip.MustParseAddr(m.address).As4()
		tap := fmt.Sprintf("t%02x%02x", a[2], a[3])
		return during(long, func(change string) error {
			return errors.Join(
				container(m.id, "iptables", "--table", "raw", change, "PREROUTING", "--in-interface", tap, "--jump", "DROP"),
				container(m.id, "iptables", "--table", "mangle", change, "POSTROUTING", "--out-interface", tap, "--jump", "DROP"))
		}, "--insert", "--delete")
	}},
	{"the store's replies are lost", loses("OUTPUT", "--sport", "--destination")},
	{"the store's server restarts", func(s *site, _ *server, _ time.Duration) error {
		return s.RestartStores(s.t.Context())
	}},
	{"the application stands still", stops("-x", "standin")},
	{"the tunnel is killed", func(s *site, m *server, _ time.Duration) error {
		return s.try(m, "systemctl", "kill", "--signal=KILL", "twip-tunnel")
	}},
	{"requests to the store are lost", loses("INPUT", "--dport", "--source")},
	{"the keeper stands still", stops("-f", "bin/keeper-")},
	{"the store hangs", func(s *site, _ *server, long time.Duration) error {
		if err := s.HangStores(s.t.Context()); err != nil {
			return err
		}
		time.Sleep(long)
		return s.RestoreStores(context.WithoutCancel(s.t.Context()))
	}},
	{"the store is full", func(_ *site, _ *server, long time.Duration) error {
		return during(long, func(how string) error {
			return container(fileSystem, inside, "sh", "-c", how)
		}, `fallocate -l $(($(stat -f -c '%f * %S' /export))) /export/fill; fill="dd if=/dev/zero bs=4k conv=notrunc,fsync"; `+
			`$fill of=/export/fill oflag=append 2>/dev/null; ! $fill of=/export/probe count=1 2>/dev/null`,
			"rm -f /export/fill /export/probe")
	}},
	{"the tunnel hangs", stops("stunnel")},
	{"an orderly stop", func(s *site, m *server, _ time.Duration) error {
		return s.try(m, "systemctl", "restart", "twip-test-keeper")
	}},
	{"the machine is switched off, and on", func(s *site, m *server, _ time.Duration) error {
		if err := s.Kill(s.t.Context(), m.id); err != nil {
			return err
		}
		return s.Start(s.t.Context(), m.id)
	}},
}

// loses drops what goes one way between a machine and the store.
func loses(chain, port, machine string) func(*site, *server, time.Duration) error {
	return func(_ *site, m *server, long time.Duration) error {
		return during(long, func(change string) error {
			return container(m.id, "iptables", change, chain, "--protocol", "tcp", port, "2049", machine, m.address,
				"--jump", "DROP")
		}, "--insert", "--delete")
	}
}

// stops has the processes stand still that pkill finds.
func stops(find ...string) func(*site, *server, time.Duration) error {
	return func(s *site, m *server, long time.Duration) error {
		return during(long, func(signal string) error {
			return s.try(m, append([]string{"pkill", signal}, find...)...)
		}, "-STOP", "-CONT")
	}
}

// during changes something, and changes it back after so long.
func during(long time.Duration, change func(string) error, there, back string) error {
	if err := change(there); err != nil {
		return err
	}
	time.Sleep(long)
	return change(back)
}
