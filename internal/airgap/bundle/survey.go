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
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
)

// survey holds what a repository folder has, by its index.
type survey struct {
	dir     *folder.Folder
	checker *pkgr.Checker
	files   []located
	tell    func(what string, done, total int)
}

// located is a file of the bundle, and where its bytes are.
type located struct {
	File
	data  []byte       // not nil: in memory
	path  string       // else relative to the folder
	entry *index.Entry // an archive's
}

func inMemory(name string, data []byte) located {
	return located{File: newFile(name, data), data: data}
}

// newFile describes what is in memory.
func newFile(name string, data []byte) File {
	return File{Name: name, Size: int64(len(data)), SHA256: chart.Digest(data)}
}

// Remedies for a folder that is not as its index says.
const (
	buildAnew = "let chartserve build --repo-path make the index anew"
	putBack   = "put the right archive in its place, or " + buildAnew
)

func (s *survey) finding(file, problem, remedy string) *chart.Error {
	return finding(ErrFolder, s.dir.Path(file), problem, remedy)
}

// surveyFolder reads every archive that the folder's index names, and checks it.
// The error is chart.Errors with findings of kind ErrFolder when the index does not
// fit.
func surveyFolder(ctx context.Context, dir *folder.Folder, o CreateOptions) (*survey, error) {
	s := &survey{dir: dir, checker: pkgr.NewChecker(o.Limits), tell: told(o.Progress)}
	entries, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	checked := 0
	found, bad := make([][]located, len(entries)), make(chart.Errors, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(o.Jobs, runtime.GOMAXPROCS(0)))
	for i, e := range entries {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			found[i], bad[i] = s.locate(e)
			mu.Lock()
			defer mu.Unlock()
			checked++
			s.tell("archives checked", checked, len(entries))
			return nil
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
func (s *survey) readIndex() ([]*index.Entry, error) {
	data, err := s.dir.IndexData()
	if err != nil {
		return nil, s.finding(IndexName, err.Error(), "name a repository folder with --repo-path; chartserve build makes one")
	}
	f, err := index.Decode(data)
	if err == nil && len(f.Skipped) > 0 {
		err = f.Skipped[0]
	}
	if err != nil {
		return nil, s.finding(IndexName, err.Error(), buildAnew)
	}
	return f.Entries, nil
}

// locate finds and checks the archive of e, and its provenance.
func (s *survey) locate(e *index.Entry) ([]located, *chart.Error) {
	name := (&chart.Metadata{Name: e.Name, Version: e.Version}).ArchiveName()
	at, err := s.dir.Locate(e)
	var f *os.File
	if err == nil {
		f, err = s.dir.Open(at)
	}
	if err != nil {
		return nil, s.finding(name, err.Error(), "put it back, or "+buildAnew)
	}
	defer f.Close()
	info, err := s.checker.Check(f)
	if err != nil {
		return nil, s.finding(at, err.Error(), putBack)
	}
	md := info.Metadata
	if want, _ := chart.ParseDigest(e.Digest); info.Digest != want {
		return nil, s.finding(at, fmt.Sprintf("its SHA-256 is %s, the index says %q", info.Digest, e.Digest), putBack)
	}
	if md.Name != e.Name || md.Version != e.Version {
		return nil, s.finding(at, fmt.Sprintf("it holds the chart %s %s, the index says %s %s", md.Name, md.Version, e.Name, e.Version), buildAnew)
	}
	created := e.Created
	if created.IsZero() {
		created = info.Created
	}
	// The entry is made from the archive: what another program left out of its index,
	// or put into it, is not carried on.
	entry, err := index.NewEntry(md, index.FileURL("", name), info.Digest, created)
	if err != nil {
		return nil, s.finding(at, err.Error(), "remove the archive and "+buildAnew)
	}
	a := located{path: at, entry: entry, File: File{
		Name: name, Size: info.Size, SHA256: info.Digest, Chart: e.Name, Version: e.Version, Created: &entry.Created,
	}}
	for _, at := range []string{at + folder.ProvExt, name + folder.ProvExt} {
		data, err := s.dir.Read(at, provenance.MaxSize)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, s.finding(at, err.Error(), "make it readable, or remove it")
		default:
			return []located{a, {path: at, File: newFile(name+folder.ProvExt, data)}}, nil
		}
	}
	return []located{a}, nil
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

// index is the bundle's index.yaml.
func (s *survey) index() []byte {
	var entries []*index.Entry
	for _, f := range s.files {
		if f.entry != nil {
			entries = append(entries, f.entry)
		}
	}
	return index.Encode(index.Auto, time.Time{}, entries).YAML.Data.Bytes()
}
