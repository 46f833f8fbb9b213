package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"chartserve/internal/oci"
)

// held is what a repository must have.
type held struct {
	name      string
	tags      map[string]string // artifacts' manifests by NAME:TAG
	pushed    map[string]string // the manifest that was pushed last, by NAME:TAG@ARCHIVE
	manifests map[string]stored // by NAME@DIGEST
}

type stored struct {
	data    []byte
	archive string // of a chart, in hex; empty: it is none's
}

func (h *held) prefix() string {
	if h.name == "" {
		return ""
	}
	return h.name + "/"
}

// kept checks what the repository must have by what the writer was told.
func (w *world) kept(h *held) error {
	path := "/v2/" + h.prefix()
	for key, d := range h.tags {
		name, tag, _ := strings.Cut(key, ":")
		if c := w.view(h).Chart(name); c != nil && c.Version(tag) != nil {
			continue // the chart has it
		}
		resp, _ := w.ask("all", "HEAD", path+name+"/manifests/"+tag, nil)
		if got := resp.Header.Get("Docker-Content-Digest"); got != d && w.view(h).Chart(name).Version(tag) == nil {
			return fmt.Errorf("the artifact %s is %q, want %s", key, got, d)
		}
	}
	for key, d := range h.pushed {
		at, archive, _ := strings.Cut(key, "@")
		name, tag, _ := strings.Cut(at, ":")
		has := func() bool {
			v := w.view(h).Chart(name).Version(oci.Version(tag))
			return v != nil && v.Entry.Digest == archive
		}
		if before := w.view(h).Index; has() {
			resp, _ := w.ask("all", "HEAD", path+name+"/manifests/"+tag, nil)
			if got := resp.Header.Get("Docker-Content-Digest"); got != d && w.view(h).Index == before {
				return fmt.Errorf("the chart %s is %q, want %s", key, got, d)
			}
		}
	}
	for key, s := range h.manifests {
		name, d, _ := strings.Cut(key, "@")
		before := w.view(h)
		_, has := before.Blob(s.archive)
		resp, data := w.ask("all", "GET", path+name+"/manifests/"+d, nil)
		there := resp.StatusCode == 200 && bytes.Equal(data, s.data)
		if want := s.archive == "" || has; there != want && w.view(h) == before {
			return fmt.Errorf("the manifest %s: %s, want it: %v", key, resp.Status, want)
		}
	}
	return w.names(h)
}

// names checks the catalog for what is no chart.
func (w *world) names(h *held) error {
	want, before := map[string]bool{}, w.view(h)
	for key, s := range h.manifests {
		if name, _, _ := strings.Cut(key, "@"); s.archive == "" && before.Chart(name) == nil {
			want[h.prefix()+name] = true
		}
	}
	_, data := w.ask("all", "GET", "/v2/_catalog", nil)
	var list struct{ Repositories []string }
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for _, name := range list.Repositories {
		if strings.HasPrefix(name, "charts/") || strings.HasPrefix(name, "team/") != (h.name == "team") {
			continue
		}
		if !want[name] && w.view(h) == before {
			return fmt.Errorf("the catalog has %s, and nothing but charts was pushed there", name)
		}
		delete(want, name)
	}
	if len(want) > 0 && w.view(h) == before {
		return fmt.Errorf("the catalog has not %v", want)
	}
	return nil
}
