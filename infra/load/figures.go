package load

import (
	"slices"
	"time"
)

// Of keeps the samples of one kind.
func Of(samples []Sample, kind Kind) []Sample {
	var some []Sample
	for _, s := range samples {
		if s.Kind == kind {
			some = append(some, s)
		}
	}
	return some
}

// Gap is the longest time without an answered request that ended after a moment, and when it began. It may have begun
// before that moment. The end of the load ends a gap too, so a site that never came back has one.
func Gap(samples []Sample, after, end time.Time) (longest time.Duration, from time.Time) {
	last := after
	var answers []time.Time
	for _, s := range samples {
		switch {
		case !s.OK() || s.Done.After(end):
		case s.Done.After(after):
			answers = append(answers, s.Done)
		case last.Equal(after) || s.Done.After(last):
			last = s.Done
		}
	}
	slices.SortFunc(answers, time.Time.Compare)
	for _, at := range append(answers, end) {
		if gap := at.Sub(last); gap > longest {
			longest, from = gap, last
		}
		last = at
	}
	return longest, from
}

// Failed counts the samples that were not answered, by their problem.
func Failed(samples []Sample) map[string]int {
	failed := map[string]int{}
	for _, s := range samples {
		if !s.OK() {
			failed[s.Problem]++
		}
	}
	return failed
}

// Quantile is how long that part of the answered requests took at the most; 0 when none was answered.
func Quantile(samples []Sample, part float64) time.Duration {
	var took []time.Duration
	for _, s := range samples {
		if s.OK() {
			took = append(took, s.Took())
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(int(part*float64(len(took))), len(took)-1)]
}
