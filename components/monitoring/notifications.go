package monitoring

import (
	"cmp"
	"fmt"

	"twip/components/internal/policy"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/store"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NotificationsArgs say who is told when something is wrong, or too expensive.
type NotificationsArgs struct {
	Email            string // who is told; empty: the topics have no subscriber yet
	UrgentEmail      string // who is told instead of Email of what cannot wait until the morning; empty: Email
	MonthlyBudgetUSD int    // at 80 % of it, spent or foreseen, the same are told; 0: no budget
	StackTag         string // required with a budget: what costs are counted by, as the Stack tag has it
}

// Notifications is where all alarms go to: one encrypted topic for what wakes people, and one for what waits until the
// morning. A subscription by e-mail begins with a confirmation that its owner has to click.
type Notifications struct {
	pulumi.ResourceState
	UrgentARN  pulumi.StringOutput // visitors notice it, or would with the next failure
	MorningARN pulumi.StringOutput // it gets worse in days, or somebody sees it anyway
}

// budgetPercent of the budget is when someone is told.
const budgetPercent = 80

// NewNotifications creates the topics, their key and policies, the subscriptions and the budget. It refuses bad args
// before it registers anything.
func NewNotifications(
	ctx *pulumi.Context, name string, args *NotificationsArgs, opts ...pulumi.ResourceOption,
) (*Notifications, error) {
	if err := args.validate().Err("notifications", name); err != nil {
		return nil, err
	}
	a := &Notifications{}
	if err := ctx.RegisterComponentResource("twip:components:Alerts", name, a, opts...); err != nil {
		return nil, err
	}
	if err := a.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("notifications %q: %w", name, err)
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"urgentArn": a.UrgentARN, "morningArn": a.MorningARN})
}

// publishers may publish to the topic.
var publishers = []string{"budgets.amazonaws.com", "cloudwatch.amazonaws.com"}

func (a *Notifications) register(ctx *pulumi.Context, name string, args *NotificationsArgs) error {
	child := pulumi.Parent(a)
	// Alarms cannot publish to a topic that is encrypted with the key that SNS has by itself:
	// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
	key, err := store.NewKey(ctx, name, "TWIP: alarms on their way to people", publishers, false, child)
	if err != nil {
		return err
	}
	self, err := aws.GetCallerIdentity(ctx, nil, child)
	if err != nil {
		return fmt.Errorf("topics: whose account this is: %w", err)
	}
	a.UrgentARN, _, err = newTopic(ctx, name, key, self.AccountId, cmp.Or(args.UrgentEmail, args.Email), child)
	if err != nil {
		return err
	}
	morning, may, err := newTopic(ctx, name+"-morning", key, self.AccountId, args.Email, child)
	if err != nil {
		return err
	}
	a.MorningARN = morning
	if args.MonthlyBudgetUSD == 0 {
		return nil
	}
	told := budgets.BudgetNotificationArray{}
	for _, kind := range []string{"ACTUAL", "FORECASTED"} {
		told = append(told, &budgets.BudgetNotificationArgs{
			NotificationType: pulumi.String(kind), ComparisonOperator: pulumi.String("GREATER_THAN"),
			Threshold: pulumi.Float64(budgetPercent), ThresholdType: pulumi.String("PERCENTAGE"),
			SubscriberSnsTopicArns: pulumi.StringArray{morning},
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
		Tags:          tag.Named(name),
	}, child, pulumi.DependsOn([]pulumi.Resource{may})); err != nil {
		return fmt.Errorf("budget: %w", err)
	}
	return nil
}

// newTopic also returns what has to be there before others publish to the topic.
func newTopic(
	ctx *pulumi.Context, name string, key *kms.Key, account, email string, child pulumi.ResourceOrInvokeOption,
) (arn pulumi.StringOutput, may pulumi.Resource, err error) {
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{KmsMasterKeyId: key.Arn, Tags: tag.Named(name)}, child)
	if err != nil {
		return arn, nil, fmt.Errorf("topic: %w", err)
	}
	may, err = sns.NewTopicPolicy(ctx, name,
		&sns.TopicPolicyArgs{Arn: topic.Arn, Policy: policy.Rendered(topicPolicy(account), topic.Arn)}, child)
	if err != nil {
		return arn, nil, fmt.Errorf("topic policy: %w", err)
	}
	if email != "" {
		if _, err = sns.NewTopicSubscription(ctx, name, &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(email),
		}, child); err != nil {
			return arn, nil, fmt.Errorf("subscription of %s: %w", email, err)
		}
	}
	return topic.Arn, may, nil
}

func topicPolicy(account string) policy.Document {
	publish, topic := []string{"sns:Publish"}, []string{"{0}"}
	p := policy.Document{Statement: []policy.Statement{policy.EncryptedOnly(publish, topic)}}
	for _, service := range publishers {
		p.Statement = append(p.Statement, policy.ForService(service, account, publish, topic))
	}
	return p
}

func (a *NotificationsArgs) validate() (p problem.List) {
	p.Unless(a.MonthlyBudgetUSD >= 0, "monthlyBudgetUSD", a.MonthlyBudgetUSD, "use 0 for none, or more")
	p.Unless(a.MonthlyBudgetUSD == 0 || a.StackTag != "", "stackTag", a.StackTag,
		"say by which Stack tag costs are counted")
	return p
}
