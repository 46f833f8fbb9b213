package mirror

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
	"chartserve/internal/remote"
	"chartserve/internal/store"
)

// fetchAll fetches what is open, several at once.
func (r *run) fetchAll(ctx context.Context, wants []*want) error {
	open := stillOpen(wants)
	r.total.Add(int64(len(open)))
	r.tell(0)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.opts.Jobs)
	for _, w := range open {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			err := r.fetch(gctx, w)
			r.tell(1)
			if err != nil {
				w.status = statusFailed
				return r.failed(w.String(), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

func stillOpen(wants []*want) (open []*want) {
	for _, w := range wants {
		if w.status == statusOpen {
			open = append(open, w)
		}
	}
	return open
}

func (r *run) tell(done int64) {
	if n := r.done.Add(done); r.opts.Progress != nil {
		r.opts.Progress(int(n), int(r.total.Load()))
	}
}

// fetch gets one archive into the stage. The archive gets its name last: with it
// there, its provenance is decided too.
func (r *run) fetch(ctx context.Context, w *want) error {
	f, err := r.stage.Create()
	if err != nil {
		return err
	}
	defer f.Discard()
	prov, err := r.stage.Create()
	if err != nil {
		return err
	}
	defer prov.Discard()
	if err := w.place.save(ctx, f.File(), prov.File(), r.opts.Limits.Chart); err != nil {
		return err
	}
	if _, web := w.place.(webPlace); web && w.Name != "" && w.Digest == "" {
		r.opts.Logger.Warn("the index names no digest for a chart: the download can't be verified",
			"chart", w.Name, "version", w.Version, "url", w.place.String())
	}
	if err := r.examine(w, f.File()); err != nil {
		return err
	}
	if file, err := archiveName(w.candidate); err != nil || file != w.file {
		if err := r.named(w); err != nil || w.status != statusOpen {
			return err
		}
	}
	if err := r.vouched(w, prov.File()); err != nil {
		return err
	}
	if err := r.keepProv(w, prov); err != nil {
		return err
	}
	if err := f.Keep(w.file); err != nil {
		return err
	}
	w.status = statusNew
	return nil
}

// examine reads an archive whole and holds it against what its source said. It
// fills in the rest of the want.
func (r *run) examine(w *want, f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	c, info, err := r.checker.Examine(f)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	w.known.Deps, w.known.Read = missingDeps(c), true
	return w.accept(info)
}

// accept takes over what an archive says of itself. One that nobody dates is of now.
func (w *want) accept(info *pkgr.Info) error {
	md := info.Metadata
	if w.Digest != "" && w.Digest != info.Digest {
		return fmt.Errorf("%w: its SHA-256 is %s, %s says %s", ErrMismatch, info.Digest, w.source, w.Digest)
	}
	if w.Name != "" && (w.Name != md.Name || !sameVersion(w.Version, md.Version)) {
		return fmt.Errorf("%w: it is %s %s", ErrMismatch, md.Name, md.Version)
	}
	file := md.ArchiveName()
	e, err := index.NewEntry(md, index.FileURL("", file), info.Digest, index.Dates{Listed: w.Created, Member: info.Created}.Created(time.Now()))
	if err != nil {
		return err
	}
	w.Name, w.Version, w.Digest, w.Created = md.Name, md.Version, info.Digest, e.Created
	w.size, w.entry, w.known.Digest = info.Size, e, info.Digest
	return nil
}

// named names an archive whose name was not known before it was there, or was spelled
// in another way, and looks again whether the folder has it already.
func (r *run) named(w *want) error {
	var err error
	if w.file, err = archiveName(w.candidate); err != nil {
		return err
	}
	r.mu.Lock()
	first := r.byFile[w.file]
	if first == nil {
		r.byFile[w.file] = w
	}
	r.mu.Unlock()
	if first != nil {
		w.status = statusTwice
		return r.twice(first, w)
	}
	if w.source.kind == kindArchive {
		r.offered(w.source, remote.Validators{}, []candidate{w.candidate})
	}
	fetched := w.known
	if err := r.lookFor(w); err != nil {
		return err
	}
	if w.status == statusThere {
		w.known.Deps, w.known.Read = fetched.Deps, fetched.Read
		return nil
	}
	w.status, w.known = statusOpen, fetched
	return nil
}

// vouched reports why an archive is not to be taken, by what came as its provenance.
func (r *run) vouched(w *want, prov io.ReaderAt) error {
	if r.opts.Vouch == nil {
		return nil
	}
	data, err := io.ReadAll(io.NewSectionReader(prov, 0, provenance.MaxSize))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(data, []byte(provHead)) {
		data = nil
	}
	return r.opts.Vouch(data, w.file, w.Digest)
}

// provHead is how a provenance file begins.
const provHead = "-----BEGIN PGP SIGNED MESSAGE-----"

// keepProv keeps what came as provenance, where it is that: some servers answer
// with a page in place of a status 404.
func (r *run) keepProv(w *want, prov *store.Staged) error {
	head := make([]byte, len(provHead))
	n, err := prov.File().ReadAt(head, 0)
	switch {
	case err != nil && err != io.EOF:
		return err
	case string(head) == provHead:
		w.known.Prov = true
		return prov.Keep(w.file + folder.ProvExt)
	case n > 0:
		r.opts.Logger.Warn("what stands in the place of a chart's provenance is none and is left out",
			"chart", w.Name, "version", w.Version, "url", w.place.String()+folder.ProvExt)
	}
	return r.stage.Remove(w.file + folder.ProvExt)
}
