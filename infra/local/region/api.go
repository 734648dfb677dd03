package region

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// api answers AWS's query protocol, as far as machines and the rollout function ask:
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/, elasticloadbalancing/latest/APIReference,
// AmazonCloudWatch/latest/APIReference. Signatures are not checked.
func (c *Controller) api() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		action := r.Form.Get("Action")
		answer, known := answers[action]
		if !known {
			refuse(w, fmt.Errorf("InvalidAction: %s is not imitated on this computer", action))
			return
		}
		c.awaitDeclared(r.Context(), r.Form)
		c.mu.Lock()
		result, err := answer(c, r.Form)
		c.mu.Unlock()
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>", action)
		if err := xml.NewEncoder(w).Encode(result); err != nil {
			c.say("answer to %s: %v", action, err)
		}
		fmt.Fprintf(w, "</%[1]sResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></%[1]sResponse>",
			action)
	})
}

// awaitDeclared waits, for some turns at the most, until the controller has taken up the group and the template's
// version that a request is about, if the program has just declared them: on AWS they are there once their creation has
// ended.
func (c *Controller) awaitDeclared(ctx context.Context, form url.Values) {
	name := form.Get("AutoScalingGroupName")
	version, err := strconv.Atoi(form.Get(desired + "Version"))
	to := Reference{form.Get(desired + "LaunchTemplateId"), version}
	if err != nil {
		to = Reference{} // none, or one that is refused
	}
	ctx, cancel := context.WithTimeout(ctx, 10*tick)
	defer cancel()
	for {
		c.mu.Lock()
		there := (name == "" || c.state.Groups[name] != nil) && c.declared.has(to)
		c.mu.Unlock()
		if there {
			return
		}
		declared, err := ReadDeclared(c.config.World)
		if _, ok := declared.Groups[name]; err != nil || name != "" && !ok || !declared.has(to) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tick / 10):
		}
	}
}

// refuse answers with AWS's error; its code is what an error's text begins with.
func refuse(w http.ResponseWriter, err error) {
	code, message, _ := strings.Cut(err.Error(), ": ")
	if strings.ContainsAny(code, " \t") {
		code, message = "ValidationError", err.Error()
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusBadRequest)
	type inner struct{ Type, Code, Message string }
	_ = xml.NewEncoder(w).Encode(struct { // who asked and left needs no answer
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     inner
		RequestID string `xml:"RequestId"`
	}{Error: inner{"Sender", code, message}, RequestID: "local"})
}

// element is XML in the form that AWS writes.
type element struct {
	name     string
	text     string
	children []element
}

// MarshalXML writes an element; one without a name is its children.
func (e element) MarshalXML(x *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: e.name}}
	if e.name != "" {
		if err := x.EncodeToken(start); err != nil {
			return err
		}
	}
	if e.text != "" {
		if err := x.EncodeToken(xml.CharData(e.text)); err != nil {
			return err
		}
	}
	for _, child := range e.children {
		if err := child.MarshalXML(x, start); err != nil {
			return err
		}
	}
	if e.name != "" {
		return x.EncodeToken(start.End())
	}
	return nil
}

func leaf(name string, value any) element { return element{name: name, text: fmt.Sprint(value)} }

func node(name string, children ...element) element { return element{name: name, children: children} }

