package monitoring

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// queries are what people ask of the logs of all servers at once, ready to run in CloudWatch Logs Insights:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
var queries = map[string]string{
	"errors": `fields @timestamp, @logStream, @message
| filter @message like /(?i)(exception|error|severe|"level":"(WARN|ERROR)")/
| sort @timestamp desc
| limit 200`,
	"leaders": `fields @timestamp, keeper, msg, epoch, why, took, error
| filter ispresent(keeper) and msg in ["claimed", "leading", "released", "copied", "stopping", "refused"]
| sort @timestamp desc
| limit 200`,
	"loudest-servers": `stats count(*) as lines by @logStream, bin(5m)
| sort lines desc
| limit 50`,
	"takeovers": `fields @timestamp, keeper, epoch, why, copy, start, took
| filter msg = "leading"
| sort @timestamp desc
| limit 50`,
}

// registerQueries saves them in a folder of the environment's name.
func (m *Monitor) registerQueries(ctx *pulumi.Context, name string) error {
	for _, title := range slices.Sorted(maps.Keys(queries)) {
		if _, err := cloudwatch.NewQueryDefinition(ctx, name+"-"+title, &cloudwatch.QueryDefinitionArgs{
			Name:          pulumi.String(name + "/" + title), // the folder and title that people see
			LogGroupNames: pulumi.StringArray{m.args.App.LogGroupName, m.args.Static.LogGroupName},
			QueryString:   pulumi.String(queries[title]),
		}, pulumi.Parent(m)); err != nil {
			return fmt.Errorf("query %s: %w", title, err)
		}
	}
	return nil
}
