package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"chartserve/internal/access"
)

// visit is what the chain and the handlers know of who makes a request, and what for.
type visit struct {
	access.Identity
	chart, version string // what is uploaded or deleted; empty: not known
	reason         error  // why the answer is an error; nil: it is none
}

type visitKey struct{}

func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

// note remembers which version a request wants to write.
func note(r *http.Request, chart, version string) {
	if v := visitOf(r); v != nil {
		v.chart, v.version = chart, version
	}
}

// may reports, as an error, that the request may not do that with a chart of this name.
func (a *api) may(r *http.Request, right access.Right, chart string) error {
	if a.mayIn(r, right, a.at(r).name, chart) {
		return nil
	}
	v := visitOf(r)
	if v == nil || v.Name == "" {
		return errUnauthorized
	}
	return refuse(http.StatusForbidden, "%s may not %s charts of the name %s%s", v.Name, right, chart, a.in(r))
}

// maySome reports whether the request may do that with charts of some names in the
// repository of that name.
func (a *api) maySome(r *http.Request, right access.Right, repository string) bool {
	v := visitOf(r)
	return a.options.Access == nil || v != nil && v.MaySome(right, repository)
}

// mayIn reports whether the request may do that with a name in the repository of that name.
func (a *api) mayIn(r *http.Request, right access.Right, repository, name string) bool {
	v := visitOf(r)
	return a.options.Access == nil || v != nil && v.May(right, repository, name)
}

// readsAll reports whether the request may read all charts of all repositories.
func (a *api) readsAll(r *http.Request) bool {
	names := []string{a.root.name}
	if a.options.Repositories != nil {
		names = append(names, a.options.Repositories.Names()...)
	}
	v := visitOf(r)
	return a.options.Access == nil || v != nil && !slices.ContainsFunc(names, func(name string) bool {
		_, all := v.Readable(name)
		return !all
	})
}

// login finds out who a request is from, and refuses those who have the right that its
// method needs on no chart. Which charts may be written the handlers ask.
// Each refusal, and each request that may write, is a line in the log, and the journal has
// the last ones.
func (a *api) login(next http.Handler) http.Handler {
	if a.options.Access == nil && a.options.Uploads.Publisher == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.isOpen(r) {
			next.ServeHTTP(w, r)
			return
		}
		v := &visit{}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		defer a.audit(w, r, v)
		if err := a.identify(r, v); err != nil {
			fail(w, r, err)
			return
		}
		if out := responseOf(w); out != nil {
			out.user = v.Name
		}
		if a.options.Access != nil && a.options.Access.ReadsNeedLogin() {
			w.Header().Set("Cache-Control", "private") // see cacheIn
		}
		next.ServeHTTP(w, r)
	})
}

// isOpen reports whether a request needs no login: those that ask how the server is.
func (a *api) isOpen(r *http.Request) bool {
	path, _ := cleanPath(r.URL.Path)
	return reads(r) && a.isHealth(path)
}

// reads reports whether a request changes nothing.
func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// identify puts into v who makes a request. The error is errUnauthorized, with the reason
// for the log behind it, errSlowDown, or a refusal.
func (a *api) identify(r *http.Request, v *visit) (err error) {
	guard := a.options.Access
	if guard == nil {
		return nil
	}
	v.Identity, err = guard.Identify(r.Context(), r.Header["Authorization"], r.TLS, clientOf(r, a.options.TrustedProxies))
	right, name := needed(r), a.at(r).name
	switch {
	case errors.Is(err, access.ErrSlowDown):
		return errSlowDown
	case err != nil:
		return fmt.Errorf("%w: %w", errUnauthorized, err)
	case isWholeRegistry(r):
		return loginToRegistry(r, v)
	case v.MaySome(right, name):
		return nil
	case v.Name == "":
		return fmt.Errorf("%w: no login", errUnauthorized)
	}
	return refuse(http.StatusForbidden, "%s may not %s charts%s", v.Name, right, a.in(r))
}

// isWholeRegistry reports whether a request is for the registry and for no name in it.
func isWholeRegistry(r *http.Request) bool {
	at := placeOf(r)
	return at != nil && at.asked == "" && isRegistry(r.URL.Path)
}

// loginToRegistry lets in who may do something somewhere. At /v2/ it asks for a login also
// where everybody may read: clients find out there whether they need one, and whether theirs
// is good. Who sends an empty one, as skopeo does, has been asked.
func loginToRegistry(r *http.Request, v *visit) error {
	switch {
	case v.Name == "" && (v.MayNothing() || isPing(r)):
		return fmt.Errorf("%w: no login", errUnauthorized)
	case v.MayNothing():
		return refuse(http.StatusForbidden, "%s may do nothing here", v.Name)
	}
	return nil
}

// isPing reports whether a client asks the registry if it needs a login.
func isPing(r *http.Request) bool {
	return isWholeRegistry(r) && placeOf(r).path == "/v2/" && r.Header["Authorization"] == nil
}

// needed is the right that a request needs, on charts of some names.
func needed(r *http.Request) access.Right {
	switch {
	case isBlobUpload(r): // whatever is done to it
		return access.Upload
	case reads(r):
		return access.Read
	case r.Method == http.MethodDelete:
		return access.Delete
	}
	return access.Upload
}

// isBlobUpload reports whether a request is for the upload of a blob.
func isBlobUpload(r *http.Request) bool {
	at := placeOf(r)
	return at != nil && at.asked != "" && strings.Contains(at.path, "/blobs/uploads/")
}

// audit logs a request that was refused, or that may have written; not who only asks whether
// a login is needed, which some clients do each time.
func (a *api) audit(w http.ResponseWriter, r *http.Request, v *visit) {
	status := 0
	if out := responseOf(w); out != nil {
		status = out.status
	}
	refused := status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests
	if reads(r) && (!refused || isPing(r)) {
		return
	}
	what := "write"
	if refused {
		what = "refused"
	}
	attrs := []slog.Attr{
		slog.String("user", v.Name), slog.String("client", clientOf(r, a.options.TrustedProxies)),
		slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()), slog.Int("status", status),
		slog.String(idAttr, w.Header().Get(idHeader)),
	}
	if v.chart != "" {
		attrs = append(attrs, slog.String("chart", v.chart), slog.String("version", v.version))
	}
	if v.reason != nil {
		attrs = append(attrs, slog.String("reason", v.reason.Error()))
	}
	level := slog.LevelInfo
	if isStep(r, status) {
		level = slog.LevelDebug
	}
	// Browsers find out that they have to log in by being refused.
	asks := reads(r) && r.Header["Authorization"] == nil
	if level == slog.LevelInfo && !asks && (refused || !isBlobUpload(r)) {
		a.journal.add(a.at(r).name, a.actOf(r, v, status), refused)
	}
	a.log.LogAttrs(r.Context(), level, what, attrs...)
}

// isStep reports whether a request is one of the many on the way to what a registry's client
// wants: the first read, without a login, that finds out how to log in, or a part of an upload
// that goes on.
func isStep(r *http.Request, status int) bool {
	switch {
	case !isRegistry(r.URL.Path):
		return false
	case status == http.StatusUnauthorized:
		return reads(r) && r.Header["Authorization"] == nil
	}
	return status == http.StatusAccepted && r.Method != http.MethodDelete
}

// responseOf finds the response below what middleware has put around it; nil: it can't
// be found.
func responseOf(w http.ResponseWriter) *response {
	for {
		if out, ok := w.(*response); ok {
			return out
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
}
