package httpapi

import (
	"encoding/json"
	"net/http"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

func healthz(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	return now(w, r, plainType, []byte("ok\n"))
}

// readyz is of all repositories.
func (a *api) readyz(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	if s.Index == nil || !a.allReady() {
		return errNotReady
	}
	return now(w, r, plainType, []byte("ready\n"))
}

func (a *api) status(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	text, err := json.MarshalIndent(statusAnswer{a.statusOf(r, s), a.others(r)}, "", "  ")
	if err != nil {
		return err
	}
	return now(w, r, jsonType, append(text, '\n'))
}

// statusAnswer is what /status answers; docs/status.schema.json describes it.
type statusAnswer struct {
	repo.Status
	Repositories []page.Repository `json:"repositories,omitempty"`
}

// statusOf is the Status of s, for who makes a request.
func (a *api) statusOf(r *http.Request, s *repo.View) repo.Status {
	st := s.Status
	if guard := a.options.Access; guard != nil && guard.Problem() != nil {
		reason := "they can't be read (the log says why)"
		if v := visitOf(r); v.Name != "" && a.readsAll(r) { // it names files and users
			reason = guard.Problem().Error()
		}
		problem := repo.Warning{Path: "access rules", Message: reason + "; those from before stay in force"}
		st.Warnings = append([]repo.Warning{problem}, st.Warnings...)
	}
	st.Kept = s.Kept()
	return st
}

// scrape has h answer, whose text is for this moment only. It is of all charts of all
// repositories, and names these.
func (a *api) scrape(h http.Handler) handler {
	return func(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
		if !a.readsAll(r) {
			return refuse(http.StatusForbidden, "the metrics are of all charts, and not all may be read with this login")
		}
		fill(w.Header(), field{"Content-Security-Policy", barePolicy}, field{"X-Content-Type-Options", "nosniff"}, field{"Cache-Control", "no-store"})
		h.ServeHTTP(w, r)
		return nil
	}
}

// now sends what holds for this moment only.
func now(w http.ResponseWriter, r *http.Request, kind string, data []byte) error {
	a := head{kind: kind, policy: barePolicy, cache: "no-store"}
	a.reply(w, r, http.StatusOK, data)
	return nil
}
