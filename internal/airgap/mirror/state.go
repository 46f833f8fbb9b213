package mirror

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// The state makes a run without news cheap. It is a cache: what it says of a file
// in the repository folder holds as long as the file's size and time do.
const (
	stateName    = ".mirror.json"
	stateForm    = 3
	maxStateSize = 1 << 30
	// tempPattern is of files that the owner of the folder sweeps when a killed process
	// has left them.
	tempPattern = ".tmp-mirror-"
)

type state struct {
	Form  int             `json:"form"`
	Files map[string]seen `json:"files"` // by name, archives in the repository folder
}

// seen is an archive whose content is known.
type seen struct {
	// As is the name of the archive, where its source spells the version in another way
	// than the chart does. The rest is zero then.
	As     string              `json:"as,omitempty"`
	Digest string              `json:"digest"`
	Size   int64               `json:"size"`
	Time   time.Time           `json:"time"`
	Read   bool                `json:"read,omitempty"` // Deps were looked for
	Deps   []*chart.Dependency `json:"dependencies,omitempty"`
	Prov   bool                `json:"prov,omitempty"`
}

func newState() *state {
	return &state{Form: stateForm, Files: map[string]seen{}}
}

// loadState reads the state of a repository folder. It is empty where there is
// none; the error is about one that can't be used, and is no reason to stop.
func loadState(dir *folder.Folder) (*state, error) {
	data, err := dir.Read(stateName, maxStateSize)
	if errors.Is(err, fs.ErrNotExist) {
		return newState(), nil
	}
	s := newState()
	if err == nil {
		err = json.Unmarshal(data, s)
	}
	if err == nil && (s.Form != stateForm || s.Files == nil) {
		err = errors.New("written by another version")
	}
	if err != nil {
		return newState(), fmt.Errorf("%s: %w", dir.Path(stateName), err)
	}
	return s, nil
}

func (s *state) save(folder string) error {
	return replaceFile(folder, stateName, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}

// replaceFile writes a file in one step. It is for its owner alone: addresses in an index
// may hold keys.
func replaceFile(folder, name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(folder, tempPattern)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = write(w)
	if err = errors.Join(err, w.Flush(), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(folder, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// deliver hands over what is in the stage; false: nothing is.
func (r *run) deliver() (bool, error) {
	var entries []*index.Entry
	for _, w := range r.wants {
		if w.status != statusNew && w.status != statusStaged {
			continue
		}
		fi, err := r.stage.Root().Stat(w.file)
		if err != nil {
			return false, err
		}
		w.known.Size, w.known.Time = fi.Size(), fi.ModTime().UTC()
		entries = append(entries, w.entry)
	}
	if len(entries) > 0 {
		if err := r.stage.Send(entries); err != nil {
			return false, err
		}
	}
	r.noteFiles()
	return len(entries) > 0, nil
}

// noteFiles puts into the state what is in the repository folder now.
func (r *run) noteFiles() {
	for name, known := range r.state.Files {
		if !r.dir.Has(cmp.Or(known.As, name)) {
			delete(r.state.Files, name)
		}
	}
	for _, w := range r.wants {
		if w.file == "" || w.status == statusFailed || w.status == statusOpen {
			continue
		}
		if w.status != statusTwice {
			r.state.Files[w.file] = w.known
		}
		if w.asked != "" && w.asked != w.file {
			r.state.Files[w.asked] = seen{As: w.file}
		}
	}
}
