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
	"chartserve/internal/provenance"
	"chartserve/internal/remote"
)

// place is where one archive comes from.
type place interface {
	// save writes the archive, of limit bytes at most, and its provenance; the file
	// for that stays empty when there is none.
	save(ctx context.Context, archive, prov *os.File, limit int64) error
	// size is the archive's in bytes, -1 when it can't be told.
	size(ctx context.Context) (int64, error)
	// String is the address, without credentials.
	String() string
}

// placeOf is where a candidate of the source comes from.
func (r *run) placeOf(s *source, c candidate) (place, error) {
	switch up := r.upstream(s); {
	case s.kind == kindLocal:
		return c.local, nil
	case s.kind == kindOCI:
		return ociPlace{up, s.oci.address, c.Ref, c.oci}, nil
	case s.kind == kindArchive:
		return webPlace{up, "", s.Address}, nil
	case strings.HasPrefix(c.Ref, "oci://"):
		ref, err := parseOCI(c.Ref)
		if ref.version == "" && !ref.pinned() {
			ref.version = c.Version // as Helm's getter for registries does
		}
		return ociPlace{up, ref.address, ref.version, nil}, err
	default:
		return webPlace{up, s.Address, c.Ref}, nil
	}
}

// webPlace is an archive in a repository, or a lone one, over HTTP.
type webPlace struct {
	up              *remote.Client
	repository, ref string
}

func (p webPlace) save(ctx context.Context, archive, prov *os.File, limit int64) error {
	if _, err := p.up.Save(ctx, p.repository, p.ref, archive, limit); err != nil {
		return err
	}
	ref, err := url.Parse(p.ref)
	if err != nil {
		return errors.New("the index has no valid URL for it")
	}
	ref.Path += folder.ProvExt
	if ref.RawPath != "" {
		ref.RawPath += folder.ProvExt
	}
	_, err = p.up.Save(ctx, p.repository, ref.String(), prov, provenance.MaxSize)
	if absent(err) {
		return prov.Truncate(0)
	}
	return err
}

// absent reports whether the server has no such file. Object stores whose content
// can't be listed answer 403 for what is not there; that the archive could be had
// rules out that the credentials are wrong.
func absent(err error) bool {
	var status *remote.StatusError
	return errors.As(err, &status) &&
		(status.Code == http.StatusNotFound || status.Code == http.StatusGone || status.Code == http.StatusForbidden)
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

func (p ociPlace) save(ctx context.Context, archive, prov *os.File, limit int64) error {
	o, err := p.manifest(ctx)
	if err != nil {
		return err
	}
	if o.Size > limit || o.ProvSize > provenance.MaxSize {
		return fmt.Errorf("%s: its archive or provenance is larger than %d bytes (--max-chart-size)", p, limit)
	}
	return p.up.SaveOCI(ctx, p.address, o, archive, prov)
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

// filePlace is an archive in a local folder, or a lone one where dir is nil.
type filePlace struct {
	dir  *folder.Folder
	name string
}

// open opens the archive, or what has its name with ext behind it.
func (p filePlace) open(ext string) (*os.File, error) {
	if p.dir == nil {
		return folder.OpenFile(p.name + ext)
	}
	return p.dir.Open(p.name + ext)
}

func (p filePlace) save(_ context.Context, archive, prov *os.File, limit int64) error {
	if err := p.copy(archive, "", limit); err != nil {
		return err
	}
	if err := p.copy(prov, folder.ProvExt, provenance.MaxSize); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s%s: %w", p, folder.ProvExt, err)
	}
	return nil
}

func (p filePlace) copy(to *os.File, ext string, limit int64) error {
	f, err := p.open(ext)
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
	f, err := p.open("")
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

func (p filePlace) String() string {
	if p.dir == nil {
		return p.name
	}
	return p.dir.Path(p.name)
}
