package bundle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/provenance"
	"chartserve/internal/store"
)

// Loaded counts what Load did.
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
// The error is chart.Errors, or a *chart.Error, when the bundle or the folder does not
// allow it, and ErrNoRoom when its file system is too full. What was staged whole stays
// then, out of sight, for the next Load.
func Load(ctx context.Context, paths []string, dir string, o ReadOptions) (done *Loaded, err error) {
	s := newStream(o)
	err = s.open(ctx, paths, o.Stdin)
	defer s.src.Close()
	if err != nil {
		return nil, err
	}
	present, err := present(ctx, dir, s.manifest, o.Replace)
	if err != nil {
		return nil, err
	}
	l := &loading{ctx: ctx, dir: dir, present: present, staged: map[string]bool{}}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.prepare(s.manifest); err != nil {
		return nil, err
	}
	if err := s.files(l); err != nil {
		return nil, err
	}
	if err := s.findings.Err(); err != nil {
		return nil, err
	}
	if err := l.vouched(s.manifest, o.Vouch); err != nil {
		return nil, err
	}
	done = &Loaded{Manifest: s.manifest, Present: len(present), Resumed: len(l.staged) - l.written, Written: l.written}
	return done, l.deliver(s.entries)
}

// present finds the files of m that the repository folder dir has. What would make
// the delivery fail in the end is found here, before anything is written.
func present(ctx context.Context, dir string, m *Manifest, replace bool) (map[string]bool, error) {
	to, err := openTarget(dir)
	if err != nil {
		return nil, fmt.Errorf("repository folder %q: %w (name a directory with --repo-path)", dir, err)
	}
	defer to.dir.Close()
	has, there := map[string]presence{}, map[string]bool{}
	var clashes chart.Errors
	for i := range m.Files {
		f := &m.Files[i]
		if f.ours() {
			continue
		}
		at := to.place(f)
		if has[f.Name], err = compare(ctx, to.dir, at, f); err != nil {
			return nil, err
		}
		clash := func(problem, remedy string) {
			clashes = append(clashes, finding(ErrClash, to.dir.Path(at), problem, remedy))
		}
		switch {
		case has[f.Name] == same:
			there[f.Name] = true
		case has[f.Name] == missing || f.InBase:
		case !replace:
			clash("has other bytes than the bundle's", "--replace takes the bundle's")
		case at != f.Name:
			clash("has other bytes than the bundle's, which goes to the top of the folder", "remove it")
		}
	}
	clashes = append(clashes, to.strayProvenance(m, there)...)
	return there, append(lacking(dir, m, has), clashes...).Err()
}

// strayProvenance finds provenance that would lie beside an archive that it was
// not made for: clients would refuse it.
func (t *target) strayProvenance(m *Manifest, there map[string]bool) (findings chart.Errors) {
	listed := m.byName()
	for i := range m.Files {
		f := &m.Files[i]
		name := f.Name + folder.ProvExt
		if f.archive() && !there[f.Name] && listed[name] == nil && t.dir.Has(name) {
			findings = append(findings, finding(ErrClash, t.dir.Path(name), "does not belong to the bundle's archive, which has none", "remove it"))
		}
	}
	return findings
}

// stageName names the stage that bundles are put together in.
const stageName = "bundle"

// loading stages the files that a folder lacks as they pass; nil stages nothing.
type loading struct {
	ctx     context.Context
	dir     string
	present map[string]bool // names in the folder with the right bytes
	stage   *store.Delivery // nil where nothing is to be staged
	staged  map[string]bool // names in the stage with the right bytes
	file    *store.Staged   // that is written now; nil: none
	written int
}

// prepare opens the stage where the folder lacks anything of m, and looks whether there
// is room for it.
func (l *loading) prepare(m *Manifest) (err error) {
	var need int64
	for i := range m.Files {
		f := &m.Files[i]
		if f.ours() || f.InBase || l.present[f.Name] {
			continue
		}
		if l.stage == nil {
			if l.stage, err = store.OpenDelivery(l.dir, stageName); err != nil {
				return err
			}
		}
		if fi, err := l.stage.Root().Stat(f.Name); err != nil || fi.Size() != f.Size {
			need += f.Size
		}
	}
	if err := checkRoom(l.dir, need); err != nil {
		return fmt.Errorf("repository folder %q: %w", l.dir, err)
	}
	return nil
}

// create begins a file in the stage, unless an interrupted Load left it there, or
// nobody wants it. The writer holds nothing back, and takes nothing after an error.
func (l *loading) create(f *File) (*bufio.Writer, error) {
	nowhere := bufio.NewWriterSize(io.Discard, 1)
	if l == nil || f.ours() || l.present[f.Name] {
		return nowhere, nil
	}
	has, err := compare(l.ctx, folder.At(l.stage.Root()), f.Name, f)
	if err != nil {
		return nil, err
	}
	if has == same {
		l.staged[f.Name] = true
		return nowhere, nil
	}
	if l.file, err = l.stage.Create(); err != nil {
		return nil, err
	}
	return bufio.NewWriterSize(l.file.File(), 1), nil
}

// finish keeps the file that was created last where its bytes are the manifest's.
func (l *loading) finish(f *File, good bool) error {
	if l == nil || l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	if !good {
		file.Discard()
		return nil
	}
	if err := file.Keep(f.Name); err != nil {
		return err
	}
	l.staged[f.Name] = true
	l.written++
	return nil
}

// vouched finds the staged archives that vouch does not let in, by their provenance.
func (l *loading) vouched(m *Manifest, vouch func(provenance []byte, file, digest string) error) error {
	if vouch == nil || l.stage == nil {
		return nil
	}
	to, err := openTarget(l.dir)
	if err != nil {
		return err
	}
	defer to.dir.Close()
	var findings chart.Errors
	listed := m.byName()
	for i := range m.Files {
		f := &m.Files[i]
		if !f.archive() || !l.staged[f.Name] {
			continue
		}
		var prov []byte
		if p := listed[f.Name+folder.ProvExt]; p != nil {
			at, name := to.dir, to.place(p)
			if l.staged[p.Name] {
				at, name = folder.At(l.stage.Root()), p.Name
			}
			if prov, err = at.Read(name, provenance.MaxSize); err != nil {
				return err
			}
		}
		if err := vouch(prov, f.Name, f.SHA256); err != nil {
			findings = append(findings, &chart.Error{Kind: ErrNotTrusted, File: f.Name, Err: err})
		}
	}
	return findings.Err()
}

// deliver hands the stage over, without what an interrupted Load of another bundle
// left in it.
func (l *loading) deliver(entries []*index.Entry) error {
	if l.stage == nil {
		return nil
	}
	for _, e := range entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		for _, name := range []string{md.ArchiveName(), md.ArchiveName() + folder.ProvExt} {
			if l.staged[name] {
				continue
			}
			if err := l.stage.Remove(name); err != nil {
				return err
			}
		}
	}
	return l.stage.Send(entries)
}

func (l *loading) close() error {
	if l.stage == nil {
		return nil
	}
	return l.stage.Close()
}
