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
	"attacks": `fields @timestamp, @logStream, what, where, refusals
| filter msg = "guard refused"
| sort @timestamp desc
| limit 200`,
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
	"machines": `fields @timestamp, @logStream, @message, MemoryUsedPercent, DiskUsedPercent
| sort @timestamp desc
| limit 500`,
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
			LogGroupNames: m.askedOf(title),
			QueryString:   pulumi.String(queries[title]),
		}, pulumi.Parent(m)); err != nil {
			return fmt.Errorf("query %s: %w", title, err)
		}
	}
	return nil
}

// askedOf are the log groups that a query looks into: the journals of machines, or what servers say.
func (m *Monitor) askedOf(title string) (groups pulumi.StringArray) {
	if title != "machines" {
		return pulumi.StringArray{m.args.App.LogGroupName, m.args.Static.LogGroupName}
	}
	for _, group := range m.args.Groups {
		groups = append(groups, group.JournalName)
	}
	return groups
}
