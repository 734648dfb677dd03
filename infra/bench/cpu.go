package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cpuTimes is the processor time that each process has used, of all its threads that live, by nanoseconds: the ticks of
// /proc/PID/stat are too coarse for short runs. A thread that ends during a run is not counted; servers keep theirs.
func cpuTimes(processes []Process) (map[string]time.Duration, error) {
	times := map[string]time.Duration{}
	for _, p := range processes {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.PID))
		if err != nil {
			return nil, err
		}
		if len(threads) == 0 {
			return nil, fmt.Errorf("process %d (%s) is gone", p.PID, p.Name)
		}
		for _, thread := range threads {
			data, err := os.ReadFile(thread)
			if os.IsNotExist(err) {
				continue // it has just ended
			}
			if err != nil {
				return nil, err
			}
			on, _, _ := strings.Cut(string(data), " ") // on a processor; then waiting, and time slices
			nanos, err := strconv.ParseInt(on, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", thread, err)
			}
			times[p.Name] += time.Duration(nanos)
		}
	}
	return times, nil
}
