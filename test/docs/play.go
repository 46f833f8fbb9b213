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

// playing is a page while it runs.
type playing struct {
	Runner
	Report
	*Shell
	name   string
	output string // of the last block with commands
	notRun bool   // the last block with commands was not run
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
		p.notRun = true
		p.Not = append(p.Not, fmt.Sprintf("%s:%d: %s", p.name, step.Line, step.Mark.No))
		return nil
	case step.Kind == Output && p.notRun:
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
	p.output, p.notRun = "", false
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
