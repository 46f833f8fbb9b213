package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Loaded tells what Load did.
type Loaded struct {
	Manifest *Manifest
	// Present counts the files that the folder had, Resumed those that an earlier,
	// interrupted Load had staged, and Written those that were taken from the bundle
	// now. With neither of the latter nothing was delivered or written.
	Present, Resumed, Written int
}

// Load verifies the bundle in paths (see Verify) and delivers the files that the
// repository folder dir lacks; the repository on that folder takes them in.
// Everything is delivered, or nothing; archives of the folder that the bundle does
// not name stay.
//
// The error is *Refused, or a *Finding, when the bundle or the folder does not
// allow it. What was staged whole stays then, out of sight, for the next Load.
func Load(ctx context.Context, paths []string, dir string, o ReadOptions) (done *Loaded, err error) {
	s, err := openStream(ctx, paths, o)
	if s != nil {
		defer s.src.Close()
	}
	if err != nil {
		return nil, err
	}
	present, err := present(ctx, dir, s.manifest, o.Replace)
	if err != nil {
		return nil, err
	}
	l := &loading{ctx: ctx, dir: dir, present: present, staged: map[string]bool{}}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := s.files(l); err != nil {
		return nil, err
	}
	if err := refused(s.findings); err != nil {
		return nil, err
	}
	done = &Loaded{Manifest: s.manifest, Present: len(present), Resumed: len(l.staged) - l.written, Written: l.written}
	return done, l.deliver(s.entries)
}

// present finds the files of m that the repository folder dir has. What would make
// the delivery fail in the end is found here, before anything is written.
func present(ctx context.Context, dir string, m *Manifest, replace bool) (map[string]bool, error) {
	d, err := openFolder(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("repository folder: %w (name a directory with --repo-path)", err)
	}
	if d != nil {
		defer d.close()
	}
	there := map[string]bool{}
	var findings []*Finding
	for i := range m.Files {
		f := &m.Files[i]
		if f.ours() {
			continue
		}
		has, at := missing, f.Name
		if d != nil {
			at = d.place(f)
			if has, err = compare(ctx, d.root, at, f); err != nil {
				return nil, err
			}
		}
		switch {
		case has == same:
			there[f.Name] = true
		case f.InBase:
			findings = append(findings, notInBase(dir, f, has))
		case has == other && !replace:
			findings = append(findings, clash(dir, at, "has other bytes than the bundle's", "--replace takes the bundle's"))
		case has == other && at != f.Name:
			findings = append(findings, clash(dir, at, "has other bytes than the bundle's, which goes to the top of the folder", "remove it"))
		}
	}
	if d != nil {
		findings = append(findings, d.strayProvenance(dir, m, there)...)
	}
	return there, refused(findings)
}

// strayProvenance finds provenance that would stand beside an archive that it was
// not made for: clients would refuse that.
func (d *folder) strayProvenance(dir string, m *Manifest, there map[string]bool) []*Finding {
	listed := make(map[string]bool, len(m.Files))
	for i := range m.Files {
		listed[m.Files[i].Name] = true
	}
	var findings []*Finding
	for i := range m.Files {
		f := &m.Files[i]
		name := f.Name + ".prov"
		if !f.archive() || there[f.Name] || listed[name] {
			continue
		}
		if _, err := d.root.Lstat(name); err == nil {
			findings = append(findings, clash(dir, name, "does not belong to the bundle's archive, which has none", "remove it"))
		}
	}
	return findings
}

func clash(dir, name, problem, remedy string) *Finding {
	return &Finding{Kind: ErrClash, File: filepath.Join(dir, filepath.FromSlash(name)), Problem: problem, Remedy: remedy}
}
