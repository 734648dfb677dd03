package compute

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"twip/components/internal/policy"
	"twip/components/internal/problem"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WorkingHoursArgs say when a machine runs.
type WorkingHoursArgs struct {
	InstanceID pulumi.StringInput // required
	Region     string             // required; the instance's
	Hours      Hours              // required
}

// Hours are when people work.
type Hours struct {
	Start    string `json:"start"`    // HH:MM, when the machine starts
	Stop     string `json:"stop"`     // HH:MM, when it stops, every day
	Days     string `json:"days"`     // when it starts: a day or a range, such as MON-FRI
	Timezone string `json:"timezone"` // of the IANA database, such as Europe/Berlin
}

var (
	clockRE    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	daysRE     = regexp.MustCompile(`^(MON|TUE|WED|THU|FRI|SAT|SUN)(-(MON|TUE|WED|THU|FRI|SAT|SUN))?$`)
	timezoneRE = regexp.MustCompile(`^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$`)
)

// Check says what cannot be used, or nil.
func (h Hours) Check() error { return h.validate().Err("hours", h.Start+" to "+h.Stop) }

func (h Hours) validate() (p problem.List) {
	p.Unless(clockRE.MatchString(h.Start), "start", h.Start, "use HH:MM, such as 07:00")
	p.Unless(clockRE.MatchString(h.Stop), "stop", h.Stop, "use HH:MM, such as 20:00")
	p.Unless(h.Start != h.Stop, "stop", h.Stop, "use another time than start")
	p.Unless(daysRE.MatchString(h.Days), "days", h.Days, "use a day or a range of days, such as MON-FRI")
	p.Unless(timezoneRE.MatchString(h.Timezone), "timezone", h.Timezone,
		"use a name of the IANA time zone database, such as Europe/Berlin")
	return p
}

// WorkingHours stops a machine after hours, in an orderly way, and starts it again: what runs on it comes back by
// itself, with its data and under its address. A machine that someone starts at night runs until the next stop.
type WorkingHours struct{ pulumi.ResourceState }

// NewWorkingHours creates the two schedules and their role. It refuses bad args before it registers anything.
func NewWorkingHours(
	ctx *pulumi.Context, name string, args *WorkingHoursArgs, opts ...pulumi.ResourceOption,
) (*WorkingHours, error) {
	if err := args.validate().Err("working hours", name); err != nil {
		return nil, err
	}
	n := &WorkingHours{}
	if err := ctx.RegisterComponentResource("twip:components:Night", name, n, opts...); err != nil {
		return nil, err
	}
	if err := n.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("working hours %q: %w", name, err)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{})
}

func (n *WorkingHours) register(ctx *pulumi.Context, name string, args *WorkingHoursArgs) error {
	child := pulumi.Parent(n)
	self, err := aws.GetCallerIdentity(ctx, nil, child)
	if err != nil {
		return fmt.Errorf("whose account this is: %w", err)
	}
	role, err := policy.NewServiceRole(ctx, name, "scheduler.amazonaws.com", child)
	if err != nil {
		return err
	}
	allow, err := iam.NewRolePolicy(ctx, name,
		&iam.RolePolicyArgs{Role: role.ID(), Policy: policy.Rendered(policy.Document{Statement: []policy.Statement{{
			Sid: "ThisMachine", Effect: "Allow", Action: []string{"ec2:StartInstances", "ec2:StopInstances"},
			Resource: []string{fmt.Sprintf("arn:aws:ec2:%s:%s:instance/{0}", args.Region, self.AccountId)},
		}}}, args.InstanceID)}, child)
	if err != nil {
		return fmt.Errorf("role policy: %w", err)
	}
	for _, turn := range []struct{ name, at, days, action string }{
		{"start", args.Hours.Start, args.Hours.Days, "startInstances"},
		{"stop", args.Hours.Stop, "*", "stopInstances"},
	} {
		if _, err = scheduler.NewSchedule(ctx, name+"-"+turn.name, &scheduler.ScheduleArgs{
			ScheduleExpression:         pulumi.String(cron(turn.at, turn.days)),
			ScheduleExpressionTimezone: pulumi.String(args.Hours.Timezone),
			FlexibleTimeWindow:         &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
			// A universal target: the EC2 API itself.
			// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
			Target: &scheduler.ScheduleTargetArgs{
				Arn:     pulumi.String("arn:aws:scheduler:::aws-sdk:ec2:" + turn.action),
				RoleArn: role.Arn,
				Input:   pulumi.JSONMarshal(pulumi.Map{"InstanceIds": pulumi.Array{args.InstanceID}}),
			},
		}, child, pulumi.DependsOn([]pulumi.Resource{allow})); err != nil {
			return fmt.Errorf("schedule of the %s: %w", turn.name, err)
		}
	}
	return nil
}

// cron writes a time of day as EventBridge Scheduler reads it: minutes, hours, day of month, month, day of week, year.
func cron(at, days string) string {
	hour, minute, _ := strings.Cut(at, ":")
	number := func(digits string) int {
		n, _ := strconv.Atoi(digits) // two digits: the arguments are checked
		return n
	}
	return fmt.Sprintf("cron(%d %d ? * %s *)", number(minute), number(hour), days)
}

func (a *WorkingHoursArgs) validate() (p problem.List) {
	p.Unless(a.InstanceID != nil, "instanceID", nil, "give it the machine")
	p.Unless(a.Region != "", "region", a.Region, "name the region, such as eu-central-1")
	return append(p, a.Hours.validate()...)
}
