package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// survey holds what a repository folder has, by its index.
type survey struct {
	dir     *folder.Folder
	checker *pkgr.Checker
	files   []located
	tell    func(what string, done, total int)
}

// located is an archive or a provenance file.
type located struct {
	File
	path  string       // relative to the folder
	entry *index.Entry // an archive's
}

// surveyFolder reads every archive that the folder's index names, and checks it.
// The error is chart.Errors with findings of kind ErrFolder when the index does not
// fit.
func surveyFolder(ctx context.Context, dir *folder.Folder, o CreateOptions) (*survey, error) {
	entries, err := readIndex(dir)
	if err != nil {
		return nil, err
	}
	s := &survey{dir: dir, checker: pkgr.NewChecker(o.Limits), tell: told(o.Progress)}
	var checked int
	var mu sync.Mutex
	found := make([][]located, len(entries))
	bad := make(chart.Errors, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(o.Jobs, runtime.GOMAXPROCS(0)))
	for i, e := range entries {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			found[i], err = s.locate(e)
			if f := new(chart.Error); errors.As(err, &f) {
				bad[i], err = f, nil
			}
			mu.Lock()
			defer mu.Unlock()
			checked++
			s.tell("archives checked", checked, len(entries))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	bad = slices.DeleteFunc(bad, func(f *chart.Error) bool { return f == nil })
	if err := bad.Err(); err != nil {
		return nil, err
	}
	s.files = slices.Concat(found...)
	slices.SortFunc(s.files, func(a, b located) int { return strings.Compare(a.Name, b.Name) })
	return s, s.unique()
}

// readIndex reads the folder's index.yaml.
func readIndex(dir *folder.Folder) ([]*index.Entry, error) {
	data, err := dir.IndexData()
	remedy := "name a repository folder with --repo-path; chartserve build makes one"
	if err == nil {
		remedy = "chartserve build --repo-path makes it anew"
		var f *index.File
		if f, err = index.Decode(data); err == nil && len(f.Skipped) == 0 {
			return f.Entries, nil
		} else if err == nil {
			err = f.Skipped[0]
		}
	}
	return nil, &chart.Error{Kind: ErrFolder, File: dir.Path(IndexName), Reason: err.Error(), Remedy: remedy}
}

// locate finds and checks the archive of e, and its provenance.
func (s *survey) locate(e *index.Entry) ([]located, error) {
	md := chart.Metadata{Name: e.Name, Version: e.Version}
	name := md.ArchiveName()
	at, err := s.dir.Locate(e)
	var f *os.File
	if err == nil {
		f, err = s.dir.Open(at)
	}
	if err != nil {
		return nil, s.finding(name, err.Error(), "put it back, or let chartserve build --repo-path make the index anew")
	}
	defer f.Close()
	info, err := s.checker.Check(f)
	if err != nil {
		return nil, s.finding(at, err.Error(), "put a whole archive in its place, or remove it and build the index anew")
	}
	if want, _ := chart.ParseDigest(e.Digest); info.Digest != want {
		return nil, s.finding(at, fmt.Sprintf("its SHA-256 is %s, the index says %q", info.Digest, e.Digest),
			"put the right archive in its place, or let chartserve build --repo-path make the index anew")
	}
	if info.Metadata.Name != e.Name || info.Metadata.Version != e.Version {
		return nil, s.finding(at, fmt.Sprintf("it holds the chart %s %s, the index says %s %s", info.Metadata.Name, info.Metadata.Version, e.Name, e.Version),
			"let chartserve build --repo-path make the index anew")
	}
	a := located{path: at, File: File{Name: name, Size: info.Size, SHA256: info.Digest, Chart: e.Name, Version: e.Version}}
	created := e.Created
	if created.IsZero() {
		created = info.Created
	}
	// The entry is made from the archive: what another program left out of its index,
	// or put into it, is not carried on.
	if a.entry, err = index.NewEntry(info.Metadata, index.FileURL("", name), info.Digest, created); err != nil {
		return nil, s.finding(at, err.Error(), "remove the archive and build the index anew")
	}
	a.Created = &a.entry.Created
	prov, err := s.provenance(at, name)
	if err != nil || prov == nil {
		return []located{a}, err
	}
	return []located{a, *prov}, nil
}

// provenance is the .prov beside the archive at, nil when there is none.
func (s *survey) provenance(at, name string) (*located, error) {
	for _, at := range []string{at + folder.ProvExt, name + folder.ProvExt} {
		data, err := s.dir.Read(at, folder.MaxProv)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, s.finding(at, err.Error(), "make it readable, or remove it")
		}
		return &located{path: at, File: newFile(name+folder.ProvExt, data)}, nil
	}
	return nil, nil
}

// unique refuses two charts that have one archive name, which Helm's naming allows.
func (s *survey) unique() error {
	for i := 1; i < len(s.files); i++ {
		if a, b := s.files[i-1], s.files[i]; a.Name == b.Name {
			return s.finding(b.Name, fmt.Sprintf("the charts %s %s and %s %s have this file name both", a.Chart, a.Version, b.Chart, b.Version),
				"bundle them from two folders")
		}
	}
	return nil
}

func (s *survey) finding(file, problem, remedy string) *chart.Error {
	return &chart.Error{Kind: ErrFolder, File: s.dir.Path(file), Reason: problem, Remedy: remedy}
}

// index is the bundle's index.yaml.
func (s *survey) index() []byte {
	byName := map[string][]*index.Entry{}
	for _, f := range s.files {
		if f.entry != nil {
			byName[f.Chart] = append(byName[f.Chart], f.entry)
		}
	}
	b := index.NewBuilder(index.Auto)
	for name, versions := range byName {
		b.Set(name, versions)
	}
	return b.Encode().YAML.Data.Bytes()
}

// newFile describes what is in memory.
func newFile(name string, data []byte) File {
	return File{Name: name, Size: int64(len(data)), SHA256: chart.Digest(data)}
}
