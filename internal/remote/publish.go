package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
)

// ErrServed is a repository that does not serve what it has taken.
var ErrServed = errors.New("what is served is not what was sent")

// Upload is an archive on its way into a repository.
type Upload struct {
	Name, Version string
	Archive       io.ReaderAt // is read from many goroutines, more than once
	Size          int64
	Digest        string // the archive's SHA-256 in hex
	Provenance    []byte // nil: there is none
	// AsGood reports whether another provenance of the same archive will do; nil: none
	// does.
	AsGood func(provenance []byte) bool
	// Force asks the server to replace what it has of that version.
	Force bool
}

// Published says how a repository has an archive.
type Published struct {
	// Unchanged says that it had it before, with the same bytes.
	Unchanged bool
	// Compared says that what it serves is what was sent. It is false where the
	// credentials are not good for reading.
	Compared bool
}

// Publish sends an archive, in a form with its provenance where it has one, and compares
// the digest that the repository lists, and the provenance that it serves, with what was
// sent. A request that failed without an answer is made again: the archive that it may
// have left there is found by its digest.
//
// The error is a *StatusError where the server refuses, or of kind ErrServed.
func (a *API) Publish(ctx context.Context, u *Upload) (Published, error) {
	body, err := u.payload()
	if err != nil {
		return Published{}, err
	}
	r := request{address: a.at("charts"), method: http.MethodPost, body: body, progress: a.c.opts.Progress}
	if u.Force {
		r.url.RawQuery = strings.TrimPrefix(r.url.RawQuery+"&force", "&")
	}
	lost, code := false, 0
	err = a.c.retry(ctx, r, func() (bool, error) {
		err := a.c.exchange(ctx, r, func(resp *http.Response, body io.Reader) error {
			if code = resp.StatusCode; code != http.StatusOK {
				return nil
			}
			return saidYes("saved")(resp, body)
		})
		lost = lost || mayBeDone(err)
		return false, err
	})
	if refused := new(StatusError); errors.As(err, &refused) && refused.Code == http.StatusConflict {
		return a.conflict(ctx, u, err, lost)
	}
	if err != nil {
		return Published{}, err
	}
	p := Published{Unchanged: code == http.StatusOK && !lost}
	p.Compared, err = a.compare(ctx, u, true)
	return p, err
}

// conflict is what becomes of an upload that the server refuses because it has that
// version: it may be the same one. ChartMuseum refuses that too.
func (a *API) conflict(ctx context.Context, u *Upload, refused error, lost bool) (Published, error) {
	same, err := a.compare(ctx, u, lost)
	switch {
	case errors.Is(err, ErrServed):
		return Published{}, fmt.Errorf("%w (%w)", refused, err)
	case err != nil || !same: // nobody can say more
		return Published{}, refused
	}
	return Published{Unchanged: !lost, Compared: true}, nil
}

// compare looks whether the server has what u is. A patient one asks more than once:
// ChartMuseum may list an upload a little later. It returns false where the credentials
// are not good for reading.
func (a *API) compare(ctx context.Context, u *Upload, patient bool) (bool, error) {
	r := request{address: a.at("charts", u.Name, u.Version)}
	err := a.c.retry(ctx, r, func() (bool, error) {
		err := a.compareOnce(ctx, u)
		if errors.Is(err, ErrServed) && !patient {
			return false, finalError{err}
		}
		return false, err
	})
	if final := new(finalError); errors.As(err, final) {
		err = final.error // it names its own request
	}
	var status *StatusError
	if errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden) {
		return false, nil
	}
	return err == nil, err
}

func (a *API) compareOnce(ctx context.Context, u *Upload) error {
	v, err := a.version(ctx, u.Name, u.Version)
	switch {
	case err != nil:
		return finalError{err} // it was tried often enough
	case v == nil:
		return fmt.Errorf("%w: %s %s is not listed", ErrServed, u.Name, u.Version)
	}
	if digest, _ := chart.ParseDigest(v.Digest); digest != u.Digest {
		return fmt.Errorf("%w: its SHA-256 is %.80s, and that here %s", ErrServed, oneLine(v.Digest), u.Digest)
	}
	if u.Provenance == nil {
		return nil
	}
	return a.compareProvenance(ctx, u, v)
}

func (a *API) compareProvenance(ctx context.Context, u *Upload, v *listed) error {
	if len(v.URLs) == 0 {
		return fmt.Errorf("%w: it lists no URL of %s %s", ErrServed, u.Name, u.Version)
	}
	to, err := a.repository.resolve(v.URLs[0])
	if err != nil {
		return err
	}
	to = to.withPath(to.url.Path + ".prov")
	data, _, err := a.c.read(ctx, request{address: to, limit: provenance.MaxSize, exact: true})
	switch {
	case gone(err):
		return fmt.Errorf("%w: there is no provenance at %s", ErrServed, to)
	case err != nil:
		return finalError{err}
	case !bytes.Equal(data, u.Provenance) && (u.AsGood == nil || !u.AsGood(data)):
		return fmt.Errorf("%w: the archive is the same, its provenance is not", ErrServed)
	}
	return nil
}

// payload is the archive as it is, or a form with its provenance.
func (u *Upload) payload() (*payload, error) {
	archive := func() io.Reader { return io.NewSectionReader(u.Archive, 0, u.Size) }
	if u.Provenance == nil {
		return &payload{kind: "application/gzip", size: u.Size, open: archive}, nil
	}
	var b bytes.Buffer
	file := u.Name + "-" + u.Version + ".tgz"
	form := multipart.NewWriter(&b)
	_, err := form.CreateFormFile("chart", file)
	head := b.Len()
	if err != nil {
		return nil, err
	}
	prov, err := form.CreateFormFile("prov", file+".prov")
	if err != nil {
		return nil, err
	}
	if _, err := prov.Write(u.Provenance); err != nil {
		return nil, err
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	return &payload{kind: form.FormDataContentType(), size: int64(b.Len()) + u.Size, open: func() io.Reader {
		return io.MultiReader(bytes.NewReader(b.Bytes()[:head]), archive(), bytes.NewReader(b.Bytes()[head:]))
	}}, nil
}

// saidYes checks an answer of 200, which any page has, for ChartMuseum's {"WORD":true}.
func saidYes(word string) func(*http.Response, io.Reader) error {
	return func(_ *http.Response, body io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(body, maxSaid))
		if err != nil {
			return err
		}
		var said map[string]any
		if json.Unmarshal(data, &said) != nil || said[word] != true {
			return finalError{errors.New("the answer is not that of a chart repository's API")}
		}
		return nil
	}
}
