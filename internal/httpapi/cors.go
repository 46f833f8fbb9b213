package httpapi

import (
	"fmt"
	"net/http"
	"strings"
)

const anyOrigin = "*"

// checkOrigin refuses an Options.CORSOrigin that no browser would send.
func checkOrigin(origin string) error {
	if origin == "" || origin == anyOrigin {
		return nil
	}
	err := http.NewCrossOriginProtection().AddTrustedOrigin(origin)
	if err != nil || origin != strings.ToLower(origin) || strings.Contains(origin, "*") { // browsers compare bytes
		return fmt.Errorf("origin %q: write * alone, or a scheme, a host and perhaps a port in lower case, such as https://ui.example.com", origin)
	}
	return nil
}

// cors lets pages of origin read what is answered (the CORS protocol of the Fetch
// standard), and answers what browsers ask before they send a login, write or delete.
// They send no login of their own accord, as nothing here allows credentials.
func cors(origin string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if origin == "" {
			return next
		}
		methods := "GET, HEAD, POST, PUT, DELETE"
		if origin == anyOrigin {
			methods = "GET, HEAD" // see sameOrigin
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
				h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, Link, Docker-Content-Digest, "+idHeader)
				next.ServeHTTP(w, r)
				return
			}
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", "Authorization, Accept, Content-Type, If-Match, If-None-Match, Range, "+idHeader)
			h.Set("Access-Control-Max-Age", "600") // seconds
			w.WriteHeader(http.StatusNoContent)
		})
	}
}
