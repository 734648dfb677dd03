package keeper

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Options configure a keeper that runs for real.
type Options struct {
	Store     string        // directory that all keepers share
	Release   string        // names what Command is; one that has not led rehearses first. "": it may lead at once
	Scratch   string        // directory for a rehearsal's copy of the data; default: that for temporary files
	Expect    string        // which store it has to be: Present, its identity, or "" to begin with an empty one too
	Link      string        // path that the application writes to; becomes a symbolic link into the store
	Listen    string        // address for requests
	Admin     string        // address for health and metrics
	Sockets   string        // directory for SiteSocket and AdminSocket, for a proxy on this machine; "": none
	Backend   string        // where the JVM listens
	Advertise string        // where other keepers reach Listen; default: first IPv4 but loopback's, and its port
	ReadyPath string        // a page that answers below 500 once the application works
	ReadPaths []string      // actions that change nothing
	Hold      time.Duration // how long a request waits for a leader
	Handover  time.Duration // how long a keeper that stops goes on forwarding what it holds
	MaxHeld   int           // how many requests may wait
	Timing    Timing
	Command   []string // starts the JVM
	Confine   bool     // Command can do nothing but serve: see Confine
	Outbound  bool     // but it may open connections
}

// DefaultOptions lack Store and Command.
func DefaultOptions() Options {
	return Options{
		Link: "/run/keeper/persistence", Listen: ":8080", Admin: ":8082", Backend: "127.0.0.1:8081",
		ReadyPath: "/Read.action", ReadPaths: []string{"/Read.action"},
		Hold: 15 * time.Second, Handover: 8 * time.Second, MaxHeld: 512, Timing: DefaultTiming,
	}
}

func (o *Options) complete() error {
	if o.Advertise != "" {
		return nil
	}
	_, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: %w; give host:port or :port", o.Listen, err)
	}
	// A container on its machine's own network is told under which address other machines reach that one.
	if address := os.Getenv(AddressEnv); address != "" {
		o.Advertise = net.JoinHostPort(address, port)
		return nil
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			o.Advertise = net.JoinHostPort(n.IP.String(), port)
			return nil
		}
	}
	return errors.New(
		"--advertise: this computer has no IPv4 address besides loopback; give host:port that other keepers reach")
}

// Serve runs a keeper until SIGTERM or SIGINT, and then hands over. Log lines go to out as JSON.
func Serve(o Options, out io.Writer) error {
	if err := o.complete(); err != nil {
		return err
	}
	if err := checkMounted(o.Store); err != nil {
		return err
	}
	id := newID()
	log := newLogger(out).With("keeper", o.Advertise)
	if o.Confine {
		if err := hide(); err != nil {
			return err
		}
	}
	env, err := newComputer(o)
	if err != nil {
		return err
	}
	if err := env.lock(); err != nil {
		return err
	}
	k := newKeeper(o.Timing, id, o.Advertise, dirFS(o.Store), env, log)
	k.expect, k.release = o.Expect, o.Release
	listeners, err := listen(o.Listen, o.Sockets, SiteSocket)
	if err != nil {
		return err
	}
	adminListeners, err := listen(o.Admin, o.Sockets, AdminSocket)
	if err != nil {
		return err
	}
	site := newServer(newProxy(k, o), listeners...)
	admin := &http.Server{Handler: k.admin(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, len(listeners)+len(adminListeners))
	for _, l := range listeners {
		go func() { failed <- site.serve(l) }()
	}
	for _, l := range adminListeners {
		go func() { failed <- admin.Serve(l) }()
	}
	stop, done, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		k.Run(stop, done)
		close(ended)
	}()
	log.Info("started", "store", o.Store, "id", id)
	if service := os.Getenv(ServiceEnv); service != "" {
		reported := make(chan struct{})
		defer func() { <-reported }()
		go func() {
			defer close(reported)
			k.metrics.reportUntil(ended, log, service)
		}()
	}
	err = env.awaitStop(failed)
	log.Info("stopping", "error", text(err))
	close(stop)
	// No new requests; those held are forwarded to whoever takes over. The JVM's own stop may take longer.
	handover, cancel := context.WithTimeout(context.Background(), o.Timing.Drain+o.Timing.Stop+o.Handover)
	defer cancel()
	if shutdown := site.shutdown(handover); shutdown != nil {
		log.Warn("requests were still held at the end", "error", shutdown.Error())
	}
	close(done)
	<-ended
	log.Info("stopped")
	return errors.Join(err, admin.Close())
}

// awaitStop passes on signals that are meant for the JVM, until one asks the keeper to stop or a server fails.
func (c *computer) awaitStop(failed <-chan error) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	for {
		select {
		case err := <-failed:
			return err
		case s := <-signals:
			if s == syscall.SIGTERM || s == syscall.SIGINT {
				return nil
			}
			c.signal(s.(syscall.Signal))
		}
	}
}

func newLogger(out io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: readable}))
}

// readable prints durations as people write them.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().Round(100 * time.Microsecond).String())
	}
	return a
}

// holderLength is the length of what newID makes, in hexadecimal digits.
const holderLength = 16

// newID is this process's name in claims. Only who reads the store knows it, so it proves that a request comes from
// another keeper.
func newID() string {
	var b [holderLength / 2]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // documented never to happen
	}
	return hex.EncodeToString(b[:])
}

// AddressEnv names the variable with the address that other keepers reach this one by, for want of --advertise.
const AddressEnv = "TWIP_ADDRESS"

// OutboundEnv names the variable that is true where the JVM may open connections, for want of --outbound.
const OutboundEnv = "TWIP_OUTBOUND"

// SocketsEnv names the variable with the directory of the sockets, for want of --sockets.
const SocketsEnv = "TWIP_SOCKETS"

// What a keeper can be asked at its admin address: whether it can answer requests, or only whether its process works.
// What restarts or replaces servers asks the second; see Health in the package comment.
const (
	CanAnswer = "/health"
	Lives     = "/live"
)

// Healthy puts one of these questions to the keeper at the admin address.
func Healthy(admin, question string) error {
	_, err := ask(admin, question)
	return err
}

// FollowsAfter returns nil if the keeper at the admin address can answer, and does so by a leader of an epoch after
// this one. Whoever has made an epoch, by a restore, asks that before he believes what the site shows.
func FollowsAfter(admin string, epoch uint64) error {
	body, err := ask(admin, CanAnswer)
	if err != nil {
		return err
	}
	var s status
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("health: %w", err)
	}
	if s.Epoch <= epoch || s.Leader == "" {
		return fmt.Errorf("no server leads an epoch after %d yet: the newest is %d", epoch, s.Epoch)
	}
	return nil
}

func ask(admin, question string) ([]byte, error) {
	_, port, err := net.SplitHostPort(admin)
	if err != nil {
		return nil, fmt.Errorf("--admin %q: %w; give host:port or :port", admin, err)
	}
	client := &http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get("http://" + net.JoinHostPort("127.0.0.1", port) + question)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("cannot answer: %s", body)
	}
	return body, err
}
