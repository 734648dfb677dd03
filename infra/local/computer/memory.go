package computer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Memory is what all that runs on a machine uses together, in bytes.
type Memory struct {
	Used  int64 // without the page cache that could be dropped at once, as "docker stats" counts
	Limit int64
}

// memoryScript prints usage, droppable cache and limit, from cgroup v2's files or from v1's, or
// from the kernel where the machine has one of its own.
const memoryScript = `cd /sys/fs/cgroup
if [ -f memory.current ]; then
	cat memory.current; awk '$1 == "inactive_file" { print $2 }' memory.stat; cat memory.max
elif [ -d memory ]; then
	cd memory; cat memory.usage_in_bytes
	awk '$1 == "total_inactive_file" { print $2 }' memory.stat; cat memory.limit_in_bytes
else
	awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { free = $2 }
		END { printf "%d 0 %d\n", (total - free) * 1024, total * 1024 }' /proc/meminfo
fi`

// Memory measures a machine.
func (c *Computer) Memory(ctx context.Context, instance string) (Memory, error) {
	out, err := c.Exec(ctx, instance, "sh", "-c", memoryScript)
	if err != nil {
		return Memory{}, err
	}
	m, err := parseMemory(string(out))
	if err != nil {
		return Memory{}, fmt.Errorf("machine %s: memory: %w", instance, err)
	}
	return m, nil
}

func parseMemory(out string) (Memory, error) {
	fields := strings.Fields(out)
	if len(fields) != 3 {
		return Memory{}, fmt.Errorf("%q: want usage, cache and limit", out)
	}
	var numbers [3]int64
	for i, field := range fields {
		number, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Memory{}, err
		}
		numbers[i] = number
	}
	return Memory{Used: numbers[0] - numbers[1], Limit: numbers[2]}, nil
}
