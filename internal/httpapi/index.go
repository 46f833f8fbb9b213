package httpapi

import (
	"net/http"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// yamlType is RFC 9512's older alias of application/yaml: it is what GitHub Pages
// sends, where most public repositories are, and browsers show it where they
// would download the other. Helm looks at no content type.
const yamlType = "text/yaml; charset=utf-8"

const jsonType = "application/json"

func indexYAML(w http.ResponseWriter, r *http.Request, s *repo.Snapshot) error {
	if s.Index == nil {
		return errNotReady
	}
	return body(w, r, s.Index.YAML, yamlType)
}

func indexJSON(w http.ResponseWriter, r *http.Request, s *repo.Snapshot) error {
	if s.Index == nil {
		return errNotReady
	}
	return body(w, r, s.Index.JSON, jsonType)
}

// apiCharts answers ChartMuseum's list: the object of all versions by name, which
// is that part of the JSON index. ChartMuseum's paging (limit, offset) is not
// there, and all versions come at once as without it.
func apiCharts(w http.ResponseWriter, r *http.Request, s *repo.Snapshot) error {
	if s.Index == nil {
		return errNotReady
	}
	list := index.Body{Data: s.Index.Entries(), ETag: s.Index.JSON.ETag}
	return body(w, r, list, jsonType)
}

// body answers with one form of the index, compressed for who asks.
func body(w http.ResponseWriter, r *http.Request, b index.Body, contentType string) error {
	h := w.Header()
	data, etag, encoding := b.Data, b.ETag, ""
	if b.Gzip.Len() > 0 && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		data, etag, encoding = b.Gzip, b.GzipETag, "gzip"
	}
	h.Set("Vary", "Accept-Encoding")
	return send(w, r, content{data: data, etag: etag, kind: contentType, encoding: encoding, policy: barePolicy})
}
