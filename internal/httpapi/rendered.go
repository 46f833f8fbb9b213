package httpapi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// Renderer makes the manifests of charts with their default values.
type Renderer interface {
	// Render returns the manifests of an archive, or the problem that a reader is told why
	// there are none. The error is the server's own, or ctx's. It ends with ctx, and takes
	// bounded time and memory.
	Render(ctx context.Context, archive io.Reader) (manifests []byte, problem string, err error)
}

// maxRendering bounds the charts that are rendered at once.
const maxRendering = 1

// rendered answers with what changed in the manifests between two versions.
func (a *api) rendered(w http.ResponseWriter, r *http.Request, s page.Subject, from, to *repo.Version) error {
	if a.options.Renderer == nil {
		return refuse(http.StatusNotFound, "charts are not rendered here (the server is run without --allow-helm-template)")
	}
	p, err := a.render(r, s, from, to)
	if err != nil {
		return err
	}
	return a.sendPage(w, r, p, "")
}

// render makes the page of the manifests of two versions. It keeps others from it no longer than
// that takes, however slowly the page is read.
func (a *api) render(r *http.Request, s page.Subject, from, to *repo.Version) (p page.Page, err error) {
	if !a.rendering.TryAcquire(1) {
		return p, errBusy
	}
	defer a.rendering.Release(1)
	before, err := a.manifests(r, s.View, from)
	if err != nil {
		return p, err
	}
	after, err := a.manifests(r, s.View, to)
	if err != nil {
		return p, err
	}
	own, err := page.NewSubject(s.Frame, s.View, s.Chart, to)
	if err != nil {
		return p, err
	}
	return page.Rendered(own, from, before, after), nil
}

// manifests are those of a version.
func (a *api) manifests(r *http.Request, v *repo.View, version *repo.Version) (m page.Manifests, err error) {
	f, err := v.Open(version.Archive)
	if errors.Is(err, fs.ErrNotExist) {
		return m, errChanging
	}
	if err != nil {
		return m, err
	}
	defer f.Close()
	m.Text, m.Problem, err = a.options.Renderer.Render(r.Context(), f)
	if r.Context().Err() != nil {
		err = errBusy // nobody hears it
	}
	return m, err
}
