package page

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"strings"
	"time"

	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// Sink takes the files of a site, one at a time. store.Site is one.
type Sink interface {
	// Put has the file name hold what content returns. It need not call content where the
	// file was made with the same key; an empty key is like no other.
	Put(name, key string, content func() ([]byte, error)) error
}

// siteWriter writes the pages of a View as files, which any web server shows.
type siteWriter struct {
	frame Frame
	view  *repo.View
	to    Sink
	maker string // in keys: see maker
}

// static is f for pages that are files.
func (f Frame) static() Frame {
	f.Static, f.Fallback = true, "URL"
	return f
}

// WriteSite writes the pages of view, which has an index: what they load first, and the list last,
// so that whoever follows a link finds a page. tell is called after each version. Of f, URL and
// Program count. An error is of the archives or of the Sink.
func WriteSite(ctx context.Context, f Frame, view *repo.View, to Sink, tell func(done, total int)) error {
	w := &siteWriter{frame: f.static(), view: view, to: to, maker: maker(f)}
	for _, a := range Assets() {
		if err := w.put(a.Name, func() []byte { return a.Data }); err != nil {
			return err
		}
	}
	done := 0
	for c := range view.Charts() {
		err := w.versions(ctx, c, func() {
			done++
			tell(done, view.Index.Versions)
		})
		if err != nil {
			return err
		}
		if err := w.chart(c); err != nil {
			return err
		}
	}
	if err := w.put("graph/index.html", func() []byte { return Graph(w.at("graph/"), view).HTML() }); err != nil {
		return err
	}
	if err := w.put("feed.atom", func() []byte { return Feed(w.at(""), view, nil) }); err != nil {
		return err
	}
	return w.put("index.html", func() []byte { return List(w.at(""), view, Query{}).HTML() })
}

// SiteKey is the same for two Views and Frames of which WriteSite writes the same files.
func SiteKey(f Frame, v *repo.View) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %+v\n", maker(f), f)
	fmt.Fprintln(sum, v.Index.JSON.ETag, v.Status.Charts, v.Status.Archives, len(v.Status.Sources) > 0)
	for _, f := range still(v.Status).Failures {
		fmt.Fprintf(sum, "%q\n", f)
	}
	for c := range v.Charts() {
		fmt.Fprintf(sum, "%q\n", v.Dependents(c.Name))
		for _, version := range c.Versions {
			prov, _ := v.File(version.Archive.Name + ".prov")
			fmt.Fprintf(sum, "%v %v %d %q\n", version.Live, prov != nil, version.Archive.Size, v.Ingredients(version))
		}
	}
	return keyOf(sum)
}

// maker is the program that makes the pages, as far as it can be told.
func maker(f Frame) string {
	sum := sha256.New()
	fmt.Fprintln(sum, f.Program, assetsHash)
	_ = fs.WalkDir(files, ".", func(name string, _ fs.DirEntry, _ error) error { // they are in the program
		data, _ := files.ReadFile(name)
		sum.Write(data)
		return nil
	})
	return keyOf(sum)
}

func keyOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)[:16]) }

// still is what pages say of a Status that does not differ from build to build.
func still(st repo.Status) repo.Status {
	return repo.Status{Ready: true, Charts: st.Charts, Archives: st.Archives, Failures: undated(st.Failures), Sources: st.Sources}
}

// undated are failures without since when they are known, which differs from build to build.
func undated(failures []repo.Failure) []repo.Failure {
	failures = slices.Clone(failures)
	for i := range failures {
		failures[i].Since = time.Time{}
	}
	return failures
}

// at is the Frame of the page at a path below the root, which ends in a slash or is empty.
func (w *siteWriter) at(path string) Frame {
	f := w.frame
	f.Root = strings.Repeat("../", strings.Count(path, "/"))
	return f
}

func (w *siteWriter) put(name string, content func() []byte) error {
	return w.to.Put(name, "", func() ([]byte, error) { return content(), nil })
}

// subject is that of a page at a path.
func (w *siteWriter) subject(path string, c *repo.Chart, v *repo.Version) (Subject, error) {
	s, err := NewSubject(w.at(path), w.view, c, v)
	s.Failures = undated(s.Failures)
	return s, err
}

