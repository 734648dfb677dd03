package computer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// PortsFree refuses when a port of this computer that Publish is going to need is taken by anybody but this stack, and
// names who has it where that can be told. It needs nothing of what Ensure makes, and changes nothing.
func (c *Computer) PortsFree(ctx context.Context) error {
	var problems []error
	for _, port := range sortedPorts(c.options.Ports) {
		if port != 0 && taken(port) && !c.ours(ctx, port) {
			problems = append(problems, fmt.Errorf("port %d of 127.0.0.1 is taken by %s: end that, and try again", port,
				holder(ctx, port)))
		}
	}
	return errors.Join(problems...)
}

func sortedPorts(ports map[int]int) []int {
	var hosts []int
	for _, host := range ports {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return hosts
}

func taken(port int) bool {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return errors.Is(err, syscall.EADDRINUSE)
	}
	_ = listener.Close() // nothing was sent through it
	return false
}

// ours says whether this stack's own address has the port. Docker that does not answer has no containers to ask about.
func (c *Computer) ours(ctx context.Context, port int) bool {
	names, err := docker(ctx, "ps", "--quiet", "--filter", "publish="+strconv.Itoa(port),
		"--filter", "label="+c.label(), "--filter", "label="+labelAddress)
	if err != nil || names == "" {
		return false
	}
	// An address from before stacks were labelled is taken for ours.
	stack, err := docker(ctx, "inspect", "--format", `{{index .Config.Labels "`+labelStack+`"}}`,
		strings.Fields(names)[0])
	return err == nil && (stack == "" || stack == c.options.Stack)
}

// holder says in words who has a port: a container, a process, or nobody that can be seen from here.
func holder(ctx context.Context, port int) string {
	const format = `container {{.Names}}{{with .Label "` + labelStack + `"}} (stack {{.}} of the local cloud: ` +
		`make local-destroy STACK={{.}}){{end}}`
	out, err := docker(ctx, "ps", "--filter", "publish="+strconv.Itoa(port), "--format", format)
	if err == nil && out != "" {
		return strings.ReplaceAll(out, "\n", ", ")
	}
	for _, inode := range listeners(port) {
		if process := processWith("socket:[" + inode + "]"); process != "" {
			return process
		}
	}
	return fmt.Sprintf("a program of another user (sudo ss -ltnp 'sport = :%d' names it)", port)
}

// listeners are the inodes of the sockets that listen on a port, by proc_net_tcp.rst of the kernel's documentation:
// field 1 is the local address, field 3 the state (0A listens), field 9 the inode.
func listeners(port int) []string {
	const address, state, inode, listens = 1, 3, 9, "0A"
	suffix := fmt.Sprintf(":%04X", port)
	var found []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // no IPv6
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > inode && fields[state] == listens && strings.HasSuffix(fields[address], suffix) {
				found = append(found, fields[inode])
			}
		}
	}
	return found
}

// processWith names the process that has an open file of this name. Other people's processes show theirs only to root.
func processWith(open string) string {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != open {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue // it ended meanwhile
		}
		return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}