// list is a list of AWS's: each member in an element of that name.
func list[T any](name string, all []T, member func(T) []element) element {
	e := element{name: name}
	for _, one := range all {
		e.children = append(e.children, node("member", member(one)...))
	}
	return e
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// members reads a list of the query protocol: prefix.member.1, prefix.member.2 …
func members(form url.Values, prefix string) (all []string) {
	for n := 1; form.Has(fmt.Sprintf("%s.member.%d", prefix, n)); n++ {
		all = append(all, form.Get(fmt.Sprintf("%s.member.%d", prefix, n)))
	}
	return all
}

var answers = map[string]func(*Controller, url.Values) (element, error){
	"DescribeAutoScalingGroups":      (*Controller).describeGroups,
	"DescribeInstanceRefreshes":      (*Controller).describeRefreshes,
	"DescribeScalingActivities":      (*Controller).describeActivities,
	"StartInstanceRefresh":           (*Controller).startRefresh,
	"CancelInstanceRefresh":          (*Controller).cancelRefresh,
	"RollbackInstanceRefresh":        (*Controller).rollbackRefresh,
	"CompleteLifecycleAction":        (*Controller).completeLifecycle,
	"RecordLifecycleActionHeartbeat": (*Controller).heartbeat,
	"SetDesiredCapacity":             (*Controller).setDesired,
	"DescribeTargetHealth":           (*Controller).describeTargets,
	"DescribeAlarms":                 (*Controller).describeAlarms,
	"SetAlarmState":                  (*Controller).setAlarm,
}

func (c *Controller) group(form url.Values) (*Group, error) {
	name := form.Get("AutoScalingGroupName")
	g := c.state.Groups[name]
	if g == nil {
		return nil, fmt.Errorf("ValidationError: AutoScalingGroup name not found - AutoScalingGroup '%s' not found", name)
	}
	return g, nil
}

func templateElement(r Reference) element {
	return node("LaunchTemplate", leaf("LaunchTemplateId", r.ID), leaf("Version", r.Version))
}

// mixed is a group's template beside the types of its machines.
func (c *Controller) mixed(g *Group, r Reference) element {
	return node("MixedInstancesPolicy", node("LaunchTemplate",
		node("LaunchTemplateSpecification", leaf("LaunchTemplateId", r.ID), leaf("Version", r.Version)),
		list("Overrides", c.declared.Groups[g.Name].Types, func(t string) []element {
			return []element{leaf("InstanceType", t)}
		})))
}

func (c *Controller) describeGroups(form url.Values) (element, error) {
	names := members(form, "AutoScalingGroupNames")
	var all []*Group
	for _, name := range sorted(c.state.Groups) {
		if len(names) == 0 || slices.Contains(names, name) {
			all = append(all, c.state.Groups[name])
		}
	}
	return list("AutoScalingGroups", all, func(g *Group) []element {
		spec := c.declared.Groups[g.Name]
		return []element{
			leaf("AutoScalingGroupName", g.Name), leaf("MinSize", spec.Min), leaf("MaxSize", spec.Max),
			leaf("DesiredCapacity", g.Desired), leaf("HealthCheckType", spec.HealthCheckType),
			leaf("HealthCheckGracePeriod", int(spec.Grace.Seconds())), c.mixed(g, g.Template),
			list("AvailabilityZones", spec.Zones, func(z string) []element { return []element{{text: z}} }),
			list("Instances", g.Instances, func(i *Instance) []element {
				health := "Healthy"
				if i.Unhealthy != "" {
					health = "Unhealthy"
				}
				return []element{leaf("InstanceId", i.ID), leaf("AvailabilityZone", i.Zone),
					leaf("LifecycleState", i.Lifecycle), leaf("HealthStatus", health), templateElement(i.Template),
					leaf("ProtectedFromScaleIn", false)}
			}),
		}
	}), nil
}

func (c *Controller) describeRefreshes(form url.Values) (element, error) {
	g, err := c.group(form)
	if err != nil {
		return element{}, err
	}
	ids := members(form, "InstanceRefreshIds")
	all := slices.DeleteFunc(slices.Clone(g.Refreshes), func(r *Refresh) bool {
		return len(ids) > 0 && !slices.Contains(ids, r.ID)
	})
	return list("InstanceRefreshes", all, func(r *Refresh) []element {
		done, left := g.Progress(r)
		e := []element{
			leaf("InstanceRefreshId", r.ID), leaf("AutoScalingGroupName", g.Name), leaf("Status", r.Status),
			leaf("StartTime", stamp(r.Started)), leaf("PercentageComplete", done), leaf("InstancesToUpdate", left),
			node("DesiredConfiguration", c.mixed(g, r.To)),
		}
		if r.Reason != "" {
			e = append(e, leaf("StatusReason", r.Reason))
		}
		if !r.Ended.IsZero() {
			e = append(e, leaf("EndTime", stamp(r.Ended)))
		}
		return e
	}), nil
}

// describeActivities tells of launches that were given up, and of no other activity.
func (c *Controller) describeActivities(form url.Values) (element, error) {
	g, err := c.group(form)
	if err != nil {
		return element{}, err
	}
	return list("Activities", g.GivenUp, func(a GivenUp) []element {
		return []element{
			leaf("ActivityId", a.Instance), leaf("AutoScalingGroupName", g.Name), leaf("StatusCode", "Cancelled"),
			leaf("Description", "Launching a new EC2 instance: "+a.Instance), leaf("StatusMessage", a.Why),
			leaf("Cause", a.Why), leaf("StartTime", stamp(a.Launched)), leaf("Progress", 100),
		}
	}), nil
}

// desired begins the parameters of a refresh that name its template.
const desired = "DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification."

func (c *Controller) startRefresh(form url.Values) (element, error) {
	g, err := c.group(form)
	if err != nil {
		return element{}, err
	}
	problem := error(nil)
	number := func(field string, otherwise int) int {
		text := form.Get(field)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		problem = errors.Join(problem, err)
		return n
	}
	const preferences = "Preferences."
	p := Preferences{
		MinHealthy:   number(preferences+"MinHealthyPercentage", 90),
		MaxHealthy:   number(preferences+"MaxHealthyPercentage", 100),
		Warmup:       time.Duration(number(preferences+"InstanceWarmup", 0)) * time.Second,
		Bake:         time.Duration(number(preferences+"BakeTime", 0)) * time.Second,
		SkipMatching: form.Get(preferences+"SkipMatching") == "true",
		AutoRollback: form.Get(preferences+"AutoRollback") == "true",
		Alarms:       members(form, preferences+"AlarmSpecification.Alarms"),
	}
	to := Reference{form.Get(desired + "LaunchTemplateId"), number(desired+"Version", 0)}
	if to == (Reference{}) {
		to = g.Template
	}
	if problem != nil {
		return element{}, fmt.Errorf("ValidationError: %w", problem)
	}
	if !c.declared.has(to) {
		return element{}, fmt.Errorf("ValidationError: launch template %s has no version %d", to.ID, to.Version)
	}
	return started(c.state.StartRefresh(time.Now(), g, to, p))
}

func started(r *Refresh, err error) (element, error) {
	if err != nil {
		return element{}, err
	}
	return leaf("InstanceRefreshId", r.ID), nil
}

func (c *Controller) cancelRefresh(form url.Values) (element, error) {
	g, err := c.group(form)
	if err != nil {
		return element{}, err
	}
	return started(g.CancelRefresh())
}

func (c *Controller) rollbackRefresh(form url.Values) (element, error) {
	g, err := c.group(form)
	if err != nil {
		return element{}, err
	}
	return started(g.RollbackRefresh("Rolled back on request."))
}

// waiting is the instance that an action about a lifecycle hook is about.
func (c *Controller) waiting(form url.Values) (*Instance, error) {
	id := form.Get("InstanceId")
	g, i := c.state.Find(id)
	if i == nil || g.Name != form.Get("AutoScalingGroupName") ||
		i.Lifecycle != PendingWait && i.Lifecycle != TerminatingWait {
		return nil, fmt.Errorf("ValidationError: No active Lifecycle Action found with instance ID %s", id)
	}
	hook := form.Get("LifecycleHookName")
	transition := map[string]string{PendingWait: launching, TerminatingWait: terminating}
	if !slices.ContainsFunc(c.declared.Groups[g.Name].Hooks, func(h Hook) bool {
		return h.Name == hook && h.Transition == transition[i.Lifecycle]
	}) {
		return nil, fmt.Errorf("ValidationError: No active Lifecycle Action of hook %s found with instance ID %s", hook,
			id)
	}
	return i, nil
}

func (c *Controller) completeLifecycle(form url.Values) (element, error) {
	i, err := c.waiting(form)
	if err != nil {
		return element{}, err
	}
	result := form.Get("LifecycleActionResult")
	if result != goOn && result != abandon {
		return element{}, fmt.Errorf("ValidationError: LifecycleActionResult %q: use CONTINUE or ABANDON", result)
	}
	i.Answer = result
	return element{}, nil
}

func (c *Controller) heartbeat(form url.Values) (element, error) {
	i, err := c.waiting(form)
	if err == nil {
		i.Entered = time.Now()
	}
	return element{}, err
}

func (c *Controller) setDesired(form url.Values) (element, error) {
	g, err := c.group(form)
	if err != nil {
		return element{}, err
	}
	n, err := strconv.Atoi(form.Get("DesiredCapacity"))
	spec := c.declared.Groups[g.Name]
	if err != nil || n < spec.Min || n > spec.Max {
		return element{}, fmt.Errorf("ValidationError: New SetDesiredCapacity value %s is outside of min value %d and max "+
			"value %d", form.Get("DesiredCapacity"), spec.Min, spec.Max)
	}
	g.Desired = n
	return element{}, nil
}

func (c *Controller) describeTargets(form url.Values) (element, error) {
	arn := form.Get("TargetGroupArn")
	group, ok := c.declared.TargetGroups[arn]
	if !ok {
		return element{}, fmt.Errorf("TargetGroupNotFound: Target groups '%s' not found", arn)
	}
	var all []*Instance
	for _, name := range sorted(c.state.Groups) {
		if slices.Contains(c.declared.Groups[name].TargetGroups, arn) {
			all = append(all, c.state.Groups[name].of(func(i *Instance) bool { return c.seen[i.ID].Target != "" })...)
		}
	}
	return list("TargetHealthDescriptions", all, func(i *Instance) []element {
		return []element{
			node("Target", leaf("Id", i.ID), leaf("Port", group.Port)), leaf("HealthCheckPort", group.Check.Port),
			node("TargetHealth", leaf("State", c.seen[i.ID].Target)),
		}
	}), nil
}

func (c *Controller) describeAlarms(form url.Values) (element, error) {
	return list("MetricAlarms", members(form, "AlarmNames"), func(name string) []element {
		state := "OK"
		if s := c.state.Alarms[name]; s != "" {
			state = s
		}
		return []element{leaf("AlarmName", name), leaf("StateValue", state)}
	}), nil
}

func (c *Controller) setAlarm(form url.Values) (element, error) {
	if c.state.Alarms == nil {
		c.state.Alarms = map[string]string{}
	}
	c.state.Alarms[form.Get("AlarmName")] = form.Get("StateValue")
	return element{}, nil
}
