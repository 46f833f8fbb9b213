//go:build linux

package docs

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Runner runs pages.
type Runner struct {
	Machine     Machine
	Env         []string
	Setups      string   // the directory of the setups
	Subcommands []string // chartserve's

	// Patience is how long a server may take to follow a change: readers type more slowly than the runner.
	Patience time.Duration
}

// Report is what was done with a page.
type Report struct {
	Run      int      // commands that readers see
	Compared int      // outputs
	Not      []string // blocks that were not run: line and reason
	Slow     []string // commands that took more than two seconds
}

// Run runs a page whose sandbox has the root directory root. The error has everything that was
// otherwise than the page says.
func (r Runner) Run(name string, source []byte, root string) (Report, error) {
	steps, err := Parse(name, source)
	if err != nil {
		return Report{}, err
	}
	shell, err := NewShell(root, r.Machine, r.Env)
	if err != nil {
		return Report{}, err
	}
	defer shell.Close()
	p := &playing{Runner: r, Shell: shell, name: name}
	for _, setup := range []string{"functions", setupOf(name)} {
		if err := p.setup(setup, true); err != nil {
			return p.Report, err
		}
	}
	for _, step := range steps {
		if err := p.step(step); err != nil {
			p.errs = append(p.errs, fmt.Errorf("%s:%d: %w", name, step.Line, err))
		}
	}
	stop := p.timed("the last server's end")
	if err := shell.Stop(); err != nil {
		p.errs = append(p.errs, err)
	}
	stop()
	return p.Report, errors.Join(p.errs...)
}

// setupOf is the name of the setup of a page: docs/access.md has access, docs/operations/monitoring.md operations-monitoring.
func setupOf(page string) string {
	name := strings.TrimPrefix(strings.TrimSuffix(filepath.ToSlash(page), ".md"), "docs/")
	return strings.ReplaceAll(name, "/", "-")
}
