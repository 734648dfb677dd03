package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// measure is one run of ab.
type measure struct {
	rate    float64
	latency [100]float64
	cpu     map[string]float64
	failed  int
}

func measureOnce(ctx context.Context, route Route, o Options, dir string) (measure, error) {
	percentiles := filepath.Join(dir, "percentiles.csv")
	argv := append(
		slices.Clone(route.Via),
		"ab",
		"-q",
		"-r",
		"-n",
		strconv.Itoa(o.Requests),
		"-c",
		strconv.Itoa(o.Concurrency),
		"-e",
		percentiles,
	)
	if route.KeepAlive {
		argv = append(argv, "-k")
	}
	if route.Post != nil {
		form := filepath.Join(dir, "form")
		if err := os.WriteFile(form, route.Post, 0o600); err != nil {
			return measure{}, err
		}
		argv = append(argv, "-p", form, "-T", "application/x-www-form-urlencoded")
	}
	argv = append(argv, route.URL)
	before, err := cpuTimes(o.Processes)
	if err != nil {
		return measure{}, err
	}
	report, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return measure{}, fmt.Errorf(
			"%s: %w\n%s\nis ab (Debian: apache2-utils) installed, and does the site answer? try: make smoke",
			strings.Join(argv, " "),
			err,
			report,
		)
	}
	after, err := cpuTimes(o.Processes)
	if err != nil {
		return measure{}, err
	}
	m := measure{cpu: map[string]float64{}}
	for name, spent := range after {
		m.cpu[name] = float64((spent - before[name]).Microseconds()) / float64(o.Requests)
	}
	if err := m.readReport(report, route.Post != nil); err != nil {
		return m, err
	}
	data, err := os.ReadFile(percentiles)
	if err != nil {
		return m, err
	}
	return m, m.readPercentiles(data)
}

// What is read out of ab's report; it has no machine-readable form for these.
var (
	abRate   = regexp.MustCompile(`Requests per second:\s+([0-9.]+)`)
	abFailed = regexp.MustCompile(`Failed requests:\s+([0-9]+)`)
	abOther  = regexp.MustCompile(`Non-2xx responses:\s+([0-9]+)`)
	// ab counts an answer as failed whose length differs from the first one's, as pages do that other people change.
	abLength = regexp.MustCompile(`Length: ([0-9]+), Exceptions`)
)

func (m *measure) readReport(report []byte, redirects bool) error {
	rate := abRate.FindSubmatch(report)
	if rate == nil {
		return fmt.Errorf("ab says no rate:\n%s", report)
	}
	var err error
	if m.rate, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return err
	}
	failed, err := count(abFailed, report)
	if err != nil {
		return err
	}
	other, err := count(abOther, report)
	if err != nil {
		return err
	}
	length, err := count(abLength, report)
	m.failed = failed - length
	if !redirects { // ab calls a redirection no success, which is what a post is answered with
		m.failed += other
	}
	return err
}

// count is 0 where ab does not print the field.
func count(field *regexp.Regexp, report []byte) (int, error) {
	found := field.FindSubmatch(report)
	if found == nil {
		return 0, nil
	}
	return strconv.Atoi(string(found[1]))
}

// readPercentiles reads what ab -e writes: a line for each percentage served, with the time in milliseconds.
func (m *measure) readPercentiles(data []byte) error {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return fmt.Errorf("ab's percentiles: %w", err)
	}
	for _, row := range rows[1:] {
		percent, err := strconv.Atoi(row[0])
		if err != nil {
			return fmt.Errorf("ab's percentiles: %w", err)
		}
		if percent >= len(m.latency) {
			continue
		}
		if m.latency[percent], err = strconv.ParseFloat(row[1], 64); err != nil {
			return fmt.Errorf("ab's percentiles: %w", err)
		}
	}
	return nil
}
