package folder

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"chartserve/internal/chart"
)

// byDigest holds archives under their digests, in a repository folder; only entries
// lead there (see package repo).
const byDigest = "by-digest"

// Listing is what List finds, in the order of names.
type Listing struct {
	// Archives and Provenance are names, slash-separated.
	Archives, Provenance []string
}

// List finds archives and provenance at any depth. It leaves out names that begin
// with a dot, and what lies in a chart's directory below the folder. What can't be
// listed is passed to bad, and left out unless bad returns an error.
func (f *Folder) List(ctx context.Context, bad func(name string, err error) error) (Listing, error) {
	var l Listing
	if f == nil {
		return l, nil
	}
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case name == "." && err != nil:
			return Bare(err)
		case err != nil:
			return bad(name, Bare(err))
		case name == ".":
		case d.IsDir() && (base[0] == '.' || name == byDigest || f.Has(name+"/"+chart.MetadataFile)):
			return fs.SkipDir
		case d.IsDir() || base[0] == '.':
		case path.Ext(base) == ".tgz":
			l.Archives = append(l.Archives, name)
		case strings.HasSuffix(base, ".tgz"+ProvExt):
			l.Provenance = append(l.Provenance, name)
		}
		return nil
	})
	return l, err
}