// chart writes the pages of a chart that show no contents of archives.
func (w *siteWriter) chart(c *repo.Chart) error {
	base := "chart/" + c.Name + "/"
	for path, build := range map[string]func(Subject) []byte{
		"versions/index.html": func(s Subject) []byte { return Versions(s, 0).HTML() },
		"graph/index.html":    func(s Subject) []byte { return ChartGraph(s).HTML() },
		"feed.atom":           func(s Subject) []byte { return Feed(s.Frame, w.view, c) },
		"badge.svg":           func(Subject) []byte { return Badge(c) },
	} {
		s, err := w.subject(base+strings.TrimSuffix(path, "index.html"), c, c.Versions[0])
		if err != nil {
			return err
		}
		if err := w.put(base+path, func() []byte { return build(s) }); err != nil {
			return err
		}
	}
	return nil
}

// versions writes the pages of each version of a chart, of which the archives of two are held
// at once.
func (w *siteWriter) versions(ctx context.Context, c *repo.Chart, done func()) error {
	v := &held{version: c.Versions[0]}
	for i := range c.Versions {
		if err := ctx.Err(); err != nil {
			return err
		}
		var before *held
		if i+1 < len(c.Versions) {
			before = &held{version: c.Versions[i+1]}
		}
		if err := w.version(c, v, before); err != nil {
			return err
		}
		v = before
		done()
	}
	return nil
}

// version writes the pages of a version, and those of the chart if it is the newest one. before
// is the version before it; nil: it is the first.
func (w *siteWriter) version(c *repo.Chart, v, before *held) error {
	sig := w.signature(v.version)
	overview := func(s Subject, of []*pkgr.Chart) Page { return Overview(s, of[0], sig) }
	base := "chart/" + c.Name + "/"
	own := base + v.version.Entry.Version + "/"
	if err := w.fromArchives(own, overview, c, v); err != nil {
		return err
	}
	if v.version == c.Versions[0] {
		if err := w.newest(c, v, base, own, overview); err != nil {
			return err
		}
	}
	if before == nil {
		return nil
	}
	changes := func(s Subject, of []*pkgr.Chart) Page { // a Shelf would keep what is found in nothing
		return Difference(s, before.version, of[1], of[0], new(Shelf))
	}
	return w.fromArchives(own+"changes/", changes, c, v, before)
}

// newest writes what the newest version of a chart has besides the pages of all versions. Those
// that show much are of no other: 10,000 of them are hundreds of megabytes.
func (w *siteWriter) newest(c *repo.Chart, v *held, base, own string, overview builder) error {
	for _, p := range []struct {
		path  string
		build builder
	}{
		{base, overview},
		{own + "values/", func(s Subject, of []*pkgr.Chart) Page { return Values(s, of[0], readKeys(of[0]), Query{}) }},
		{own + "files/", func(s Subject, of []*pkgr.Chart) Page { return Files(s, of[0]) }},
		{own + "images/", func(s Subject, of []*pkgr.Chart) Page { return Images(s, findImages(of[0])) }},
	} {
		if err := w.fromArchives(p.path, p.build, c, v); err != nil {
			return err
		}
	}
	return nil
}

// signature is what is known of the provenance of a version where nobody has looked into it.
func (w *siteWriter) signature(v *repo.Version) (sig Signature) {
	if f, ok := w.view.File(v.Archive.Name + ".prov"); ok {
		sig.File = f.Name
	}
	return sig
}

// builder makes a page of what archives hold.
type builder func(Subject, []*pkgr.Chart) Page

// held is a version with what its archive holds, which is read when it is asked for first.
type held struct {
	version *repo.Version
	chart   *pkgr.Chart
}

func (h *held) read(v *repo.View) (err error) {
	if h.chart == nil {
		h.chart, err = v.ReadParts(h.version.Archive, func(string) bool { return true })
	}
	return err
}

// fromArchives writes a page, of the first version, of what archives hold. Its key is their
// digests and the same page of archives that hold nothing: that says whatever the View has to
// say.
func (w *siteWriter) fromArchives(path string, build builder, c *repo.Chart, all ...*held) error {
	s, err := w.subject(path, c, all[0].version)
	if err != nil {
		return err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, w.maker)
	charts := make([]*pkgr.Chart, len(all))
	for i, h := range all {
		fmt.Fprintln(sum, h.version.Entry.Digest)
		charts[i] = &pkgr.Chart{Metadata: s.Metadata}
	}
	sum.Write(build(s, charts).HTML())
	return w.to.Put(path+"index.html", keyOf(sum), func() ([]byte, error) {
		for i, h := range all {
			if err := h.read(w.view); err != nil {
				return nil, err
			}
			charts[i] = h.chart
		}
		return build(s, charts).HTML(), nil
	})
}
