package bundle

import (
	"bufio"
	"context"
	"io"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/store"
)

// stageName names the stage that bundles are put together in.
const stageName = "bundle"

// loading stages the files that a folder lacks as they pass; nil stages nothing.
type loading struct {
	ctx     context.Context
	dir     string
	present map[string]bool  // names in the folder with the right bytes
	stage   *store.Stage     // nil until something is to be staged
	staged  map[string]bool  // names in the stage with the right bytes
	file    *store.StageFile // that is written now; nil: none
	written int
}

// create begins a file in the stage, unless an interrupted Load left it there, or
// nobody wants it.
func (l *loading) create(f *File) (*bufio.Writer, error) {
	nowhere := bufio.NewWriter(io.Discard)
	if l == nil || f.ours() || l.present[f.Name] {
		return nowhere, nil
	}
	var err error
	if l.stage == nil {
		if l.stage, err = store.OpenStage(l.dir, stageName); err != nil {
			return nil, err
		}
	}
	has, err := compare(l.ctx, folder.At(l.stage.Root()), f.Name, f)
	if err != nil {
		return nil, err
	}
	if has == same {
		l.staged[f.Name] = true
		return nowhere, nil
	}
	if l.file, err = l.stage.Create(f.Name); err != nil {
		return nil, err
	}
	return bufio.NewWriter(l.file), nil
}

// finish keeps the file that was created last where its bytes are the manifest's.
func (l *loading) finish(f *File, good bool) error {
	if l == nil || l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	if !good {
		file.Discard()
		return nil
	}
	if err := file.Keep(); err != nil {
		return err
	}
	l.staged[f.Name] = true
	l.written++
	return nil
}

// deliver hands the stage over, without what an interrupted Load of another bundle
// left in it.
func (l *loading) deliver(entries []*index.Entry) error {
	if l.stage == nil {
		return nil
	}
	for _, e := range entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		for _, name := range []string{md.ArchiveName(), md.ArchiveName() + folder.ProvExt} {
			if l.staged[name] {
				continue
			}
			if err := l.stage.Remove(name); err != nil {
				return err
			}
		}
	}
	return l.stage.Deliver(entries)
}

func (l *loading) close() error {
	if l.stage == nil {
		return nil
	}
	return l.stage.Close()
}
