package mirror

import (
	"fmt"
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
	source *Source
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
func (r *run) plan(s *Source, all []candidate) ([]*want, error) {
	var fresh []*want
	for _, c := range all {
		w, err := r.planOne(s, c)
		if err != nil {
			if err := r.failed(failure(strings.TrimSpace(c.Name+" "+c.Version), err)); err != nil {
				return nil, err
			}
		}
		if w != nil {
			fresh = append(fresh, w)
		}
	}
	return fresh, nil
}

func (r *run) planOne(s *Source, c candidate) (*want, error) {
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
	if err := r.lookFor(w); err != nil {
		w.status = statusFailed
		return nil, err
	}
	return w, nil
}

// twice judges a second offer of an archive: the first one counts.
func (r *run) twice(first, second *want) error {
	if first.Name != second.Name || first.Version != second.Version {
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
	if other := r.spelled(w); err == nil && have.Digest == "" && other != "" {
		if have, err = r.have(other); have.Digest == w.Digest {
			w.file = other
		} else {
			have = seen{}
		}
	}
	if err != nil {
		return err
	}
	lost := have.Prov && !r.dir.Has(w.file+folder.ProvExt)
	same := have.Digest != "" && (w.Digest == "" && !r.opts.Replace || have.Digest == w.Digest)
	switch {
	case same && !lost:
		w.status, w.known = statusThere, have
		return nil
	case have.Digest != "" && !same && w.Digest != "" && !r.opts.Replace:
		return fmt.Errorf("%w: there %s, from %s %s (--replace takes the new one)", ErrConflict, have.Digest[:12], w.source, w.Digest[:12])
	}
	if r.stage != nil {
		r.lookInStage(w)
	}
	return nil
}

// spelled returns the file that the folder has of an archive whose source spells its
// version in another way than the chart does; "" where no run has noted one.
func (r *run) spelled(w *want) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byDigest == nil {
		r.byDigest = make(map[string]string, len(r.state.Files))
		for file, known := range r.state.Files {
			r.byDigest[known.Digest] = file
		}
	}
	file := r.byDigest[w.Digest]
	if version, ok := strings.CutPrefix(strings.TrimSuffix(file, ".tgz"), w.Name+"-"); ok && sameVersion(version, w.Version) {
		return file
	}
	return ""
}
