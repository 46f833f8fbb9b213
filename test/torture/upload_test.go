//go:build linux

package torture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// upload is an archive that a client makes, with its provenance; "" is none. Without an
// archive it is an image by the tag of its version.
type upload struct {
	name, version string
	archive       []byte
	prov          string
	image         *image // what it was pushed as; nil: it was not
}

// newUpload makes one whose bytes depend on seq, of at least size bytes.
func newUpload(t testing.TB, name, version string, seq, size int, signed bool) upload {
	u := upload{name: name, version: version}
	u.archive = tarball(t,
		member{name: name + "/Chart.yaml", data: fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version)},
		member{name: name + "/values.yaml", data: fmt.Sprintf("seq: %d\n", seq)},
		member{name: name + "/files/noise", data: string(noise(size))},
	)
	if signed {
		u.prov = fmt.Sprintf("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: %s\nversion: %s\n\n...\nfiles:\n  %s: sha256:%s\n"+
			"-----BEGIN PGP SIGNATURE-----\n\n%s\n-----END PGP SIGNATURE-----\n",
			name, version, u.file(), digest(u.archive), base64.StdEncoding.EncodeToString([]byte(name)))
	}
	return u
}

func (u upload) file() string { return u.name + "-" + u.version + ".tgz" }

// form is the upload as ChartMuseum's clients send it.
func (u upload) form() (body []byte, contentType string) {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for field, data := range map[string]string{"chart": string(u.archive), "prov": u.prov} {
		if data == "" {
			continue
		}
		part, _ := w.CreateFormFile(field, u.file()) // a bytes.Buffer takes everything
		_, _ = io.WriteString(part, data)
	}
	w.Close()
	return buf.Bytes(), w.FormDataContentType()
}

// post uploads u and returns the status; query is "" or "?force".
func (u upload) post(c *http.Client, base, query string) (int, error) {
	body, kind := u.form()
	return exchange(c, http.MethodPost, base+"/api/charts"+query, kind, body)
}

func exchange(c *http.Client, method, url, kind string, body []byte) (int, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// newClient is a client of one server, with connections of its own.
func newClient(t testing.TB) *http.Client {
	c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// onlyUploads checks that the folder and the index hold exactly what want names, by file
// name, and nothing temporary.
func onlyUploads(s *server, want map[string]upload) error {
	st, err := readFolder(s.repo, nil)
	if err != nil {
		return err
	}
	if err := noTemps(s.repo); err != nil {
		return err
	}
	code, body, err := s.try("index.yaml")
	if err != nil || code != http.StatusOK || string(body) != string(st.raw) {
		return fmt.Errorf("index.yaml answers %d, %v, or is not the file", code, err)
	}
	if len(st.archives) != len(want) || len(st.index) != len(want) {
		return fmt.Errorf("%d archives, %d in the index, want %d", len(st.archives), len(st.index), len(want))
	}
	for file, u := range want {
		if d := digest(u.archive); st.archives[file] != d || st.index[strings.TrimSuffix(file, ".tgz")].Digest != d {
			return fmt.Errorf("%s has other bytes, or is not in the index", file)
		}
	}
	return nil
}
