package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// AlertsArgs say who is told when something is wrong, or dear.
type AlertsArgs struct {
	Email            string // who is told; empty: the topic has no subscriber yet
	MonthlyBudgetUSD int    // at 80 % of it, spent or foreseen, the same are told; 0: no budget
	StackTag         string // required with a budget: what costs are counted by, as the Stack tag has it
}

// Alerts is the one place that all alarms go to: an encrypted topic. A subscription by e-mail begins with a confirmation
// that its owner has to click.
type Alerts struct {
	pulumi.ResourceState
	TopicARN pulumi.StringOutput
}

// budgetPercent of the budget is when someone is told.
const budgetPercent = 80

// NewAlerts refuses bad args before it registers anything.
func NewAlerts(ctx *pulumi.Context, name string, args *AlertsArgs, opts ...pulumi.ResourceOption) (*Alerts, error) {
	if err := args.validate().err("alerts", name); err != nil {
		return nil, err
	}
	a := &Alerts{}
	if err := ctx.RegisterComponentResource("twip:components:Alerts", name, a, opts...); err != nil {
		return nil, err
	}
	if err := a.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("alerts %q: %w", name, err)
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"topicArn": a.TopicARN})
}

// alertServices may publish to the topic.
var alertServices = []string{"budgets.amazonaws.com", "cloudwatch.amazonaws.com"}

func (a *Alerts) register(ctx *pulumi.Context, name string, args *AlertsArgs) error {
	child := pulumi.Parent(a)
	// Alarms cannot publish to a topic that is encrypted with the key that SNS has by itself:
	// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
	key, err := newKey(ctx, name, "TWIP: alarms on their way to people", alertServices, false, child)
	if err != nil {
		return err
	}
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{KmsMasterKeyId: key.Arn, Tags: named(name)}, child)
	if err != nil {
		return fmt.Errorf("topic: %w", err)
	}
	self, err := aws.GetCallerIdentity(ctx, nil, child)
	if err != nil {
		return fmt.Errorf("topic: whose account this is: %w", err)
	}
	may, err := sns.NewTopicPolicy(ctx, name, &sns.TopicPolicyArgs{Arn: topic.Arn, Policy: rendered(topicPolicy(self.AccountId), topic.Arn)}, child)
	if err != nil {
		return fmt.Errorf("topic policy: %w", err)
	}
	a.TopicARN = topic.Arn
	if args.Email != "" {
		if _, err = sns.NewTopicSubscription(ctx, name, &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(args.Email),
		}, child); err != nil {
			return fmt.Errorf("subscription of %s: %w", args.Email, err)
		}
	}
	if args.MonthlyBudgetUSD == 0 {
		return nil
	}
	told := budgets.BudgetNotificationArray{}
	for _, kind := range []string{"ACTUAL", "FORECASTED"} {
		told = append(told, &budgets.BudgetNotificationArgs{
			NotificationType: pulumi.String(kind), ComparisonOperator: pulumi.String("GREATER_THAN"),
			Threshold: pulumi.Float64(budgetPercent), ThresholdType: pulumi.String("PERCENTAGE"),
			SubscriberSnsTopicArns: pulumi.StringArray{topic.Arn},
		})
	}
	if _, err = budgets.NewBudget(ctx, name, &budgets.BudgetArgs{
		BudgetType:  pulumi.String("COST"),
		TimeUnit:    pulumi.String("MONTHLY"),
		LimitAmount: pulumi.String(fmt.Sprint(args.MonthlyBudgetUSD)),
		LimitUnit:   pulumi.String("USD"),
		// The tag has to be activated once for cost allocation, in the billing console.
		CostFilters: budgets.BudgetCostFilterArray{&budgets.BudgetCostFilterArgs{
			Name: pulumi.String("TagKeyValue"), Values: pulumi.StringArray{pulumi.String("user:Stack$" + args.StackTag)},
		}},
		Notifications: told,
		Tags:          named(name),
	}, child, pulumi.DependsOn([]pulumi.Resource{may})); err != nil {
		return fmt.Errorf("budget: %w", err)
	}
	return nil
}

func topicPolicy(account string) policy {
	p := policy{Statement: []statement{{
		Sid: "EncryptedOnly", Effect: "Deny", Principal: map[string]string{"AWS": "*"}, Action: []string{"sns:Publish"}, Resource: []string{"{0}"},
		Condition: map[string]map[string]string{"Bool": {"aws:SecureTransport": "false"}},
	}}}
	for _, service := range alertServices {
		p.Statement = append(p.Statement, statement{
			Sid: sid(service), Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sns:Publish"}, Resource: []string{"{0}"},
			Condition: map[string]map[string]string{"StringEquals": {"aws:SourceAccount": account}},
		})
	}
	return p
}

func (a *AlertsArgs) validate() (p problems) {
	p.unless(a.MonthlyBudgetUSD >= 0, "monthlyBudgetUSD", a.MonthlyBudgetUSD, "use 0 for none, or more")
	p.unless(a.MonthlyBudgetUSD == 0 || a.StackTag != "", "stackTag", a.StackTag, "say by which Stack tag costs are counted")
	return p
}
