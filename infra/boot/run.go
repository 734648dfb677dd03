package boot

import "strings"

// Run is what a container is started with: the flags of its docker run command, as values. Document.Runs reads it back
// from what a machine really gets, so that whoever judges machines judges values, and not the text of a shell.
type Run struct {
	User               string // uid:gid
	ReadOnly           bool
	CapDrop, CapAdd    []string
	SecurityOpt        []string
	Memory, MemorySwap string // such as 512m
	PIDs               string
	Network            string
	Mounts             []string
	LogDriver          string
	LogOptions         []string
	Image              string
	Unknown            []string // flags that boot gives no container, by name
}

// harmless are flags that boot gives containers and that nobody needs to judge; each has a value.
var harmless = map[string]bool{
	"--name": true, "--hostname": true, "--stop-timeout": true, "--publish": true, "--tmpfs": true, "--env": true,
	"--health-cmd": true, "--health-interval": true, "--health-timeout": true, "--health-retries": true,
	"--health-start-period": true,
}

// parseRun reads the words after docker run, in the form in which Container.run writes them.
func parseRun(words []string) (r Run) {
	one := map[string]*string{
		"--user": &r.User, "--memory": &r.Memory, "--memory-swap": &r.MemorySwap, "--pids-limit": &r.PIDs,
		"--network": &r.Network, "--log-driver": &r.LogDriver,
	}
	many := map[string]*[]string{
		"--cap-drop": &r.CapDrop, "--cap-add": &r.CapAdd, "--security-opt": &r.SecurityOpt, "--mount": &r.Mounts,
		"--log-opt": &r.LogOptions,
	}
	for i := 0; i < len(words); i++ {
		flag, value, joined := strings.Cut(words[i], "=")
		next := func() string {
			if !joined && i+1 < len(words) {
				i++
				value = words[i]
			}
			return value
		}
		switch {
		case !strings.HasPrefix(flag, "-"):
			r.Image = words[i]
		case flag == "--read-only":
			r.ReadOnly = true
		case one[flag] != nil && *one[flag] == "":
			*one[flag] = next()
		case many[flag] != nil:
			*many[flag] = append(*many[flag], next())
		case harmless[flag]:
			next()
		default: // also a flag that stands twice: docker takes the last one
			r.Unknown = append(r.Unknown, flag)
		}
	}
	return r
}
