package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

// pushed is one chart on its way into a repository.
type pushed struct {
	File       string `json:"file"` // as on the command line
	Name       string `json:"name,omitempty"`
	Version    string `json:"version,omitempty"`
	Digest     string `json:"digest,omitempty"` // the SHA-256 in hex
	Size       int64  `json:"size,omitempty"`   // in bytes
	Provenance bool   `json:"provenance"`       // it goes along
	Status     string `json:"status"`           // pushed, unchanged or failed
	Compared   bool   `json:"compared"`         // what is served is what was sent
	Error      string `json:"error,omitempty"`

	path string // of the archive
	prov []byte // nil: there is none
	err  error
}

// packager makes archives of what a command line names.
type packager struct {
	dir     string // for the archives of charts
	key     *provenance.Key
	options repo.PackageOptions
}

// collect returns the archives of args, in that order. What is wrong with one is noted
// there.
func (p *packager) collect(ctx context.Context, args []string) ([]*pushed, error) {
	var all []*pushed
	first := map[string]string{}
	for i, arg := range args {
		c := &pushed{File: arg, path: arg}
		all = append(all, c)
		fi, err := os.Stat(arg)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.err = errors.New("no such file or directory: name an archive, or the directory that holds a Chart.yaml")
			continue
		case err != nil:
			c.err = err
			continue
		case !fi.IsDir() && p.options.Version+p.options.AppVersion != "":
			return nil, usagef("--version and --app-version are for directories of charts, and %s is an archive", arg)
		case fi.IsDir():
			if err := p.pack(ctx, c, filepath.Join(p.dir, strconv.Itoa(i))); err != nil {
				return nil, err
			}
		}
		if c.err == nil {
			c.err = c.read(&p.options.Options, p.key)
		}
		name := c.Name + " " + c.Version
		switch before := first[name]; {
		case c.err != nil:
		case before != "":
			c.err = fmt.Errorf("it is %s, and so is %s: name one of them", name, before)
		default:
			first[name] = arg
		}
	}
	return all, nil
}

// pack makes the archive of a directory in dest.
func (p *packager) pack(ctx context.Context, c *pushed, dest string) error {
	paths, failures, err := repo.Package(ctx, []string{c.File}, dest, p.options)
	switch {
	case len(failures) > 0:
		c.err = errors.New(failures[0].Reason)
		return nil
	case err != nil:
		return err
	}
	c.path = paths[0]
	return nil
}

// read checks the archive, and its provenance, which a key makes where it has not yet.
func (c *pushed) read(o *repo.Options, key *provenance.Key) error {
	file, err := os.Open(c.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := pkgr.NewChecker(o.Limits).Check(file)
	if err != nil {
		return err
	}
	md := info.Metadata
	c.Name, c.Version, c.Digest, c.Size = md.Name, md.Version, info.Digest, info.Size
	if c.prov, err = readProvenance(c.path + ".prov"); err != nil {
		return err
	}
	if key != nil && !key.Made(c.prov, md.ArchiveName(), c.Digest) {
		c.prov, err = key.Sign(md, md.ArchiveName(), c.Digest)
	} else {
		err = o.Vet(info, c.prov)
	}
	if err != nil {
		return fmt.Errorf("%s.prov: %w", filepath.Base(c.path), err)
	}
	c.Provenance = c.prov != nil
	return nil
}

// readProvenance returns nil where there is none.
func readProvenance(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, provenance.MaxSize+1))
}
