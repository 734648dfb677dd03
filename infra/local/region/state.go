package region

import (
	"cmp"
	"slices"
	"time"
)

// State is all that the controller remembers. It is written to a file after every change.
type State struct {
	Groups map[string]*Group // by name
	Serial int               // counts identifiers that were given out
	Off    map[string]bool   // zones in which nothing can be started
	Alarms map[string]string // by name, those that are not OK
}

// Group is an autoscaling group as it stands.
type Group struct {
	Name      string
	Declared  Reference // the version that the program named last
	Template  Reference // the version that new machines have, but for those of a refresh
	Desired   int
	DesiredBy int // the desired capacity that the program named last
	Instances []*Instance
	Refreshes []*Refresh // newest first
	GivenUp   []GivenUp  // newest first
}

// GivenUp is a launch that a hook ended, as scaling activities tell of it.
type GivenUp struct {
	Instance, Why string
	Launched      time.Time
}

// mostGivenUp are remembered.
const mostGivenUp = 20

// Instance is a machine of a group.
type Instance struct {
	ID, Zone  string
	Template  Reference
	Lifecycle string
	Booted    bool // it was seen to run once; what does not run after that is dead
	Unhealthy string
	// Launched is when it was decided on, Entered when it came to its present Lifecycle.
	Launched, Entered time.Time
	Answer            string // what was said to the hook that it waits for; empty: nothing yet
	DrainUntil        time.Time
}

// The lifecycle of an instance, in AWS's words:
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
const (
	Pending         = "Pending"
	PendingWait     = "Pending:Wait"
	InService       = "InService"
	Terminating     = "Terminating"
	TerminatingWait = "Terminating:Wait"
	Ending          = "Terminating:Proceed" // the machine is being shut down
)

// going says that an instance is on its way out.
func (i *Instance) going() bool {
	return i.Lifecycle == Terminating || i.Lifecycle == TerminatingWait || i.Lifecycle == Ending
}

// counts says that an instance counts towards the group's capacity, now or when it has come up.
func (i *Instance) counts() bool { return !i.going() && i.Unhealthy == "" }

func (i *Instance) enter(lifecycle string, now time.Time) {
	i.Lifecycle, i.Entered, i.Answer = lifecycle, now, ""
}

// Look is what is seen of an instance from outside.
type Look struct {
	Running bool
	Gone    bool   // it was never started, or ended and removed
	Target  string // health by the load balancer: "healthy", "initial", "unhealthy"; empty: it is no target
	Idle    bool   // no request of it is under way, as far as the load balancer knows
}

func (g *Group) of(keep func(*Instance) bool) (kept []*Instance) {
	for _, i := range g.Instances {
		if keep(i) {
			kept = append(kept, i)
		}
	}
	return kept
}

// Find returns an instance and its group.
func (s *State) Find(id string) (*Group, *Instance) {
	for _, g := range s.Groups {
		for _, i := range g.Instances {
			if i.ID == id {
				return g, i
			}
		}
	}
	return nil, nil
}

// emptiest is the zone in which an instance is started next: the one with the fewest, that can be used.
func (g *Group) emptiest(zones []string, off map[string]bool) string {
	usable := slices.DeleteFunc(slices.Clone(zones), func(z string) bool { return off[z] })
	if len(usable) == 0 {
		return ""
	}
	return slices.MinFunc(usable, func(a, b string) int {
		return cmp.Or(g.in(a)-g.in(b), cmp.Compare(a, b))
	})
}

// in counts the instances of a zone.
func (g *Group) in(zone string) int {
	return len(g.of(func(i *Instance) bool { return i.counts() && i.Zone == zone }))
}
