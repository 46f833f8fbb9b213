package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/index"
)

// Fetcher downloads charts from other repositories.
type Fetcher interface {
	// Fetch gives the bytes of the newest version of a chart that meets the
	// constraint, from the repository at an HTTP or HTTPS address, checked against
	// the digest in that repository's index. It is called by one goroutine.
	Fetch(ctx context.Context, repository, name string, c *semver.Constraints) ([]byte, error)
}

const (
	// fetchedName is the folder in the repository folder where downloads are kept.
	fetchedName = ".fetched"
	// fetchTimeout bounds one download, fetchRest the time until one that failed is
	// tried again.
	fetchTimeout = 2 * time.Minute
	fetchRest    = 30 * time.Second
)

// failedFetch remembers a download that failed.
type failedFetch struct {
	err error
	at  time.Time
}

// fetch implements universe: from the cache in the repository folder, else from
// the remote repository, once.
func (r *Repository) fetch(want wanted) (*archive, error) {
	dep, c := want.dep, want.constraint
	if r.opts.Fetcher == nil {
		return nil, errors.New("it is in a remote repository (--fetch-dependencies downloads it; or vendor it with `helm dependency update` in the chart's directory)")
	}
	sum := sha256.Sum256([]byte(dep.Repository))
	dir := path.Join(fetchedName, hex.EncodeToString(sum[:8]))
	if a := r.cached(dir, want); a != nil {
		return a, nil
	}
	key := dep.Repository + " " + dep.Name + " " + dep.Version
	if f, ok := r.fetchFailures[key]; ok && r.opts.Now().Sub(f.at) < fetchRest {
		return nil, f.err
	}
	r.opts.Logger.Info("downloading a dependency", "chart", dep.Name, "version", dep.Version, "repository", redacted(dep.Repository))
	if pin, err := semver.NewConstraint("=" + want.pin); err == nil && want.accepts(want.pin) {
		c = pin
	}
	a, err := r.download(dir, want, c)
	if err == nil {
		return a, nil
	}
	if r.fetchFailures == nil {
		r.fetchFailures = map[string]failedFetch{}
	}
	r.fetchFailures[key] = failedFetch{err, r.opts.Now()}
	return nil, err
}

// download fetches a chart that is wanted into the cache.
func (r *Repository) download(dir string, want wanted, c *semver.Constraints) (*archive, error) {
	ctx, cancel := context.WithTimeout(r.ctx, fetchTimeout)
	defer cancel()
	data, err := r.opts.Fetcher.Fetch(ctx, want.dep.Repository, want.dep.Name, c)
	if err != nil {
		return nil, err
	}
	a, err := r.keepFetched(dir, data)
	if err == nil && (a.entry.Name != want.dep.Name || !want.accepts(a.entry.Version)) {
		return nil, fmt.Errorf("the repository sent %s version %s", a.entry.Name, a.entry.Version)
	}
	return a, err
}

// cached is the newest archive in the cache that is wanted.
func (r *Repository) cached(dir string, want wanted) *archive {
	var best *archive
	for _, a := range r.fetchedIn(dir) {
		if a.entry.Name == want.dep.Name && want.accepts(a.entry.Version) &&
			(best == nil || want.better(a.entry.Version, best.entry.Version)) {
			best = a
		}
	}
	return best
}

// fetchedIn reads a folder of the cache the first time that it is asked for.
func (r *Repository) fetchedIn(dir string) []*archive {
	if known, ok := r.fetched[dir]; ok {
		return known
	}
	var found []*archive
	if d, err := r.folder.root.Open(dir); err == nil {
		names, _ := d.Readdirnames(-1)
		d.Close()
		for _, name := range names {
			a := r.checkStored(&archive{path: path.Join(dir, name), display: path.Join(dir, name), stored: true})
			if a != nil && a.entry != nil {
				found = append(found, a)
			}
		}
	}
	if r.fetched == nil {
		r.fetched = map[string][]*archive{}
	}
	r.fetched[dir] = found
	return found
}

// keepFetched checks a download whole and puts it into the cache.
func (r *Repository) keepFetched(dir string, data []byte) (*archive, error) {
	info, err := r.checker.Check(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the download is no good chart: %w", err)
	}
	if err := r.folder.mkdirAll(dir); err != nil {
		return nil, err
	}
	t, err := r.folder.writeTemp(r.temps.Add(1), func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return nil, err
	}
	name := path.Join(dir, info.Metadata.ArchiveName())
	if err := t.rename(name); err != nil {
		t.discard()
		return nil, err
	}
	e, err := index.NewEntry(info.Metadata, index.FileURL("", info.Metadata.ArchiveName()), info.Digest, info.Created)
	if err != nil {
		return nil, err
	}
	a := &archive{path: name, display: name, stored: true, entry: e, stamp: stampOf(t.info), read: r.opts.Now()}
	r.fetched[dir] = append(r.fetched[dir], a)
	return a, nil
}
