package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
)

// provenance checks the provenance file of an archive, where there is one.
func (r *run) provenance(ctx context.Context, j *job, c *pkgr.Chart, digest string) {
	file := j.name + folder.ProvExt
	body, err := r.place.open(ctx, j.ref+folder.ProvExt) // as Helm asks for it, behind a query too
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.opts.RequireProvenance {
			r.error(file, "", "missing: nobody vouches for the archive", "copy it from where the chart came from, or sign the chart with helm package --sign")
		}
		return
	case ctx.Err() != nil:
		return
	case err != nil:
		r.error(file, "", err.Error(), "see that it can be read")
		return
	}
	defer body.Close()
	r.totals.Lock()
	r.report.Provenance++
	r.totals.Unlock()
	data, err := chart.ReadAtMost(body, provenance.MaxSize)
	if err != nil && !errors.Is(err, chart.ErrLimit) {
		r.error(file, "", err.Error(), "see that it can be read")
		return
	}
	if err == nil {
		err = r.vouched(data, j.base, digest, c.Metadata)
	}
	if err != nil {
		r.err(file, err, "sign the chart again with helm package --sign")
	}
}

// vouched reports whether the provenance in data is for this archive, and signed.
func (r *run) vouched(data []byte, base, digest string, md *chart.Metadata) error {
	s, err := provenance.Parse(data)
	if err != nil {
		return err
	}
	var by provenance.Signer
	if r.opts.Keyring != nil {
		if by, err = r.opts.Keyring.Verify(s, r.opts.Now()); err != nil {
			return err
		}
	}
	if err := s.Covers(base, digest); err != nil {
		return err
	}
	if fields := differing(s.Metadata, md); len(fields) > 0 {
		return fmt.Errorf("what was signed is not what the archive's Chart.yaml says: %s", strings.Join(fields, ", "))
	}
	if r.opts.Keyring != nil {
		r.totals.Lock()
		defer r.totals.Unlock()
		r.by[by]++
	}
	return nil
}
