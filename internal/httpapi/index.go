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

const (
	jsonType  = "application/json"
	htmlType  = "text/html; charset=utf-8"
	plainType = "text/plain; charset=utf-8"
)

func indexYAML(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	return sendForm(w, r, head{kind: yamlType, policy: barePolicy}, s.Index.YAML)
}

func indexJSON(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	return sendForm(w, r, head{kind: jsonType, policy: barePolicy}, s.Index.JSON)
}

// sendForm answers with one form of the index, compressed for who asks.
func sendForm(w http.ResponseWriter, r *http.Request, a head, b index.Body) error {
	data := b.Data
	a.etag, a.vary, a.cache = b.ETag, "Accept-Encoding", "no-cache" // keep it, but ask each time
	if b.Gzip.Len() > 0 && acceptsGzip(r.Header["Accept-Encoding"]) {
		data, a.etag, a.encoding = b.Gzip, b.GzipETag, "gzip"
	}
	return send(w, r, a, data)
}
