//go:build linux

package docs

import (
	"errors"
	"fmt"
	"os"
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

// playing is a page while it runs.
type playing struct {
	Runner
	Report
	*Shell
	name   string
	output string // of the last block with commands
	errs   []error
}

// setup sources a setup. One that is optional may be missing.
func (p *playing) setup(name string, optional bool) error {
	text, err := os.ReadFile(filepath.Join(p.Setups, name+".sh"))
	if optional && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	commands, err := Step{Kind: Commands, Text: string(text)}.split()
	if err != nil {
		return fmt.Errorf("setup %s: %w", name, err)
	}
	for _, c := range commands {
		if err := p.plain(c.text); err != nil {
			return fmt.Errorf("setup %s: %s%w", name, c.text, err)
		}
	}
	return nil
}

func (p *playing) step(step Step) error {
	if step.Mark.Stop {
		if err := p.Stop(); err != nil {
			return err
		}
	}
	if step.Mark.Setup != "" {
		if err := p.setup(step.Mark.Setup, false); err != nil {
			return err
		}
	}
	switch {
	case step.Mark.No != "":
		p.Not = append(p.Not, fmt.Sprintf("%s:%d: %s", p.name, step.Line, step.Mark.No))
		return nil
	case step.Kind == File:
		return p.file(step)
	case step.Mark.Log:
		p.Compared++
		return p.log(step.Text)
	case step.Kind == Output:
		p.Compared++
		return differs(step.Text, p.output)
	}
	commands, err := step.split()
	if err != nil {
		return err
	}
	p.output = ""
	for i, c := range commands {
		want := 0
		if i == len(commands)-1 {
			want = step.Mark.Exit
		}
		marked := step.Mark.Server && i == len(commands)-1
		if err := p.command(c, want, marked); err != nil {
			return fmt.Errorf("%s%w", c.text, err)
		}
	}
	if !step.Hidden {
		p.Report.Run += len(commands)
	}
	return nil
}

// command runs a command of a block, and compares what it prints with what the block shows.
func (p *playing) command(c one, want int, marked bool) error {
	run, ours := c.text, serves(c.text, p.Subcommands)
	defer p.timed(run)()
	if target := long(run); target != "" {
		run = "make -n " + target + " >/dev/null"
	}
	var got result
	var err error
	if ours || marked {
		got, err = p.Serve(run, ours)
	} else {
		got, err = p.Shell.Run(run)
	}
	for end := time.Now().Add(p.Patience); err == nil && asks(run) && p.wrong(c, got, want) != nil && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
		got, err = p.Shell.Run(run)
	}
	if err != nil {
		return err
	}
	p.output += got.output
	if c.shows != nil && (!got.server || *c.shows != "") {
		p.Compared++
	}
	return p.wrong(c, got, want)
}

// asks reports whether a command asks a server and changes nothing there, so that it can be asked again.
func asks(command string) bool {
	return strings.HasPrefix(command, "helm repo update") || strings.HasPrefix(command, "curl ") && !strings.Contains(command, "@") && !strings.Contains(command, "-X")
}

// wrong tells in what a command did something else than the page says. Of a server whose output the
// page does not show anything is right.
func (p *playing) wrong(c one, got result, want int) error {
	if got.code != want {
		return fmt.Errorf("exit status %d, want %d:\n%s", got.code, want, tail(got.output))
	}
	if c.shows == nil || *c.shows == "" && got.server {
		return nil
	}
	return differs(*c.shows, got.output)
}

// log waits until the server has said each of the lines that a page shows.
func (p *playing) log(shows string) error {
	for end := time.Now().Add(p.Patience); ; time.Sleep(50 * time.Millisecond) {
		said := p.Shell.read(p.server + ".err")
		missing := ""
		for line := range strings.Lines(shows) {
			if !Says(said, line) {
				missing += line
			}
		}
		if missing == "" {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server does not say\n%sbut\n%s", missing, said)
		}
	}
}

// tail is the end of an output, where the reason of a failure is.
func tail(output string) string {
	const most = 2000
	if len(output) <= most {
		return output
	}
	return "..." + output[len(output)-most:]
}

func differs(shown, got string) error {
	if diff := Differ(shown, got); diff != "" {
		return errors.New("it prints something else\n" + diff)
	}
	return nil
}

func (p *playing) file(step Step) error {
	path, err := p.write(step.Text)
	if err != nil {
		return err
	}
	return p.plain(fmt.Sprintf("mkdir -p \"$(dirname %[2]s)\" && cp %[1]s.sh %[2]s", path, step.Mark.File))
}

// timed begins to time a command, until the function that it returns is called.
func (p *playing) timed(command string) func() {
	began := time.Now()
	return func() {
		if took := time.Since(began); took > 2*time.Second {
			line, _, _ := strings.Cut(command, "\n")
			p.Slow = append(p.Slow, fmt.Sprintf("%s: %s", took.Round(100*time.Millisecond), line))
		}
	}
}

// plain runs a command that has to succeed.
func (p *playing) plain(command string) error {
	defer p.timed(command)()
	got, err := p.Shell.Run(command)
	if err == nil && got.code != 0 {
		err = fmt.Errorf("exit status %d:\n%s", got.code, tail(got.output))
	}
	return err
}
