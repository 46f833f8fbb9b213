package remote

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

func TestLimits(t *testing.T) {
	text, data := indexOf(good("nova", "1.0.0", strings.Repeat("x", 1000))), strings.Repeat("x", 1000)
	chunked := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush() // before the length is known
			io.WriteString(w, s)
		}
	}
	packed := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, gzipOf(t, "#"+strings.Repeat(" ", 1<<20)))
	}
	announced := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000000000")
		w.(http.Flusher).Flush()
		<-r.Context().Done() // nothing comes: there is nothing to wait for
	}
	size := int64(len(text))
	tests := map[string]struct {
		index, archive       http.HandlerFunc
		maxIndex, maxArchive int64
		want                 string // in the error
	}{
		"just within":               {nil, nil, size, 1000, ""},
		"just within, chunked":      {chunked(text), chunked(data), size, 1000, ""},
		"a large index":             {nil, nil, size - 1, 1000, "/index.yaml: larger than the "},
		"a large index, chunked":    {chunked(text), nil, size - 1, 1000, "/index.yaml: larger than the "},
		"a small index, compressed": {packed, nil, 1 << 16, 1000, "/index.yaml: larger than the 65536"},
		"a large archive":           {nil, nil, size, 999, "/nova-1.0.0.tgz: larger than the 999 bytes"},
		"a large archive, chunked":  {nil, chunked(data), size, 999, "/nova-1.0.0.tgz: larger than the 999 bytes"},
		"an archive too large":      {nil, announced, size, 1000, "/nova-1.0.0.tgz: larger than the 1000 bytes"},
		"no bounds":                 {nil, nil, 1<<63 - 1, 1<<63 - 1, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.put("/index.yaml", text)
			h.put("/nova-1.0.0.tgz", data)
			h.handle("/index.yaml", tt.index)
			h.handle("/nova-1.0.0.tgz", tt.archive)
			c := newClient(t, Options{MaxIndex: tt.maxIndex, MaxArchive: tt.maxArchive})
			got, err := fetch(t, c, h.URL, "nova", "*")
			if tt.want == "" {
				if err != nil || got != data {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
				return
			}
			wantError(t, err, tt.want)
			if !errors.Is(err, chart.ErrLimit) {
				t.Errorf("%v is not ErrLimit", err)
			}
		})
	}
}
