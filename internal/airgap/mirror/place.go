package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// place is where one archive comes from.
type place interface {
	// save writes the archive, of limit bytes at most, and its provenance, for which
	// prov gives the file; prov is not called when there is none. digest is the
	// archive's SHA-256, empty where the caller has to find out.
	save(ctx context.Context, archive *os.File, limit int64, prov func() (*os.File, error)) (digest string, err error)
	// size is the archive's in bytes, -1 when it can't be told.
	size(ctx context.Context) (int64, error)
	// String is the address, without credentials.
	String() string
}

// webPlace is an archive in a repository, or a lone one, over HTTP.
type webPlace struct {
	up              *remote.Client
	repository, ref string
}

func (p webPlace) save(ctx context.Context, archive *os.File, limit int64, prov func() (*os.File, error)) (string, error) {
	digest, err := p.up.Save(ctx, p.repository, p.ref, archive, limit)
	if err != nil {
		return "", err
	}
	ref, err := provRef(p.ref)
	if err != nil {
		return "", err
	}
	f, err := prov()
	if err != nil {
		return "", err
	}
	_, err = p.up.Save(ctx, p.repository, ref, f, folder.MaxProv)
	if absent(err) {
		return digest, f.Truncate(0)
	}
	return digest, err
}

// absent reports whether the server has no such file. Object stores whose content
// can't be listed answer 403 for what is not there; that the archive could be had
// rules out that the credentials are wrong.
func absent(err error) bool {
	var status *remote.StatusError
	return errors.As(err, &status) &&
		(status.Code == http.StatusNotFound || status.Code == http.StatusGone || status.Code == http.StatusForbidden)
}

// provRef is where the provenance of the archive at ref is.
func provRef(ref string) (string, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return "", errors.New("the index has no valid URL for it")
	}
	u.Path += folder.ProvExt
	if u.RawPath != "" {
		u.RawPath += folder.ProvExt
	}
	return u.String(), nil
}

func (p webPlace) size(ctx context.Context) (int64, error) {
	return p.up.Size(ctx, p.repository, p.ref)
}

func (p webPlace) String() string {
	if s, err := remote.Resolve(p.repository, p.ref); err == nil {
		return chart.ShowAddress(s)
	}
	return chart.ShowAddress(p.repository + p.ref)
}

// ociPlace is one version of a chart in a registry.
type ociPlace struct {
	up               *remote.Client
	address, version string
	known            *remote.OCIChart // nil: the registry was not asked yet
}

func (p ociPlace) manifest(ctx context.Context) (*remote.OCIChart, error) {
	if p.known != nil {
		return p.known, nil
	}
	return p.up.Manifest(ctx, p.address, p.version)
}

func (p ociPlace) save(ctx context.Context, archive *os.File, limit int64, prov func() (*os.File, error)) (string, error) {
	o, err := p.manifest(ctx)
	if err != nil {
		return "", err
	}
	if o.Size > limit || o.ProvSize > folder.MaxProv {
		return "", fmt.Errorf("%s: its archive or provenance is larger than %d bytes (--max-chart-size)", p, limit)
	}
	var f *os.File
	if o.ProvSize > 0 {
		if f, err = prov(); err != nil {
			return "", err
		}
	}
	return o.Digest, p.up.SaveOCI(ctx, p.address, o, archive, f)
}

func (p ociPlace) size(ctx context.Context) (int64, error) {
	o, err := p.manifest(ctx)
	if err != nil {
		return -1, err
	}
	return o.Size, nil
}

func (p ociPlace) String() string {
	if p.version == "" {
		return p.address
	}
	return p.address + ":" + strings.ReplaceAll(p.version, "+", "_")
}

// filePlace is an archive in a local folder, or a lone one.
type filePlace struct {
	open        func(name string) (*os.File, error)
	name, shown string
}

func (p filePlace) save(_ context.Context, archive *os.File, limit int64, prov func() (*os.File, error)) (string, error) {
	if err := p.copy(archive, p.name, limit); err != nil {
		return "", err
	}
	from, err := p.open(p.name + folder.ProvExt)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.shown+folder.ProvExt, err)
	}
	from.Close() // it is only there
	f, err := prov()
	if err != nil {
		return "", err
	}
	return "", p.copy(f, p.name+folder.ProvExt, folder.MaxProv)
}

func (p filePlace) copy(to *os.File, name string, limit int64) error {
	f, err := p.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(to, io.LimitReader(f, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	return err
}

func (p filePlace) size(context.Context) (int64, error) {
	f, err := p.open(p.name)
	if err != nil {
		return -1, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return -1, err
	}
	return fi.Size(), nil
}

func (p filePlace) String() string { return p.shown }
