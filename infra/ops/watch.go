package ops

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// clearScreen moves a terminal's cursor to the top left corner and empties the screen:
// https://ecma-international.org/publications-and-standards/standards/ecma-48/
const clearScreen = "\x1b[H\x1b[2J"

// Watch shows the status every so often, until it is interrupted. What is not well is shown, and does not end it.
func Watch(ctx context.Context, env Environment, every time.Duration, out io.Writer) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		var page bytes.Buffer
		err := Status(ctx, env, &page)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			fmt.Fprintf(&page, "\n%v\n", err)
		}
		_, err = fmt.Fprintf(out, "%s%s, every %s; Ctrl+C ends it\n\n%s", clearScreen, env.Stack, every, &page)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
