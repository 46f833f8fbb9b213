package mirror

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"chartserve/internal/remote"
)

// What a source had is remembered in a file of its own, so that it is written only when
// the source has news, and read without being in memory whole: a JSON object on the first
// line, then one version a line. An index may have hundreds of thousands.
const (
	offerPrefix = ".mirror-" // then Source.key
	offerExt    = ".json"
	offerForm   = 1
	// maxOffers bounds the sources that are remembered; those without news for the
	// longest go first.
	maxOffers = 512
)

// offer is the first line.
type offer struct {
	Form       int               `json:"form"`
	Validators remote.Validators `json:"validators,omitzero"`
	// Versions is how many lines follow: all that is in an index, of a registry what was
	// looked at.
	Versions int `json:"versions"`
}

func (s *source) offerName() string { return offerPrefix + s.key() + offerExt }

// validators are what the source is to be asked with; zero: nothing is known of it.
func (r *run) validators(s *source) (v remote.Validators) {
	r.readOffer(s, func(o offer, _ *json.Decoder) error {
		v = o.Validators
		return nil
	})
	return v
}

// remembered returns what the source had of the charts whose names offers takes. It is
// false where that is not known.
func (r *run) remembered(s *source, offers func(name string) bool) (all []candidate, ok bool) {
	ok = r.readOffer(s, func(o offer, d *json.Decoder) error {
		for range o.Versions {
			var c candidate
			if err := d.Decode(&c); err != nil {
				return err
			}
			if offers(c.Name) {
				all = append(all, c)
			}
		}
		return nil
	})
	return all, ok
}

// readOffer reads what is noted of a source; read is given the rest of it. The result is
// false where nothing is, or what can't be used.
func (r *run) readOffer(s *source, read func(offer, *json.Decoder) error) bool {
	f, err := r.dir.Open(s.offerName())
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		defer f.Close()
		var o offer
		d := json.NewDecoder(f)
		if err = d.Decode(&o); err == nil && o.Form != offerForm {
			err = errors.New("written by another version")
		}
		if err == nil {
			err = read(o, d)
		}
	}
	if err != nil {
		r.opts.Logger.Warn("what an earlier run has noted of a source can't be used: it is asked anew", "source", s.String(), "error", err)
	}
	return err == nil
}

// offered notes what the source had.
func (r *run) offered(s *source, v remote.Validators, all []candidate) {
	if r.opts.DryRun {
		return
	}
	err := replaceFile(r.folder, s.offerName(), func(w io.Writer) error {
		e := json.NewEncoder(w)
		err := e.Encode(offer{offerForm, v, len(all)})
		for i := range all {
			err = errors.Join(err, e.Encode(&all[i]))
		}
		return err
	})
	r.unnoted(err)
}

// forgetOffers removes what is beyond maxOffers.
func forgetOffers(folder string) error {
	names, err := fs.Glob(os.DirFS(folder), offerPrefix+"*"+offerExt)
	if err != nil || len(names) <= maxOffers {
		return err
	}
	noted := map[string]int64{}
	for _, name := range names {
		if fi, err := os.Lstat(filepath.Join(folder, name)); err == nil {
			noted[name] = fi.ModTime().UnixNano()
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(noted[b], noted[a]) })
	for _, name := range names[maxOffers:] {
		err = errors.Join(err, os.Remove(filepath.Join(folder, name)))
	}
	return err
}
