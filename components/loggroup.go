package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// LogRetentionDays lists how long CloudWatch Logs can keep events, in days:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var LogRetentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// newLogGroup registers the log group that one tier's containers write to. CloudWatch Logs encrypts every group.
func newLogGroup(ctx *pulumi.Context, name string, retentionDays int, parent pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	group, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(retentionDays),
		Tags:            named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("log group: %w", err)
	}
	return group, nil
}
