package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/access"
	"chartserve/internal/chart"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

// Publisher takes in what is uploaded. Its methods are those of a repo.Repository, with
// their errors, and are called concurrently.
type Publisher interface {
	Publish(ctx context.Context, archive io.Reader, o repo.PublishOptions) (repo.Published, error)
	PublishProvenance(ctx context.Context, data []byte, o repo.PublishOptions) (repo.Published, error)
	Remove(ctx context.Context, name, version string) error
}

// Uploads say what may be written over HTTP. The zero value is nothing.
type Uploads struct {
	// Publisher is nil where nothing can be written: there are no routes for it then.
	Publisher Publisher
	// MaxSize bounds the body of an upload, in bytes; zero: DefaultMaxUpload.
	MaxSize int64
	// MaxBlob bounds a blob that is pushed, in bytes; zero: layout.DefaultMaxBlob.
	MaxBlob int64
	// Overwrite lets every upload replace what is there with other bytes; without it
	// those do that say so (?force), unless NoForce is set.
	Overwrite, NoForce bool
	// NoDelete says that nothing can be removed.
	NoDelete bool
	// ChartField and ProvField are fields of a form that hold the files, besides those
	// that ChartMuseum has; empty: there are no others.
	ChartField, ProvField string
}

// DefaultMaxUpload is ChartMuseum's.
const DefaultMaxUpload = 20 << 20

// uploading are the options of an upload. named checks what the chart is called; nil:
// whatever it is called.
func (a *api) uploading(r *http.Request, named func(*chart.Metadata) error) repo.PublishOptions {
	u := a.options.Uploads
	return repo.PublishOptions{
		Overwrite: u.Overwrite || r.URL.Query().Has("force") && !u.NoForce, // ChartMuseum's: its value does not count
		Check: func(md *chart.Metadata) error {
			note(r, md.Name, md.Version)
			if err := a.may(r, access.Upload, md.Name); err != nil || named == nil {
				return err
			}
			return named(md)
		},
	}
}

// postChart takes an archive as the body, or as a form's file, with a provenance or that
// alone.
func (a *api) postChart(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	b, o := newBody(w, r), a.uploading(r, nil)
	parts, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		done, err := a.at(r).publisher.Publish(r.Context(), b, o)
		return saved(w, r, b, done, err, "file already exists")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the form can't be read: %v", err)
	}
	done, err := a.postForm(r, a.newForm(parts, b.note), o)
	return saved(w, r, b, done, err, "chart already exists")
}

func (a *api) postForm(r *http.Request, f *form, o repo.PublishOptions) (done repo.Published, err error) {
	archive, err := f.chart()
	switch {
	case err != nil:
		return done, err
	case archive != nil:
		o.Provenance = f.rest
		return a.at(r).publisher.Publish(r.Context(), archive, o)
	case f.prov != nil:
		return a.at(r).publisher.PublishProvenance(r.Context(), f.prov, o)
	}
	return done, refuse(http.StatusBadRequest, "no package or provenance file found in form fields %s and %s", f.chartField, f.provField)
}

// postProvenance takes a provenance as the body. Unlike in ChartMuseum the archive must
// be there: nobody would know else whether it is of that.
func (a *api) postProvenance(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	return a.takeProvenance(w, r, a.uploading(r, nil))
}

func (a *api) takeProvenance(w http.ResponseWriter, r *http.Request, o repo.PublishOptions) error {
	b := newBody(w, r)
	var done repo.Published
	data, err := io.ReadAll(io.LimitReader(b, provenance.MaxSize+1))
	if err == nil {
		done, err = a.at(r).publisher.PublishProvenance(r.Context(), data, o)
	}
	return saved(w, r, b, done, err, "file already exists")
}

// put takes an archive or a provenance by the name that it has to have.
func (a *api) put(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	name := chi.URLParam(r, "file")
	o := a.uploading(r, func(md *chart.Metadata) error {
		if want := md.ArchiveName(); want != strings.TrimSuffix(name, ".prov") {
			return refuse(http.StatusBadRequest, "%s is the name of another chart: what is inside is called %s", name, want)
		}
		return nil
	})
	if strings.HasSuffix(name, ".prov") {
		return a.takeProvenance(w, r, o)
	}
	b := newBody(w, r)
	done, err := a.at(r).publisher.Publish(r.Context(), b, o)
	return saved(w, r, b, done, err, "file already exists")
}

// saved answers an upload. exists is the text for what is there with other bytes.
func saved(w http.ResponseWriter, r *http.Request, b *body, done repo.Published, err error, exists string) error {
	if err = b.end(err); err != nil {
		return refused(err, exists)
	}
	code := http.StatusCreated
	if done.Unchanged {
		code = http.StatusOK
	}
	a := head{kind: jsonType, policy: barePolicy, cache: "no-store"}
	a.reply(w, r, code, jsonOf(map[string]bool{"saved": true}))
	return nil
}

// refused is err, of a repository, as the client of an upload is told. exists is the text for
// what is there with other bytes.
func refused(err error, exists string) error {
	bad := new(chart.Error)
	switch {
	case errors.Is(err, repo.ErrExists):
		return refuse(http.StatusConflict, "%s", exists)
	case errors.Is(err, repo.ErrHeld), errors.Is(err, repo.ErrNoVersion):
		return refuse(http.StatusConflict, "%v", err)
	case errors.As(err, &bad):
		return refuseOCI(http.StatusBadRequest, "MANIFEST_INVALID", "%v", err)
	}
	return err
}

// deleteVersion removes a version, spelled exactly.
func (a *api) deleteVersion(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	name, version := chi.URLParam(r, "name"), chi.URLParam(r, "version")
	note(r, name, version)
	if err := a.may(r, access.Delete, name); err != nil {
		return err
	}
	switch err := a.at(r).publisher.Remove(r.Context(), name, version); {
	case errors.Is(err, repo.ErrNoVersion):
		return noVersion(name, version)
	case errors.Is(err, repo.ErrHeld):
		return refuse(http.StatusConflict, "%v", err)
	case err != nil:
		return err
	}
	return now(w, r, jsonType, jsonOf(map[string]bool{"deleted": true}))
}
