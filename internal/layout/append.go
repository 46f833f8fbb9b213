package layout

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"
)

// Append adds what r has to an upload, which must be at that byte; at -1: wherever it is. It
// returns how many bytes are there after that. What came before an error of r stays, and the
// upload can go on from there. Where the disk fails nothing of r stays: a full one would remain
// full of uploads that their clients have given up.
//
// The error is ErrNoUpload if there is none, ErrOrder if it is at another byte or another
// call adds to it, and ErrTooLarge above Options.MaxBlob, when the upload is cancelled.
func (l *Layout) Append(name, id string, at int64, r io.Reader) (size int64, err error) {
	u, file, fi, err := l.upload(name, id)
	if err != nil {
		return 0, err
	}
	if !u.writing.TryLock() {
		return fi.Size(), fmt.Errorf("%w: another request adds to it", ErrOrder)
	}
	defer u.writing.Unlock()
	f, err := l.files.OpenFile(file, os.O_WRONLY|os.O_APPEND)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrNoUpload
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return 0, err
	}
	size = fi.Size()
	if at >= 0 && at != size {
		return size, fmt.Errorf("%w: it is at %d, not %d", ErrOrder, size, at)
	}
	w := &summing{to: l.files.Writer(f), u: u, size: size}
	_, err = io.Copy(w, io.LimitReader(r, l.opts.MaxBlob-size+1))
	if w.failed {
		u.sum, u.summed = sha256.New(), 0 // Finish reads it all
		return size, errors.Join(err, f.Truncate(size))
	}
	if w.size > l.opts.MaxBlob {
		return 0, errors.Join(fmt.Errorf("a blob of more than %d bytes is %w (the server's --max-blob-size)", l.opts.MaxBlob, ErrTooLarge), l.cancel(file))
	}
	return w.size, err
}

// summing writes to the end of an upload, and adds to its sum while that has all before.
type summing struct {
	to     io.Writer
	u      *upload
	size   int64
	failed bool // a write has
}

func (w *summing) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if w.u.summed == w.size {
		_, _ = w.u.sum.Write(p[:n])
		w.u.summed += int64(n)
	}
	w.size += int64(n)
	w.failed = err != nil
	return n, err
}

// Finish makes a finished upload a blob of its name. The error is ErrNoUpload if there is
// none, ErrOrder if another call adds to it, and ErrDigest if it has another digest, when it
// is cancelled.
func (l *Layout) Finish(name, id string, d digest.Digest) error {
	if _, err := blobOf(name, d); err != nil {
		return err
	}
	u, file, _, err := l.upload(name, id)
	if err != nil {
		return err
	}
	if !u.writing.TryLock() {
		return fmt.Errorf("%w: another request adds to it", ErrOrder)
	}
	defer u.writing.Unlock()
	f, err := l.files.OpenFile(file, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoUpload
	}
	if err != nil {
		return err
	}
	got, err := u.digest(f, d.Algorithm())
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if got != d {
		return errors.Join(fmt.Errorf("%w: it is %s, not %s", ErrDigest, got, d), f.Close(), l.cancel(file))
	}
	if err := l.files.SyncFile(f); err != nil {
		// What a disk has failed to keep it may not report again.
		return errors.Join(err, l.cancel(file))
	}
	switch err := l.adopt(name, d, file, false); {
	case errors.Is(err, fs.ErrNotExist) && l.isGone(file): // it was cancelled meanwhile
		return ErrNoUpload
	case err != nil:
		return err
	}
	return l.cancel(file)
}

// digest is that of the whole file. Of what is summed already nothing is read again.
func (u *upload) digest(f *os.File, alg digest.Algorithm) (digest.Digest, error) {
	if alg != digest.SHA256 {
		return alg.FromReader(f)
	}
	if _, err := f.Seek(u.summed, io.SeekStart); err != nil {
		return "", err
	}
	n, err := io.Copy(u.sum, f)
	u.summed += n
	return digest.NewDigest(digest.SHA256, u.sum), err
}
