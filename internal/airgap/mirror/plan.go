package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// status is how far a want is.
type status int

const (
	statusOpen   status = iota // to be fetched
	statusThere                // in the repository folder
	statusStaged               // in the stage since an earlier run
	statusNew                  // in the stage
	statusFailed
	statusTwice // the same as another want, which was seen too late
)

// want is an archive to have.
type want struct {
	candidate
	file   string // NAME-VERSION.tgz; empty: only the archive tells
	asked  string // file, as the source spells the version
	source *source
	place  place
	status status
	size   int64
	// entry is the archive's, when it is in the stage.
	entry *index.Entry
	// known is what the state is to hold of it.
	known seen
}

func (w *want) String() string {
	if w.Name == "" {
		return w.place.String()
	}
	return w.Name + " " + w.Version
}

// plan decides about each candidate of a source: whether it is wanted, and whether
// it is there. It returns the wants that are new to this run.
func (r *run) plan(s *source, all []candidate) ([]*want, error) {
	var fresh []*want
	for _, c := range all {
		w, err := r.planOne(s, c)
		if err != nil {
			if err := r.failed(strings.TrimSpace(c.Name+" "+c.Version), err); err != nil {
				return nil, err
			}
		}
		if w != nil {
			fresh = append(fresh, w)
		}
	}
	return fresh, nil
}

func (r *run) planOne(s *source, c candidate) (*want, error) {
	p, err := r.placeOf(s, c)
	if err != nil {
		return nil, err
	}
	w := &want{candidate: c, source: s, place: p}
	if c.Name != "" {
		if w.file, err = archiveName(c); err != nil {
			return nil, fmt.Errorf("from %s: %w", s, err)
		}
		if _, ok := chart.ParseDigest(c.Digest); c.Digest != "" && !ok {
			return nil, fmt.Errorf("from %s: the digest %.80q is not a SHA-256", s, c.Digest)
		}
		w.asked = w.file
		if first := r.byFile[w.file]; first != nil {
			if err := r.twice(first, w); err != nil || first.source.WithDependencies || !s.WithDependencies {
				return nil, err
			}
			source := *first.source
			source.WithDependencies, first.source = true, &source
			return first, nil // to be looked at again, for its dependencies
		}
		r.byFile[w.file] = w
	}
	r.wants = append(r.wants, w)
	if err := cmp.Or(r.lookFor(w), r.respelled(w)); err != nil {
		w.status = statusFailed
		return nil, err
	}
	return w, nil
}

// respelled enters a want whose archive was found under another spelling of the version.
func (r *run) respelled(w *want) error {
	switch first := r.byFile[w.file]; {
	case first == nil:
		r.byFile[w.file] = w
	case first != w && w.file != "":
		w.status = statusTwice
		return r.twice(first, w)
	}
	return nil
}

// twice judges a second offer of an archive: the first one counts.
func (r *run) twice(first, second *want) error {
	if first.Name != second.Name || !sameVersion(first.Version, second.Version) {
		return fmt.Errorf("its archive would have the same file name as that of %s (leave out one of them)", first)
	}
	if first.Digest != "" && second.Digest != "" && first.Digest != second.Digest {
		r.opts.Logger.Warn("two sources have different archives of one version; the source that is named first counts",
			"chart", second.Name, "version", second.Version, "taken", first.place.String(), "left", second.place.String())
	}
	return nil
}

// lookFor finds out whether an archive is in the repository folder or in the stage.
func (r *run) lookFor(w *want) error {
	if w.file == "" {
		return nil
	}
	have, err := r.have(w.file)
	if as := r.state.Files[w.file].As; err == nil && have.Digest == "" && as != "" {
		var other seen
		if other, err = r.have(as); other.Digest == w.Digest {
			have, w.file = other, as
		}
	}
	if err != nil {
		return err
	}
	lost := (have.Prov || r.opts.Vouch != nil) && !r.dir.Has(w.file+folder.ProvExt)
	same := have.Digest != "" && (w.Digest == "" && !r.opts.Replace || have.Digest == w.Digest)
	switch {
	case same && !lost:
		w.status, w.known = statusThere, have
		return nil
	case have.Digest != "" && !same && w.Digest != "" && !r.opts.Replace:
		return fmt.Errorf("%w: there %s, from %s %s (--replace takes the new one)", ErrConflict, have.Digest[:12], w.source, w.Digest[:12])
	case r.stage == nil:
		return nil
	}
	return r.lookInStage(w)
}

// have returns what is known of an archive in the repository folder; zero: there is
// none. It is read only when the state doesn't know it.
func (r *run) have(file string) (seen, error) {
	f, err := r.dir.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return seen{}, fmt.Errorf("%s: %w", r.dir.Path(file), err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return seen{}, err
	}
	if known := r.state.Files[file]; known.Size == fi.Size() && known.Time.Equal(fi.ModTime()) {
		return known, nil
	}
	digest, size, err := chart.DigestOf(f)
	return seen{Digest: digest, Size: size, Time: fi.ModTime().UTC(), Prov: r.dir.Has(file + folder.ProvExt)}, err
}

// lookInStage finds an archive that an interrupted run has fetched. It has the name that
// the chart's own spelling of the version gives it.
func (r *run) lookInStage(w *want) error {
	for _, version := range spellings(w.Version) {
		file, err := archiveName(candidate{Name: w.Name, Version: version})
		if err != nil {
			continue
		}
		if found, err := r.lookInStageFor(w, file); found || err != nil {
			return err
		}
	}
	return nil
}

func (r *run) lookInStageFor(w *want, file string) (found bool, err error) {
	stage := folder.At(r.stage.Root())
	info, err := r.check(filePlace{stage, file})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		r.opts.Logger.Warn("an archive that an interrupted run left is not whole, and is fetched again", "archive", file, "error", err)
		return false, r.stage.Remove(file)
	}
	again := *w
	if again.accept(info) != nil {
		return false, nil
	}
	again.file, again.status = file, statusStaged
	again.known.Prov = stage.Has(file + folder.ProvExt)
	if err := r.vouchedInStage(&again, stage); err != nil {
		r.opts.Logger.Warn("an archive that an interrupted run left is not to be taken, and is fetched again", "archive", file, "error", err)
		return false, r.stage.Remove(file)
	}
	*w = again
	return true, nil
}

func (r *run) vouchedInStage(w *want, stage *folder.Folder) error {
	prov, err := stage.Open(w.file + folder.ProvExt)
	if errors.Is(err, fs.ErrNotExist) {
		return r.vouched(w, strings.NewReader(""))
	}
	if err != nil {
		return err
	}
	defer prov.Close()
	return r.vouched(w, prov)
}

// archiveName is the file name of a candidate. Names and versions of sources are
// not to be trusted.
func archiveName(c candidate) (string, error) {
	md := chart.Metadata{APIVersion: chart.APIVersionV1, Name: c.Name, Version: c.Version}
	if err := md.Validate(); err != nil {
		return "", err
	}
	return md.ArchiveName(), nil
}
