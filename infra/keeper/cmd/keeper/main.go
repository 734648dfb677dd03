// Command keeper runs an application server that shares its data with others; see package keeper.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"twip/infra/keeper"
)

const usage = `usage:
  keeper serve --store DIR [options] -- COMMAND...   run COMMAND (the JVM) when this server leads
  keeper rehearse --store DIR [options] -- COMMAND...  run COMMAND once on a copy of the newest data; exit 0 if it does
  keeper health [--live|--after EPOCH]               exit 0 if this server can answer, or only lives
  keeper epochs --store DIR                          list the restore points
  keeper restore --store DIR [--dry-run] EPOCH       say what going back to a restore point loses, and go back
  keeper confine [--outbound] -- COMMAND...          become COMMAND, which can start nothing and connect to nobody
Each takes --help.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	commands := map[string]func([]string) error{"serve": serve, "health": health, "epochs": epochs, "restore": restore,
		"rehearse": rehearse, keeper.ConfineVerb: confine, "-c": healthCommand}
	command, known := commands[os.Args[1]]
	if !known {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := command(os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "keeper %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	o, err := options("keeper serve", args)
	if err != nil {
		return err
	}
	return keeper.Serve(o, os.Stdout)
}

func rehearse(args []string) error {
	o, err := options("keeper rehearse", args)
	if err != nil {
		return err
	}
	return keeper.Rehearse(o, os.Stdout)
}

// options are those of whatever runs COMMAND.
func options(verb string, args []string) (keeper.Options, error) {
	o := keeper.DefaultOptions()
	t := &o.Timing
	f := flag.NewFlagSet(verb, flag.ExitOnError)
	f.StringVar(&o.Store, "store", "", "directory that all keepers share (required)")
	f.StringVar(&o.Expect, "expect", os.Getenv(keeper.ExpectEnv),
		"refuse an empty store ("+keeper.Present+"), or one with another identity (default: $"+keeper.ExpectEnv+")")
	f.StringVar(&o.Link, "link", o.Link, "path that the application writes to")
	release := f.String("release", "", "file that names what COMMAND is: one that has not led in this store rehearses on "+
		"a copy of the data before it may lead (default: it may at once)")
	f.StringVar(&o.Scratch, "scratch", "", "directory for that copy (default: that for temporary files)")
	f.StringVar(&o.Listen, "listen", o.Listen, "address for requests")
	f.StringVar(&o.Admin, "admin", o.Admin, "address for /health, /live and /metrics")
	f.StringVar(&o.Sockets, "sockets", os.Getenv(keeper.SocketsEnv), "directory for "+keeper.SiteSocket+" and "+
		keeper.AdminSocket+", by which a proxy on this machine reaches both (default: $"+keeper.SocketsEnv+")")
	f.BoolVar(&o.Confine, "confine", false, "keep COMMAND from starting programs, connecting to others, and looking into "+
		"other processes")
	f.BoolVar(&o.Outbound, "outbound", os.Getenv(keeper.OutboundEnv) == "true",
		"let a confined COMMAND open connections (default: $"+keeper.OutboundEnv+")")
	f.StringVar(&o.Backend, "backend", o.Backend, "address where COMMAND listens")
	f.StringVar(&o.Advertise, "advertise", "",
		"host:port where other keepers reach this one (default: $"+keeper.AddressEnv+" or the first IPv4, and "+
			"--listen's port)")
	f.StringVar(&o.ReadyPath, "ready-path", o.ReadyPath, "page that answers below 500 once the application works")
	reads := f.String("read-paths", strings.Join(o.ReadPaths, ","), "actions that change nothing, separated by commas")
	f.DurationVar(&o.Hold, "hold", o.Hold, "how long a request waits for a leader")
	f.IntVar(&o.MaxHeld, "max-held", o.MaxHeld, "how many requests may wait")
	f.DurationVar(&o.Handover, "handover", o.Handover, "how long held requests are forwarded after an orderly stop")
	f.DurationVar(&t.ElectionTimeout, "patience", t.ElectionTimeout,
		"without a heartbeat before another server takes over")
	f.DurationVar(&t.Start, "start-timeout", t.Start, "for COMMAND to answer for the first time")
	f.DurationVar(&t.Hang, "hang", t.Hang, "without an answer before COMMAND is killed")
	f.DurationVar(&t.Stuck, "stuck", t.Stuck,
		"without a change carried out while some are asked for, before COMMAND is killed")
	f.DurationVar(&t.Drain, "drain", t.Drain, "for running requests before an orderly stop")
	f.DurationVar(&t.Stop, "stop-timeout", t.Stop, "for COMMAND's own orderly stop")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.Command = f.Args()
	o.ReadPaths = strings.Split(*reads, ",")
	if o.Store == "" || len(o.Command) == 0 {
		return o, fmt.Errorf("--store and a command are required, as in: %s --store DIR -- COMMAND", verb)
	}
	if *release == "" {
		return o, nil
	}
	name, err := os.ReadFile(*release)
	if o.Release = strings.TrimSpace(string(name)); err == nil && o.Release == "" {
		err = fmt.Errorf("--release %s: it is empty; let it name what COMMAND is", *release)
	}
	return o, err
}

func health(args []string) error {
	f := flag.NewFlagSet("keeper health", flag.ExitOnError)
	admin := f.String("admin", keeper.DefaultOptions().Admin, "admin address of the keeper on this computer")
	live := f.Bool("live", false, "ask only whether the process works, not whether it can answer")
	after := f.Uint64("after", 0, "ask whether it answers by a leader of an epoch after this one")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *after > 0 {
		return keeper.FollowsAfter(*admin, *after)
	}
	if *live {
		return keeper.Healthy(*admin, keeper.Lives)
	}
	return keeper.Healthy(*admin, keeper.CanAnswer)
}

// healthCommand makes this program what Docker runs a health check's command line by: /bin/sh of the app image, which
// has no shell, is a link to it. It runs no other command.
func healthCommand(args []string) error {
	words := strings.Fields(strings.Join(args, " "))
	if len(words) < 2 || filepath.Base(words[0]) != "keeper" || words[1] != "health" {
		return fmt.Errorf("%q: this is no shell; it runs health checks only: keeper health …", args)
	}
	return health(words[2:])
}

func epochs(args []string) error {
	f := flag.NewFlagSet("keeper epochs", flag.ExitOnError)
	store := f.String("store", "", "directory that all keepers share (required)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *store == "" {
		return errors.New("--store is required")
	}
	points, err := keeper.RestorePoints(*store)
	if err != nil {
		return err
	}
	fmt.Printf("%-10s  %-20s  %-20s  %-11s  %12s  %s\n", "EPOCH", "SINCE", "UNTIL", "COPIED FROM", "BYTES", "REASON")
	for _, p := range points {
		remark := p.Reason
		switch {
		case p.Damaged != nil:
			remark = p.Damaged.Error()
		case p.Newest:
			remark += " (newest)"
		}
		fmt.Printf("%-10d  %-20s  %-20s  %-11d  %12d  %s\n", p.Epoch, p.At.Format(time.RFC3339),
			p.Until.Format(time.RFC3339), p.Source, p.Bytes, strings.TrimSpace(remark))
	}
	return nil
}

func restore(args []string) error {
	f := flag.NewFlagSet("keeper restore", flag.ExitOnError)
	store := f.String("store", "", "directory that all keepers share (required)")
	only := f.Bool("dry-run", false, "only say what is lost")
	if err := f.Parse(args); err != nil {
		return err
	}
	epoch, err := strconv.ParseUint(f.Arg(0), 10, 64)
	if *store == "" || f.NArg() != 1 || err != nil {
		return errors.New("give --store DIR and one epoch that `keeper epochs` lists")
	}
	loss, err := keeper.Loses(*store, epoch)
	if err != nil {
		return err
	}
	fmt.Print(loss)
	if *only {
		return nil
	}
	fmt.Printf("copying epoch %d ...\n", epoch)
	next, err := keeper.Restore(*store, epoch)
	if err != nil {
		return err
	}
	fmt.Printf("epoch %d holds the data of epoch %d; a keeper takes over from it\n", next, epoch)
	return nil
}

func confine(args []string) error {
	f := flag.NewFlagSet("keeper confine", flag.ExitOnError)
	outbound := f.Bool("outbound", false, "let it open connections")
	if err := f.Parse(args); err != nil {
		return err
	}
	return keeper.Confine(f.Args(), *outbound, func(err error) {
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Warn("not confined", "command", f.Arg(0), "error", err)
	})
}
