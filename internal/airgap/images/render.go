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
	// Args are further arguments of helm template.
	Args []string
	// Home is the folder in which Helm works, and its home. Then it gets nothing else of this
	// process's environment, and with that no cluster, plugin or repository. Empty: it gets
	// all of it.
	Home string
	// Timeout bounds the time for one chart; zero is two minutes.
	Timeout time.Duration
	// Limit is the most bytes of manifests that are read; zero is 64 MiB.
	Limit int
	// Memory is the most bytes of memory that each of Helm's processes may take, on Linux. A
	// template of one line asks for gigabytes. Zero: no bound.
	Memory uint64
}

const (
	renderTimeout = 2 * time.Minute
	renderLimit   = 64 << 20
	// messageLimit is how much is kept of what Helm says on stderr.
	messageLimit = 4 << 10
)

// Render returns what Helm makes of the archive at path with the values of files laid over
// the chart's own, and without a cluster.
func (r Renderer) Render(ctx context.Context, path string, files ...string) ([]byte, error) {
	args := append([]string{"template", "chartserve"}, r.Args...)
	for _, file := range files {
		args = append(args, "--values="+file)
	}
	return r.run(ctx, append(args, "--", path)...) // path may begin with a dash
}

// Version returns the version of Helm, such as v3.18.0.
func (r Renderer) Version(ctx context.Context) (string, error) {
	out, err := r.run(ctx, "version", "--template={{.Version}}")
	return strings.TrimSpace(string(out)), err
}

// run runs Helm, and ends whatever it started when ctx ends.
func (r Renderer) run(ctx context.Context, args ...string) ([]byte, error) {
	helm, timeout, limit := cmp.Or(r.Helm, "helm"), cmp.Or(r.Timeout, renderTimeout), cmp.Or(r.Limit, renderLimit)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, helm, args...)
	endTogether(cmd)
	if r.Home != "" {
		cmd.Dir, cmd.Env = r.Home, []string{"HOME=" + r.Home, "TMPDIR=" + r.Home}
	}
	// Whatever Helm started and left behind must not keep us waiting.
	cmd.WaitDelay = time.Second
	stop := func() error { cancel(); return nil }
	stdout, stderr := &capped{limit: limit, over: stop}, &capped{limit: messageLimit}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := r.runWithin(cmd)
	switch {
	case stdout.full:
		return nil, fmt.Errorf("helm %s: more than %d bytes of output", args[0], limit)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("helm %s: not done after %s", args[0], timeout)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && r.Memory > 0 && bytes.Contains(stderr.buf.Bytes(), []byte("out of memory")): // as Go says
		return nil, fmt.Errorf("helm %s: more than %d MiB of memory", args[0], r.Memory>>20)
	case err != nil && stderr.buf.Len() > 0:
		return nil, fmt.Errorf("helm %s: %w: %s", args[0], err, strings.TrimSpace(stderr.buf.String()))
	case err != nil:
		return nil, fmt.Errorf("helm %s: %w", args[0], err)
	}
	return stdout.buf.Bytes(), nil
}

// runWithin runs cmd within Memory.
func (r Renderer) runWithin(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	if r.Memory > 0 {
		if err := boundMemory(cmd.Process.Pid, r.Memory); err != nil {
			return errors.Join(fmt.Errorf("its memory can't be bounded: %w", err), cmd.Cancel(), cmd.Wait())
		}
	}
	return cmd.Wait()
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
