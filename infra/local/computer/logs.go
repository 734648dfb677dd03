package computer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// LogEvent is one line that a container logged.
type LogEvent struct {
	Stream  string
	Time    time.Time
	Message string
}

// EnsureLogGroup makes a CloudWatch log group: Docker's awslogs driver refuses to log to one that does not exist.
func (c *Computer) EnsureLogGroup(ctx context.Context, name string) error {
	if err := c.changeLogGroups(func(names []string) []string { return append(names, name) }); err != nil {
		return err
	}
	return c.createLogGroup(ctx, name)
}

// DeleteLogGroup removes a log group and what was logged to it.
func (c *Computer) DeleteLogGroup(ctx context.Context, name string) error {
	if err := c.changeLogGroups(func(names []string) []string {
		return slices.DeleteFunc(names, func(known string) bool { return known == name })
	}); err != nil {
		return err
	}
	err := c.logs(ctx, "DeleteLogGroup", map[string]any{"logGroupName": name}, nil)
	if awsErrorIs(err, "ResourceNotFoundException") {
		return nil
	}
	return err
}

// LogEvents returns what was logged to a group by the streams whose names begin with streamPrefix, oldest first.
func (c *Computer) LogEvents(ctx context.Context, group, streamPrefix string) ([]LogEvent, error) {
	request := map[string]any{"logGroupName": group}
	if streamPrefix != "" {
		request["logStreamNamePrefix"] = streamPrefix
	}
	var events []LogEvent
	for {
		var page struct {
			Events []struct {
				LogStreamName, Message string
				Timestamp              int64 // milliseconds
			}
			NextToken string
		}
		if err := c.logs(ctx, "FilterLogEvents", request, &page); err != nil {
			return nil, err
		}
		for _, event := range page.Events {
			events = append(events,
				LogEvent{Stream: event.LogStreamName, Time: time.UnixMilli(event.Timestamp), Message: event.Message})
		}
		if page.NextToken == "" {
			slices.SortStableFunc(events, func(a, b LogEvent) int { return a.Time.Compare(b.Time) })
			return events, nil
		}
		request["nextToken"] = page.NextToken
	}
}

// The names of log groups are kept in a file, because moto forgets them when it restarts, and what was logged with
// them.
func (c *Computer) changeLogGroups(change func([]string) []string) error {
	c.logGroups.Lock()
	defer c.logGroups.Unlock()
	names, err := c.knownLogGroups()
	if err != nil {
		return err
	}
	names = change(names)
	slices.Sort(names)
	return writeJSON(c.path("log-groups.json"), slices.Compact(names))
}

func (c *Computer) knownLogGroups() ([]string, error) {
	var names []string
	if _, err := readJSON(c.path("log-groups.json"), &names); err != nil {
		return nil, fmt.Errorf("log groups: %w", err)
	}
	return names, nil
}

func (c *Computer) restoreLogGroups(ctx context.Context) error {
	names, err := c.knownLogGroups()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.createLogGroup(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *Computer) createLogGroup(ctx context.Context, name string) error {
	err := c.logs(ctx, "CreateLogGroup", map[string]any{"logGroupName": name}, nil)
	if awsErrorIs(err, "ResourceAlreadyExistsException") {
		return nil
	}
	return err
}

// logs calls CloudWatch Logs' interface, see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference.
// moto verifies no signatures; it reads the service and the region from them.
func (c *Computer) logs(ctx context.Context, action string, request, answer any) error {
	address, err := c.endpoint(ctx, motoPort)
	if err != nil {
		return err
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	call.Header.Set("Content-Type", "application/x-amz-json-1.1")
	call.Header.Set("X-Amz-Target", "Logs_20140328."+action)
	call.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential=local/20200101/"+c.options.Region+"/logs/aws4_request, SignedHeaders=host, "+
			"Signature=none")
	response, err := http.DefaultClient.Do(call)
	if err != nil {
		return fmt.Errorf("logs: %s: %w", action, err)
	}
	defer response.Body.Close() //nolint:errcheck // it has been read
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("logs: %s: %w", action, err)
	}
	if response.StatusCode != http.StatusOK {
		return &awsError{action: action, kind: response.Header.Get("X-Amzn-ErrorType"), body: string(content)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}

// awsError is an answer that is no success.
type awsError struct{ action, kind, body string }

func (e *awsError) Error() string {
	return fmt.Sprintf("logs: %s: %s: %s", e.action, e.kind, strings.TrimSpace(e.body))
}

func awsErrorIs(err error, kind string) bool {
	found, ok := err.(*awsError) //nolint:errorlint // logs returns it unwrapped
	return ok && found.kind == kind
}
