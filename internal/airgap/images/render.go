package images

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Renderer renders charts with a `helm` of version 3 or 4.
type Renderer struct {
	// Helm is the program; empty is "helm" on PATH.
	Helm string
	// Timeout bounds the time for one chart; zero is two minutes.
	Timeout time.Duration
	// Limit is the most bytes of manifests that are read; zero is 64 MiB.
	Limit int
}

const (
	renderTimeout = 2 * time.Minute
	renderLimit   = 64 << 20
	// messageLimit is how much is kept of what Helm says on stderr.
	messageLimit = 4 << 10
)

// render returns what Helm makes of the archive at path with the values of files laid over
// the chart's own, and without a cluster.
func (r Renderer) render(ctx context.Context, path string, files []string) ([]byte, error) {
	helm, timeout, limit := cmp.Or(r.Helm, "helm"), cmp.Or(r.Timeout, renderTimeout), cmp.Or(r.Limit, renderLimit)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	args := []string{"template", "chartserve"}
	for _, file := range files {
		args = append(args, "--values="+file)
	}
	cmd := exec.CommandContext(ctx, helm, append(args, "--", path)...) // path may begin with a dash
	// Whatever Helm started and left behind must not keep us waiting.
	cmd.WaitDelay = time.Second
	stop := func() error { cancel(); return nil }
	stdout, stderr := &capped{limit: limit, over: stop}, &capped{limit: messageLimit}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	switch {
	case stdout.full:
		return nil, fmt.Errorf("helm template: more than %d bytes of manifests", limit)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("helm template: not done after %s", timeout)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && stderr.buf.Len() > 0:
		return nil, fmt.Errorf("helm template: %w: %s", err, strings.TrimSpace(stderr.buf.String()))
	case err != nil:
		return nil, fmt.Errorf("helm template: %w", err)
	}
	return stdout.buf.Bytes(), nil
}

// capped keeps the first bytes that are written to it.
type capped struct {
	buf   bytes.Buffer
	limit int
	full  bool
	// written is how much there was in all.
	written int
	// over is called when there are more, and returns the error of Write; nil: the rest is
	// dropped.
	over func() error
}

func (c *capped) Write(p []byte) (int, error) {
	c.written += len(p)
	if room := c.limit - c.buf.Len(); len(p) > room {
		c.buf.Write(p[:room])
		if c.full = true; c.over != nil {
			return len(p), c.over()
		}
		return len(p), nil
	}
	return c.buf.Write(p)
}
