package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"twip/infra/ops"
)

func upFlags(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.yes, "yes", false, "on AWS: do not ask before anything is changed, as in a pipeline")
}

func smokeFlags(f *flag.FlagSet, o *options) {
	f.DurationVar(&o.wait, "wait", 0, "how long the site may take to answer at all, as after a machine was replaced")
}

func smoke(ctx context.Context, t task) error {
	env, err := t.environment(ctx)
	if err != nil {
		return err
	}
	if t.wait > 0 {
		if err := ops.Await(ctx, env, t.wait, time.Second); err != nil {
			return err
		}
	}
	return ops.Smoke(ctx, env, t.out)
}

// review writes what a preview says, and what the environment would cost, for a comment on a pull request.
func review(ctx context.Context, t task) error {
	fmt.Fprintf(t.out, "### %s\n\n```\n", t.stack)
	previewed := t.cloud.Preview(ctx)
	if previewed != nil {
		fmt.Fprintf(t.out, "%v\n", previewed)
	}
	fmt.Fprint(t.out, "```\n\n<details><summary>list prices</summary>\n\n```\n")
	priced := listCost(ctx, t)
	fmt.Fprint(t.out, "```\n</details>\n")
	return errors.Join(previewed, priced)
}

// drift fails when what runs is not what the program declares.
func drift(ctx context.Context, t task) error {
	return t.cloud.(*aws).pulumi(ctx, "preview", "--refresh", "--expect-no-changes")
}

// record commits what a promotion has written, and nothing else. Nothing new is no error.
func record(ctx context.Context, t task) error {
	file := "Pulumi." + t.stack + ".yaml"
	if git(ctx, t, "diff", "--quiet", "HEAD", "--", file) == nil {
		fmt.Fprintf(t.out, "%s is as it was recorded\n", file)
		return nil
	}
	return inTurn(ctx, t, file+" names what runs, commit it by hand",
		asDelivery("commit", "--message", "Record the release that "+t.stack+" runs", "--", file),
		asDelivery("pull", "--rebase"),
		[]string{"push"},
	)
}

// asDelivery are the arguments of a git command that writes commits, which need a name.
func asDelivery(arguments ...string) []string {
	return append([]string{"-c", "user.name=delivery", "-c", "user.email=delivery@localhost"}, arguments...)
}

// inTurn does git commands until one fails; wayOut is what a person does then.
func inTurn(ctx context.Context, t task, wayOut string, commands ...[]string) error {
	for _, arguments := range commands {
		if err := git(ctx, t, arguments...); err != nil {
			return fmt.Errorf("git %s: %w: what it printed above says why; %s", strings.Join(arguments, " "), err, wayOut)
		}
	}
	return nil
}

func git(ctx context.Context, t task, arguments ...string) error {
	cmd := exec.CommandContext(ctx, "git", arguments...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.cloud.(*aws).root, t.out, os.Stderr
	return cmd.Run()
}
