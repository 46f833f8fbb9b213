package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"chartserve/internal/httpapi"
	"chartserve/internal/listen"
	"chartserve/internal/repo"
	"chartserve/internal/repos"
	"chartserve/internal/resolve"
)

// repositoryFlags say which repositories a server has besides its root one.
type repositoryFlags struct {
	named      []string // NAME or NAME=SOURCE
	depth, max int
}

func (f *repositoryFlags) register(flags *pflag.FlagSet) {
	defer titled(flags, severalTitle)()
	flags.StringArrayVar(&f.named, "repository", nil, "`NAME[=SOURCE]` of one more repository, in the folder NAME below --repo-path, served below the context path as /NAME; with SOURCE, a directory or a glob, of what is in it too (repeatable, also for several SOURCEs)")
	flags.IntVar(&f.depth, "depth", 0, "make each folder `N` levels below --repo-path a repository, and with --allow-upload let whoever uploads make others by naming them")
	flags.IntVar(&f.max, "max-repositories", repos.DefaultMax, "let uploads make a repository only while there are less than `N`")
}

// any reports whether there are others than the root one.
func (f *repositoryFlags) any() bool { return len(f.named) > 0 || f.depth > 0 }

// sources are the SOURCEs by name; the names are in the order in which they came.
func (f *repositoryFlags) sources() (names []string, sources map[string][]string, err error) {
	sources = map[string][]string{}
	for _, text := range f.named {
		name, source, given := strings.Cut(text, "=")
		if given && source == "" {
			return nil, nil, usagef("invalid value %q for --repository: write NAME=SOURCE, or NAME alone", text)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if given {
			sources[name] = append(sources[name], source)
		}
	}
	if f.max < 1 {
		return nil, nil, usagef("invalid value %d for --max-repositories: write 1 or more", f.max)
	}
	return names, sources, nil
}

// planRepositories says which repositories the server has: those of p.root's options, from
// which the options of the others follow.
func (f *serveFlags) planRepositories(p *plan, args []string) (repos.Options, error) {
	root := &p.root
	root.Poll, root.Output = f.poll, outputs(false, f.ready.path, f.access.to.file)
	root.MaxBlob = int64(f.upload.blob)
	root.ContextPath = f.upload.contextPath(p.contextPath)
	names, more, err := f.repositories.sources()
	if err != nil {
		return repos.Options{}, err
	}
	if f.repositories.any() { // the working directory is not meant then
		root.Sources = f.chosen(args, true)
	}
	o := repos.Options{
		Names: names, Depth: f.repositories.depth, Make: f.upload.allow, Max: f.repositories.max,
		Reserved: strings.Split(strings.Trim(p.contextPath, "/"), "/"), Logger: root.Logger,
		Repository: func(name string) repo.Options {
			if name == "" {
				return *root
			}
			return namedOptions(*root, name, more[name])
		},
	}
	if err := o.Check(); err != nil {
		return o, usageError{err}
	}
	for _, name := range names {
		if err := o.Repository(name).Check(); err != nil {
			return o, fmt.Errorf("repository %q: %w", name, err)
		}
	}
	return o, root.Check()
}

// openRepositories opens all repositories of the server.
func (f *serveFlags) openRepositories(p *plan, l *listen.Listeners, i *instruments) (*repos.Set, error) {
	p.root.OwnURLs = append(p.root.OwnURLs, l.OwnURLs(p.contextPath)...)
	p.repositories.Opened = i.hold
	return repos.Open(f.path, p.repositories)
}

// namedOptions are those of a named repository: its addresses are those of the root one
// with the name behind them, but for those that mean a part of that one.
func namedOptions(root repo.Options, name string, sources []string) repo.Options {
	o := root
	o.Sources, o.Logger = sources, root.Logger.With("repo", name)
	o.OwnURLs = nil
	for _, own := range append(slices.Clone(root.OwnURLs), resolve.DefaultOwnURL) {
		url := own
		if before, after, ok := strings.Cut(own, "="); ok && !strings.Contains(before, "/") {
			url = after
		}
		if !strings.Contains(url, "=") {
			o.OwnURLs = append(o.OwnURLs, below(url, name))
		}
	}
	if o.URL != "" {
		o.URL = below(o.URL, name)
	}
	return o
}

func below(url, name string) string { return strings.TrimRight(url, "/") + "/" + name }

// served has httpapi find the repositories of a set; nil where there is just the root one.
func (f *repositoryFlags) served(s *repos.Set) httpapi.Repositories {
	if !f.any() {
		return nil
	}
	return servedSet{s}
}

type servedSet struct{ *repos.Set }

// Find is httpapi.Repositories'.
func (s servedSet) Find(name string) (r httpapi.Repository, there bool) {
	if r := s.Named(name); r != nil {
		return r, true
	}
	if u := s.Unmade(name); u != nil {
		return u, false
	}
	return nil, false
}

// manyRepositories are not listed one by one.
const manyRepositories = 20

// besides says what else is served.
func (f *repositoryFlags) besides(s *repos.Set, base string) (text string) {
	names := s.Names()
	if len(names) == 0 && f.any() {
		text = "Beside it no repository yet\n"
	}
	for i, name := range names {
		if i == manyRepositories {
			return text + fmt.Sprintf("and %d more repositories: /status lists them\n", len(names)-i)
		}
		st := s.Named(name).Status()
		bad := ""
		if n := len(st.Failures); n > 0 {
			bad = fmt.Sprintf(", %d failed", n)
		}
		text += fmt.Sprintf("Beside it %s%s at %s\n", counts(st), bad, below(base, name))
	}
	return text
}
