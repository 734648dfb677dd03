package components

import "twip/components/internal/logs"

// LogRetentionDays lists how long CloudWatch Logs can keep events, in days; every LogRetentionDays field takes one.
var LogRetentionDays = logs.RetentionDays
