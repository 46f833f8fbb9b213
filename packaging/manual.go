package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// manual makes what people read and complete on their machines: DIR/build/man and
// DIR/build/completions.
func (r *release) manual(ctx context.Context) error {
	return errors.Join(r.completions(ctx), r.manPages())
}

// completions writes what a shell completes with, by the shell's own name for such a file. The
// program that is asked is one for this machine.
func (r *release) completions(ctx context.Context) error {
	for shell, name := range map[string]string{"bash": "chartserve", "zsh": "_chartserve", "fish": "chartserve.fish"} {
		script, err := r.output(ctx, goCommand(), "run", "-trimpath", "-buildvcs=false", "./cmd/chartserve", "completion", shell)
		if err != nil {
			return fmt.Errorf("completion of %s: %w", shell, err)
		}
		if err := r.write(filepath.Join("build", "completions", name), []byte(script+"\n")); err != nil {
			return err
		}
	}
	return nil
}

// manPages makes the man pages of the pages about commands, the settings file and the environment.
func (r *release) manPages() error {
	reference := filepath.Join(r.root, "docs", "reference")
	commands, err := filepath.Glob(filepath.Join(reference, "chartserve*.md"))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(r.out, "build", "man")); err != nil {
		return err
	}
	for _, path := range append(commands, filepath.Join(reference, "settings.md"), filepath.Join(reference, "environment.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, section := manName(filepath.Base(path))
		page := rendered(r.forMan(string(text), name, section))
		if err := r.write(filepath.Join("build", "man", name+"."+section), page); err != nil {
			return err
		}
	}
	return nil
}

// manName is the name and section of the man page that is made of a page of the reference; empty
// if none is.
func manName(page string) (name, section string) {
	switch {
	case page == "settings.md":
		return "chartserve.yaml", "5"
	case page == "environment.md":
		return "chartserve-environment", "7"
	case strings.HasPrefix(page, "chartserve"):
		return strings.TrimSuffix(page, ".md"), "1"
	}
	return "", ""
}

var (
	manLink       = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
	manSection    = regexp.MustCompile(`(?m)^###? .+`)
	manDefinition = regexp.MustCompile(`(?m)^(\*\*.+)\n\n(.+)$`)
	manTable      = regexp.MustCompile(`(?m)^\|.*\|\n\|[-| ]+\|\n`) // its head
	manRow        = regexp.MustCompile(`(?m)^\| (.+?) \| (.+?)(?: \| (.+?))? \|\n`)
)

// forMan writes a page of the reference, which begins with its name and a paragraph, as md2man
// wants it. After the description a line that begins in bold, and a row of a table, is a term,
// and what follows defines it.
func (r *release) forMan(text, name, section string) string {
	parts := strings.SplitN(text, "\n\n", 3)
	summary, more, _ := strings.Cut(parts[1], ". ")
	if text = "\n" + parts[2]; more != "" {
		text = "\n## Description\n\n" + more + "\n" + text
	}
	text = manLink.ReplaceAllStringFunc(text, func(link string) string {
		m := manLink.FindStringSubmatch(link)
		if name, section := manName(m[2]); name != "" {
			return "**" + name + "**(" + section + ")"
		}
		return m[1]
	})
	before, after, _ := strings.Cut(text, "\n## Description\n")
	text = before + "\n## Description\n" + manDefinition.ReplaceAllString(after, "$1\n: $2\n")
	text = manRow.ReplaceAllStringFunc(manTable.ReplaceAllString(text, ""), func(row string) string {
		m := manRow.FindStringSubmatch(row)
		if m[3] != "" {
			m[2] += " of " + m[3]
		}
		return m[1] + "\n: " + m[2] + "\n\n"
	})
	text = manSection.ReplaceAllStringFunc(text, func(heading string) string {
		if title, ok := strings.CutPrefix(heading, "## "); ok {
			return "# " + strings.ToUpper(title)
		}
		return heading[1:]
	})
	return fmt.Sprintf("%% %s %s %q %q %q\n\n# NAME\n\n%s - %s\n%s", strings.ToUpper(name), section,
		r.time.Format(time.DateOnly), "chartserve "+r.version, "chartserve", name, strings.TrimSuffix(summary, "."), text)
}

// rendered is the man page of a text. Lines are not filled up, and no name of a flag is cut in two.
func rendered(text string) []byte {
	return bytes.Replace(md2man.Render([]byte(text)), []byte("\n.SH"), []byte("\n.nh\n.ad l\n.SH"), 1)
}

// write makes a file in DIR, and the folders above it.
func (r *release) write(name string, data []byte) error {
	path := filepath.Join(r.out, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
