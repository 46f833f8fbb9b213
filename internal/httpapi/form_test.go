package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chartserve/internal/repo"
)

// taker is a Publisher that takes whatever can be read.
type taker struct{ archive, provenance []byte }

func (p *taker) Publish(_ context.Context, archive io.Reader, o repo.PublishOptions) (done repo.Published, err error) {
	if p.archive, err = io.ReadAll(archive); err == nil && o.Provenance != nil {
		p.provenance, err = o.Provenance()
	}
	return done, err
}

func (p *taker) PublishProvenance(_ context.Context, data []byte, _ repo.PublishOptions) (repo.Published, error) {
	p.provenance = data
	return repo.Published{}, nil
}

func (p *taker) Remove(context.Context, string, string) error { return repo.ErrNoVersion }

// FuzzForm: what is taken of a form is what the standard library, which reads it whole,
// finds in the same fields; whatever else comes is refused with a text.
func FuzzForm(f *testing.F) {
	archive := strings.Repeat("archive", 100)
	for _, files := range [][]file{
		{{"chart", "/tmp/x.tgz", archive}}, {{"chart", "x", archive}, {"prov", "y", "z"}}, {{"prov", "y", "z"}, {"chart", "x", archive}},
		{{"prov", "y", "z"}}, {{"chart", "", archive}}, {{"other", "x", "y"}}, {{"chart", "x", "1"}, {"chart", "x", "2"}}, {},
		{{"signature", "y", "z"}, {"archive", "x", archive}}, {{"chart", "x", archive}, {"archive", "x", archive}},
	} {
		body, kind := formOf(f, files...)
		f.Add(body.Bytes(), kind)
		f.Add(body.Bytes()[:body.Len()/2], kind)
	}
	cut, kind := formOf(f, file{"prov", "y", "z"}, file{"other", "x", archive})
	f.Add(cut.Bytes()[:cut.Len()-100], kind)
	f.Add([]byte(archive), "application/gzip")
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=chart; filename=a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\r\n--x--"), "multipart/form-data; boundary=x")
	root := newFixture(f, Options{})
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		got := &taker{}
		h, err := New(root.src, Options{Uploads: Uploads{Publisher: got, MaxSize: 10 << 10, ChartField: "archive", ProvField: "signature"}})
		if err != nil {
			t.Fatal(err)
		}
		request := func() *http.Request {
			r := httptest.NewRequest("POST", "/api/charts", bytes.NewReader(body))
			r.Header.Set("Content-Type", kind)
			return r
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request())
		switch answer := w.Body.String(); {
		case w.Code == http.StatusCreated:
		case w.Code != 400 && w.Code != 413, !strings.HasPrefix(answer, `{"error":"`):
			t.Fatalf("%d %s", w.Code, answer)
		default:
			return
		}
		want := request()
		err = want.ParseMultipartForm(1 << 20)
		if errors.Is(err, http.ErrNotMultipart) {
			if !bytes.Equal(got.archive, body) {
				t.Error("the body is not the archive")
			}
			return
		}
		if err != nil {
			t.Fatalf("taken, and the standard library says: %v", err)
		}
		for field, data := range map[[2]string][]byte{{chartField, "archive"}: got.archive, {provField, "signature"}: got.provenance} {
			var found []byte
			if files := append(want.MultipartForm.File[field[0]], want.MultipartForm.File[field[1]]...); len(files) > 0 {
				part, err := files[0].Open()
				if err != nil {
					t.Fatal(err)
				}
				found, _ = io.ReadAll(part)
				part.Close()
			}
			if !bytes.Equal(data, found) {
				t.Errorf("%s: got %.100q, want %.100q", field, data, found)
			}
		}
	})
}
