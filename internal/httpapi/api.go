package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// apiCharts answers ChartMuseum's list: the object of all versions by name, which is that
// part of the JSON index, or some of the names.
func (a *api) apiCharts(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	query := r.URL.Query()
	if !query.Has("offset") && !query.Has("limit") {
		list := index.Body{Data: v.Index.Entries(), ETag: v.Index.JSON.ETag}
		return a.faceOf(r).chartsGzip.send(w, r, head{kind: jsonType, policy: barePolicy}, list)
	}
	offset, err := number(query, "offset", 0, "non-negative")
	if err != nil {
		return err
	}
	limit, err := number(query, "limit", 1, "positive")
	if err != nil {
		return err
	}
	return a.sendJSON(w, r, v, somePage(v, offset, limit))
}

// number is the value of a parameter; -1 where it is not given.
func number(query url.Values, name string, least int, kind string) (int, error) {
	if !query.Has(name) {
		return -1, nil
	}
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < least {
		return 0, refuse(http.StatusBadRequest, "%s is not a valid %s integer", name, kind)
	}
	return n, nil
}

// somePage is the list of the names from offset on, limit of them where that is not
// negative.
func somePage(v *repo.View, offset, limit int) []byte {
	out, i := []byte("{"), 0
	for c := range v.Charts() {
		if limit == 0 {
			break
		}
		if i++; i <= offset {
			continue
		}
		if limit--; len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, jsonOf(c.Name)...), ':')
		out = appendVersions(out, c)
	}
	return append(out, '}')
}

// appendVersions writes the versions of a chart, newest first.
func appendVersions(out []byte, c *repo.Chart) []byte {
	out = append(out, '[')
	for i, version := range c.Versions {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, version.Entry.Record...)
	}
	return append(out, ']')
}

func (a *api) apiChart(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	c := v.Chart(chi.URLParam(r, "name"))
	if c == nil {
		return refuse(http.StatusNotFound, "chart not found")
	}
	return a.sendJSON(w, r, v, appendVersions(nil, c))
}

func (a *api) apiVersion(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	found, err := version(r, v)
	if err != nil {
		return err
	}
	return a.sendJSON(w, r, v, found.Entry.Record)
}

// version finds the version that a path names: exactly, as latest, which is the newest
// stable one, or by a constraint.
func version(r *http.Request, v *repo.View) (*repo.Version, error) {
	name, asked := chi.URLParam(r, "name"), chi.URLParam(r, "version")
	c := v.Chart(name)
	if c == nil {
		return nil, refuse(http.StatusNotFound, "no chart name found")
	}
	constraint := asked
	if asked == "latest" {
		constraint = ""
	}
	found, err := c.Find(constraint)
	switch {
	case err != nil:
		return nil, refuse(http.StatusNotFound, "improper constraint: %s", asked)
	case found == nil:
		return nil, noVersion(name, asked)
	}
	return found, nil
}

func noVersion(name, version string) error {
	return refuse(http.StatusNotFound, "no chart version found for %s-%s", name, version)
}

// maxReading bounds the archives that are read at once for requests: to unpack one takes
// a processor, and memory.
const maxReading = 2

// parts returns the files of a version that want wants, by name.
func (a *api) parts(r *http.Request, v *repo.View, want func(name string) bool) (map[string][]byte, []string, error) {
	found, err := version(r, v)
	if err != nil {
		return nil, nil, err
	}
	if a.reading.Acquire(r.Context(), 1) != nil {
		return nil, nil, errBusy
	}
	defer a.reading.Release(1)
	c, err := v.ReadParts(found.Archive, want)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errChanging
	}
	if err != nil {
		return nil, nil, err
	}
	files, names := map[string][]byte{}, []string{}
	for _, f := range c.Files {
		if want(f.Name) {
			files[f.Name] = f.Data
			names = append(names, f.Name)
		}
	}
	return files, slices.Compact(names), nil
}

const valuesFile = "values.yaml"

// maxValues bounds values that YAML's aliases make large: a file of a megabyte can unfold
// to gigabytes. Those that are larger are left out.
const maxValues = 16 << 20

// apiTemplates answers with the templates of a version, and its values as JSON.
func (a *api) apiTemplates(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	files, names, err := a.parts(r, v, func(name string) bool { return strings.HasPrefix(name, "templates/") || name == valuesFile })
	if err != nil {
		return err
	}
	type template struct {
		Name string `json:"name"`
		Data []byte `json:"data"` // base64 in JSON
	}
	out := struct {
		Templates []template      `json:"templates"`
		Values    json.RawMessage `json:"values"`
	}{Templates: []template{}, Values: json.RawMessage("{}")}
	for _, name := range names {
		if name != valuesFile {
			out.Templates = append(out.Templates, template{name, files[name]})
		}
	}
	if values, err := chart.JSON(files[valuesFile], maxValues); err == nil && !bytes.Equal(values, []byte("null")) {
		out.Values = values
	}
	return a.sendJSON(w, r, v, jsonOf(out))
}

// apiValues answers with the values.yaml of a version as it is.
func (a *api) apiValues(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	files, names, err := a.parts(r, v, func(name string) bool { return name == valuesFile })
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return refuse(http.StatusNotFound, "values.yaml not found")
	}
	return a.sendOf(w, r, v, "application/yaml", files[valuesFile])
}

func (a *api) sendJSON(w http.ResponseWriter, r *http.Request, v *repo.View, data []byte) error {
	return a.sendOf(w, r, v, jsonType, data)
}

// maxMade bounds the bytes of large answers that were made for one request each and are
// being sent: slow clients take minutes for one, and could have thousands.
const maxMade = 256 << 20

// sendOf answers with what follows from the index, whose ETag it has.
func (a *api) sendOf(w http.ResponseWriter, r *http.Request, v *repo.View, kind string, data []byte) error {
	return a.sendMade(w, r, v.Index.JSON.ETag, kind, data)
}

func (a *api) sendMade(w http.ResponseWriter, r *http.Request, etag, kind string, data []byte) error {
	release, err := a.hold(int64(len(data)))
	if err != nil {
		return err
	}
	defer release()
	answer := head{kind: kind, policy: barePolicy, cache: "no-cache", etag: etag}
	return send(w, r, answer, index.NewText(data))
}

// hold counts the bytes of an answer that is made for one request until release is called.
// The error is errBusy.
func (a *api) hold(size int64) (release func(), err error) {
	n := min(size, maxMade)
	switch {
	case n <= smallFile:
		return func() {}, nil
	case !a.made.TryAcquire(n):
		return nil, errBusy
	}
	return func() { a.made.Release(n) }, nil
}

// health and info are ChartMuseum's.
func health(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	return now(w, r, jsonType, jsonOf(map[string]bool{"healthy": true}))
}

func info(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	return now(w, r, jsonType, jsonOf(map[string]string{"version": v.Status.Version}))
}
