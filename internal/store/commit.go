package store

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"chartserve/internal/fileid"
)

// Batch is a change of the folder that becomes visible as one.
type Batch struct {
	// Archives get their names before the index gets its own.
	Archives []*Archive
	// Links are archives that have their names already and are linked under their
	// digests too.
	Links []Link
	// Index is the new index.yaml; nil: the one that is there stays.
	Index *Staged
	// Remove are archives that the new index does not list. They are removed after
	// it has its name, with their provenance, and kept under their digests.
	Remove []Current

	// Committed is set by Commit once the archives and the index have their names,
	// durably. An error after that is of a removal.
	Committed bool
}

// Archive is a new archive of a Batch.
type Archive struct {
	// Name is the archive's name in the folder, Digest its SHA-256 in hex.
	Name, Digest string
	// Staged is nil where only the Provenance is new.
	Staged *Staged
	// Provenance becomes Name.prov; nil: what has that name stays, or is removed with
	// DropProvenance, because it is of other bytes.
	Provenance     *Staged
	DropProvenance bool
	// Remade says that all this can be made again, so that no archive need ever be beside
	// the provenance of other bytes: what is dropped goes first.
	Remade bool
	// Replaces is the archive that has the name now and is kept under its digest;
	// nil: none, or one that nobody was promised.
	Replaces *Current
	// Link says that the archive is linked under its digest too.
	Link bool

	// Named is set by Commit once archive and provenance have their names.
	Named bool
}

// Current is an archive that has its name in the folder.
type Current struct {
	Name, Digest string
	// Stamp is what was last seen of the file. A file that is another by now is not
	// kept, because its content is not known to have the digest.
	Stamp fileid.Stamp
}

// Link is an archive and its digest.
type Link struct{ Name, Digest string }

// Commit makes a batch visible, in this order:
//
//  1. Everything staged is synced, if it was not before. Links under digests are
//     made: of what is replaced or removed (Options.KeepReplaced), and of those that
//     ask for one. This is all that needs room on the disk.
//  2. Each archive and its provenance get their names; see Archive.name for the order.
//     The folder is synced.
//  3. index.yaml gets its name: the commit. The folder is synced.
//  4. What is to be removed is removed, an archive before its provenance. The folder is
//     synced.
//
// When Commit returns nil, all of it survives a power cut but for the links. A batch of
// nothing changes nothing.
//
// An error is of the folder. In step 1 it leaves all names as they were. In step 2
// Archive.Named says which archives are new; one more, or its provenance, may be. The
// index is the old one then, and archives that it lists can still be had under their
// digests if they are kept. In step 3 index.yaml may be the old one or the new one. In
// step 4 Committed is set. The files that did not get their names still belong to the
// caller, who discards them. After any error a later Commit of the rest completes the
// change.
func (s *Store) Commit(b *Batch) error {
	if err := s.prepare(b); err != nil {
		return err
	}
	for _, a := range b.Archives {
		if err := a.name(s); err != nil {
			return err
		}
		a.Named = true
	}
	if len(b.Archives) > 0 {
		if err := s.disk.SyncDir("."); err != nil {
			return err
		}
	}
	if b.Index != nil {
		s.closeLastIndex()
		if runtime.GOOS != "windows" { // where some file systems replace no open file
			s.lastIndex, _ = s.Open(IndexName) // else the rename takes longer
		}
		if err := b.Index.rename(IndexName); err != nil {
			return err
		}
		if err := s.disk.SyncDir("."); err != nil {
			return err
		}
	}
	b.Committed = true
	for _, c := range b.Remove {
		for _, name := range []string{c.Name, c.Name + provExt} {
			if err := s.removeIfThere(name); err != nil {
				return err
			}
		}
	}
	if len(b.Remove) == 0 {
		return nil
	}
	return s.disk.SyncDir(".")
}

// name gives an archive and its provenance their names. A new archive is never there
// without its provenance. One that replaces another comes first, so that the other does
// not lose its own provenance before that; where that can be made again it goes before.
func (a *Archive) name(s *Store) error {
	dropped := a.DropProvenance && a.Remade
	if dropped {
		if err := s.removeIfThere(a.Name + provExt); err != nil {
			return err
		}
	}
	first := a.Provenance != nil && a.Replaces == nil && !dropped
	if first {
		if err := a.Provenance.rename(a.Name + provExt); err != nil {
			return err
		}
	}
	if a.Staged != nil {
		if err := a.Staged.rename(a.Name); err != nil {
			return err
		}
	}
	switch {
	case a.Provenance != nil && !first:
		return a.Provenance.rename(a.Name + provExt)
	case a.DropProvenance && a.Provenance == nil && !dropped:
		return s.removeIfThere(a.Name + provExt)
	}
	return nil
}

func (s *Store) removeIfThere(name string) error {
	if err := s.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return nil
}

// prepare does what can fail for want of room.
func (s *Store) prepare(b *Batch) error {
	var kept []*Current
	for i := range b.Remove {
		kept = append(kept, &b.Remove[i])
	}
	for _, a := range b.Archives {
		for _, t := range []*Staged{a.Staged, a.Provenance} {
			if t == nil {
				continue
			}
			if err := t.Sync(); err != nil {
				return err
			}
		}
		kept = append(kept, a.Replaces)
	}
	if b.Index != nil {
		if err := b.Index.Sync(); err != nil {
			return err
		}
	}
	if err := s.keep(kept); err != nil {
		return err
	}
	return s.linkBatch(b)
}

// linkBatch links the archives that ask for it under their digests.
func (s *Store) linkBatch(b *Batch) error {
	for _, a := range b.Archives {
		if !a.Link {
			continue
		}
		archive, prov := a.Name, a.Name+provExt
		if a.Staged != nil {
			archive = a.Staged.name
		}
		switch {
		case a.Provenance != nil:
			prov = a.Provenance.name
		case a.DropProvenance:
			prov = ""
		}
		if err := s.linkDigest(archive, prov, a.Name, a.Digest); err != nil {
			return err
		}
	}
	for _, l := range b.Links {
		if err := s.linkDigest(l.Name, l.Name+provExt, l.Name, l.Digest); err != nil {
			return err
		}
	}
	return nil
}
