package region

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"twip/infra/local/computer"
)

// Client commands the controller of a directory.
type Client struct {
	dir  string
	http http.Client
}

// Open returns the client of the controller with these files.
func Open(dir string) *Client { return &Client{dir: dir, http: http.Client{Timeout: 6 * time.Minute}} }

// Status is what there is to see now.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	text, err := c.call(ctx, http.MethodGet, "/status")
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

// Kill ends a machine at once.
func (c *Client) Kill(ctx context.Context, machine string) error {
	return c.do(ctx, "kill", machine, "")
}

// Pause stops a machine's processors, until Resume.
func (c *Client) Pause(ctx context.Context, machine string) error {
	return c.do(ctx, "pause", machine, "")
}

// Resume lets a paused machine go on.
func (c *Client) Resume(ctx context.Context, machine string) error {
	return c.do(ctx, "resume", machine, "")
}

// SwitchOff ends all machines of a zone at once; none is started there until RestoreZone.
func (c *Client) SwitchOff(ctx context.Context, zone string) error { return c.do(ctx, "off", zone, "") }

// CutOff keeps the machines of a zone from those of the others, until RestoreZone. The load balancer reaches all.
func (c *Client) CutOff(ctx context.Context, zone string) error { return c.do(ctx, "cut", zone, "") }

// RestoreZone ends what SwitchOff or CutOff began.
func (c *Client) RestoreZone(ctx context.Context, zone string) error {
	return c.do(ctx, "restore", zone, "")
}

// HangStore has the file system answer nothing, until RestoreStore. With containers it is ErrNotHere.
func (c *Client) HangStore(ctx context.Context) error { return c.do(ctx, "store", "hang", "") }

// RefuseStore has the file system refuse connections, until RestoreStore. With containers it is ErrNotHere.
func (c *Client) RefuseStore(ctx context.Context) error { return c.do(ctx, "store", "refuse", "") }

// RestoreStore ends what HangStore or RefuseStore began.
func (c *Client) RestoreStore(ctx context.Context) error { return c.do(ctx, "store", "restore", "") }

// RestartStore switches the file system's server off and on again. With containers it is ErrNotHere.
func (c *Client) RestartStore(ctx context.Context) error { return c.do(ctx, "store", "restart", "") }

// HangTunnel has a machine's way to the file system hang, for good. With containers it is ErrNotHere.
func (c *Client) HangTunnel(ctx context.Context, machine string) error {
	return c.do(ctx, "tunnel", machine, "")
}

// Scale sets a group's desired capacity, within its minimum and maximum.
func (c *Client) Scale(ctx context.Context, group string, desired int) error {
	return c.do(ctx, "scale", group, strconv.Itoa(desired))
}

// SetAlarm puts an alarm into a state: OK or ALARM.
func (c *Client) SetAlarm(ctx context.Context, name, state string) error {
	return c.do(ctx, "alarm", name, state)
}

// Log is the end of what the controller wrote.
func (c *Client) Log(lines int) string {
	text, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return computer.LastLines(string(text), lines)
}

func (c *Client) do(ctx context.Context, verb, what, value string) error {
	_, err := c.call(ctx, http.MethodPost, "/do/"+verb+"/"+url.PathEscape(what)+"?value="+url.QueryEscape(value))
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", verb, what, value, err)
	}
	return nil
}

func (c *Client) call(ctx context.Context, method, path string) ([]byte, error) {
	address, err := os.ReadFile(filepath.Join(c.dir, "control"))
	if err != nil {
		return nil, fmt.Errorf("no controller runs: %w: bring the environment up with make local", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+strings.TrimSpace(string(address))+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("controller: %w: make local starts it again", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusConflict && strings.HasPrefix(string(text), ErrNotHere.Error()):
		return nil, fmt.Errorf("%w%s", ErrNotHere, strings.TrimPrefix(strings.TrimSpace(string(text)), ErrNotHere.Error()))
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("controller: %s", strings.TrimSpace(string(text)))
	}
	return text, nil
}

// alive says whether the controller answers.
func (c *Client) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := c.Status(ctx)
	return err == nil
}
