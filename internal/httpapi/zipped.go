package httpapi

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"chartserve/internal/index"
)

// zipped holds the gzip form of a text that the repository has only plain. It is
// made once for each text, when someone asks for it. The zero value is empty.
type zipped struct {
	last atomic.Pointer[index.Body]
	mu   sync.Mutex // held by who compresses
}

// send answers with b, compressed for who asks.
func (z *zipped) send(w http.ResponseWriter, r *http.Request, a head, b index.Body) error {
	if acceptsGzip(r.Header["Accept-Encoding"]) {
		b = z.with(b)
	}
	return sendForm(w, r, a, b)
}

// with adds the gzip form to b.
func (z *zipped) with(b index.Body) index.Body {
	if last := z.last.Load(); last != nil && last.ETag == b.ETag {
		return *last
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if last := z.last.Load(); last != nil && last.ETag == b.ETag {
		return *last
	}
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	_, err := b.Data.WriteTo(zw)
	if err != nil || zw.Close() != nil {
		return b // a buffer takes everything
	}
	b.Gzip, b.GzipETag = index.NewText(out.Bytes()), strings.TrimSuffix(b.ETag, `"`)+`-gzip"`
	z.last.Store(&b)
	return b
}
