// Package logs creates the log groups of CloudWatch Logs that components write to.
package logs

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/internal/tag"
)

// RetentionDays lists how long CloudWatch Logs can keep events, in days:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var RetentionDays = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// NewGroup creates a log group. CloudWatch Logs encrypts every group.
func NewGroup(
	ctx *pulumi.Context, name string, retentionDays int, parent pulumi.ResourceOption,
) (*cloudwatch.LogGroup, error) {
	group, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(retentionDays),
		Tags:            tag.Named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("log group: %w", err)
	}
	return group, nil
}

// CheckRetention refuses a number of days that CloudWatch Logs does not know.
func CheckRetention(field string, days int) (p problem.List) {
	p.Unless(slices.Contains(RetentionDays, days), field, days, fmt.Sprintf("use one of %v", RetentionDays))
	return p
}
