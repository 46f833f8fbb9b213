package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// Repository verifies the repository at an HTTP or HTTPS address. The error is
// that of an index that can't be had, or ctx's; all else is in the Report.
func (v *Verifier) Repository(ctx context.Context, address string, c *remote.Client) (*Report, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: not a URL (write it as https://charts.example.com)", remote.ErrAddress)
	}
	w := &web{client: c, repository: address}
	r := v.newRun(w, base.Hostname(), chart.ShowURL(base))
	data, err := c.Get(ctx, address, folder.IndexName)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", chart.ShowURL(base), err)
	}
	r.index(data)
	if err := r.jobs(ctx, w.plan(r)); err != nil {
		return nil, err
	}
	return r.finish(), nil
}

// web is a repository behind an address.
type web struct {
	client     *remote.Client
	repository string
}

func (w *web) open(ctx context.Context, ref string) (io.ReadCloser, error) {
	data, err := w.client.Get(ctx, w.repository, ref)
	var status *remote.StatusError
	if errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusGone) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// plan is one job for each URL in the index. What leads outside of a site without
// a network is reported and not tried.
func (w *web) plan(r *run) []*job {
	var jobs []*job
	byRef := map[string]*job{}
	for _, e := range r.known.entries {
		u := r.followed(e)
		if u == nil || r.entryOutside(e, u) {
			continue
		}
		j := byRef[e.URL]
		if j == nil {
			j = &job{ref: e.URL, name: chart.ShowURL(u), base: path.Base(u.Path)}
			byRef[e.URL] = j
			jobs = append(jobs, j)
		}
		j.entries = append(j.entries, e)
	}
	return jobs
}
