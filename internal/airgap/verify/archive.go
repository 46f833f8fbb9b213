package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/airgap/images"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

const (
	copyAgain = "copy the archive again from where it came from; if it is meant to be this one, write the index again with chartserve index"
	copyThere = "copy the archive there, or write the index again with chartserve index"
)

// archive checks one archive against its entries, its provenance and itself.
func (r *run) archive(ctx context.Context, j *job) {
	body, err := r.place.open(ctx, j.ref)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for _, e := range j.entries {
			r.error(folder.IndexName, at(e, ".urls[0]"), "there is no archive at "+j.name, copyThere)
		}
		return
	case err != nil:
		r.error(j.name, "", err.Error(), "see that it can be read")
		return
	}
	defer body.Close()
	parts := func(name string) bool { return r.opts.Offline && images.Reads(name) }
	c, info, err := r.checker.ReadParts(body, parts)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		r.err(j.name, err, copyAgain)
		return
	}
	r.count(info.Size)
	r.identity(j, c, info.Digest)
	r.provenance(ctx, j, c, info.Digest)
	r.dependencies(j, c)
	if r.opts.Offline {
		r.outside(j, "", c)
		r.imagesOutside(j, c)
	}
}

func (r *run) count(size int64) {
	r.totals.Lock()
	defer r.totals.Unlock()
	r.report.Archives++
	r.report.Bytes += size
}

// identity compares the archive with its name and with what the index says.
func (r *run) identity(j *job, c *pkgr.Chart, digest string) {
	md := c.Metadata
	if want := md.ArchiveName(); j.base != want {
		r.error(j.name, "", fmt.Sprintf("it holds %s %s, so its name should be %s", md.Name, md.Version, want), "rename it and its .prov, and write the index again with chartserve index")
	}
	if len(j.entries) == 0 {
		r.unlisted(j, c, digest)
	}
	for _, e := range j.entries {
		if want := digestOf(e); want != "" && want != digest {
			r.error(j.name, at(e, ".digest"), "its SHA-256 is "+digest+", the index has "+want, copyAgain)
			continue // whatever else differs, this is why
		}
		r.metadata(e, c)
	}
}

// unlisted reports an archive that no entry points to, unless it is a copy of one
// that has an entry.
func (r *run) unlisted(j *job, c *pkgr.Chart, digest string) {
	md := c.Metadata
	entries := r.known.byID[ident{md.Name, md.Version}]
	same := func(e *index.Entry) bool { return digestOf(e) == digest }
	switch {
	case slices.ContainsFunc(entries, same):
	case len(entries) > 0:
		r.error(j.name, "", fmt.Sprintf("not in the index, which has other bytes for %s %s, at %s", md.Name, md.Version, chart.ShowAddress(entries[0].URL)), "remove one of the two, and write the index again with chartserve index")
	case !r.known.unread(md.Name):
		r.error(j.name, "", "not in the index: no client finds it", indexAgain)
	}
}
