package ops

import (
	"context"
	"fmt"
	"time"
)

// Await returns when the site answers 200, or says what it answered last when it has not within the time. It asks every
// so often.
func Await(ctx context.Context, env Environment, within, every time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		answer, ok := probe(ctx, env.URL)
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stack %q: %s did not answer 200 within %s, the last answer was: %s; look at it with: make "+
				"status STACK=%[1]s; if a promoted release is the reason, make rollback STACK=%[1]s names the one before",
				env.Stack, env.URL, within, answer)
		case <-ticker.C:
		}
	}
}
