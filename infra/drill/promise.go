package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Any stands for a number of failures, or a time, about which nothing is promised.
const Any = -1

// Bound is what a drill promises about one kind of requests.
type Bound struct {
	Away   time.Duration // the longest time without an answer; Any: not promised
	Failed int           // how many may fail; Any: not promised
}

// notice is how long requests may go unanswered where nobody is to notice a fault: this computer does other work too.
const notice = 2 * time.Second

// unnoticed is the bound on what a fault does not touch.
var unnoticed = Bound{Away: notice}

// held is the bound on requests that wait for a server instead of failing.
func held(away time.Duration) Bound { return Bound{Away: away} }

// interrupted is the bound on requests of which some are answered with an honest failure.
func interrupted(away time.Duration) Bound { return Bound{Away: away, Failed: Any} }

func (b Bound) String() string {
	away := "answered at some time"
	if b.Away >= 0 {
		away = "again within " + seconds(b.Away)
	}
	switch {
	case b == unnoticed:
		return "as always"
	case b.Failed == Any:
		return away
	case b.Failed == 0:
		return away + ", none fails"
	}
	return fmt.Sprintf("%s, at most %d fail", away, b.Failed)
}

// Promise is what people see at the worst. That no acknowledged post is lost or doubled goes without saying.
type Promise struct{ Pages, Posts, Static Bound }

func (p Promise) String() string {
	var parts []string
	for _, part := range []struct {
		name string
		Bound
	}{{"pages", p.Pages}, {"posts", p.Posts}, {"static files", p.Static}} {
		parts = append(parts, part.name+" "+part.String())
	}
	return strings.Join(parts, "; ")
}

// Slower is the same promise for machines that take so many times as long for all that they do.
func (p Promise) Slower(times int) Promise {
	for _, b := range []*Bound{&p.Pages, &p.Posts, &p.Static} {
		if b.Away != Any {
			b.Away *= time.Duration(times)
		}
	}
	return p
}

// Slower are the same drills with promises for machines that are slower.
func Slower(drills []Drill, times int) []Drill {
	drills = slices.Clone(drills)
	for i := range drills {
		drills[i].Promise = drills[i].Promise.Slower(times)
	}
	return drills
}

func seconds(d time.Duration) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
}
