package httpapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/access"
	"chartserve/internal/repo"
)

// sent is a request that a real client sent, and what it needs of the answer. The tests with
// real clients (test/e2e, TestOCIRequests) wrote them down, and notice when a client sends others.
type sent struct {
	Method string
	// Path has the query. {1} in it is the place of the first upload, {2} that of the second.
	Path   string
	Header map[string]string
	Text   string // the body
	Data   []byte // the body, where it is no text
	Status int
	Answer map[string]string
}

// What Helm 3 and 4, crane, oras, regctl and skopeo send is answered as when they were content
// with the answers.
func TestOCIClients(t *testing.T) {
	const folder = "testdata/clients"
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files of requests, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var steps []struct {
				Command   string
				Exchanges []sent
			}
			if err := json.Unmarshal(data, &steps); err != nil {
				t.Fatal(err)
			}
			o := Options{}
			if strings.HasSuffix(path, "-login.json") {
				if o.Access, err = access.New(access.Options{User: "ann", Password: "pass-ann", AnonymousRead: true}); err != nil {
					t.Fatal(err)
				}
			}
			u := newUploader(t, o, repo.Options{Sources: []string{folder + "/charts"}})
			for _, s := range steps {
				replay(t, u.h, s.Command, s.Exchanges)
			}
		})
	}
}

// replay sends the requests of one command, and checks the answers.
func replay(t *testing.T, h http.Handler, command string, all []sent) {
	t.Helper()
	var uploads []string
	for _, x := range all {
		path := x.Path
		for i, at := range uploads {
			path = strings.Replace(path, "{"+strconv.Itoa(i+1)+"}", at, 1)
		}
		r := httptest.NewRequest(x.Method, path, bytes.NewReader(append([]byte(x.Text), x.Data...)))
		for name, value := range x.Header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := map[string]string{}
		for _, name := range []string{"Content-Encoding", "Content-Length", "Content-Type", "Docker-Content-Digest", "Oci-Subject", "Www-Authenticate"} {
			if value := w.Header().Get(name); value != "" {
				got[name] = value
			}
		}
		if w.Code != x.Status || !maps.Equal(got, x.Answer) {
			t.Fatalf("%s: %s %s: %d %s (-want +got):\n%s", command, x.Method, x.Path, w.Code, w.Body, cmp.Diff(x.Answer, got))
		}
		if x.Method == http.MethodPost && x.Status == http.StatusAccepted {
			at, _, _ := strings.Cut(w.Header().Get("Location"), "?")
			uploads = append(uploads, at)
		}
	}
}
