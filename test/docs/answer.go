//go:build linux

package docs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// command runs a command of a block, and compares what it prints with what the block shows.
func (p *playing) command(c one, want int, marked bool) error {
	run, ours := long(c.text), serves(c.text, p.Subcommands)
	defer p.timed(run)()
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
