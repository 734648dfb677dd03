// Package monitoring is how people learn how the environment is: alarms, the dashboard, saved queries, notifications
// and the budget. The alarms that roll back an instance refresh belong to their group, in package compute.
package monitoring
