package httpapi

import (
	"io"
	"net/http"
	"testing"
)

// What a small archive costs over a connection that is kept.
func BenchmarkWire(b *testing.B) {
	f := newFixture(b, Options{})
	f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", string(make([]byte, 12<<10)))))
	plain := listen(b, f.h)
	_, addr, config := serveTLS(b, f)
	for name, way := range map[string]struct {
		url    string
		client *http.Client
	}{
		"plain": {"http://" + plain, http.DefaultClient},
		"TLS":   {"https://" + addr, secureClient(b, config, false)},
		"h2":    {"https://" + addr, secureClient(b, config, true)},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := way.client.Get(way.url + "/charts/nova-1.0.0.tgz")
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}
