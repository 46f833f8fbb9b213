package layout

import (
	"crypto/rand"
	"crypto/sha256"
	_ "crypto/sha512" // digest.SHA512
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"sync"

	"github.com/opencontainers/go-digest"
)

// open are the uploads that go on, by their files.
type open struct {
	mu      sync.Mutex
	counted bool // those of an earlier process are among them
	all     map[string]*upload
}

// upload is one of them.
type upload struct {
	writing sync.Mutex // held while its file is written or finished; guards the rest
	sum     hash.Hash  // SHA-256 of the first bytes
	summed  int64      // how many
}

var idForm = regexp.MustCompile(`^[A-Z2-7]{26}$`) // of rand.Text

// fileOf is the file of an upload.
func fileOf(name, id string) (string, error) {
	folder, err := folderOf(name)
	if err != nil {
		return "", err
	}
	if !idForm.MatchString(id) {
		return "", ErrNoUpload
	}
	return path.Join(uploads, folder, id), nil
}

// Start begins an upload of a blob to a name. It goes on after a restart; one that is idle
// for a day is collected. The error is ErrTooMany where too many go on.
func (l *Layout) Start(name string) (id string, err error) {
	id = rand.Text()
	file, err := fileOf(name, id)
	if err != nil {
		return "", err
	}
	l.open.mu.Lock()
	defer l.open.mu.Unlock()
	if err := l.countUploads(); err != nil {
		return "", err
	}
	if len(l.open.all) >= maxUploads {
		maps.DeleteFunc(l.open.all, func(file string, _ *upload) bool { return l.isGone(file) })
	}
	if n := len(l.open.all); n >= maxUploads {
		return "", fmt.Errorf("%w uploads go on: %d (finish or cancel some)", ErrTooMany, n)
	}
	l.sweep.RLock()
	defer l.sweep.RUnlock()
	if err := l.mkdirAll(path.Dir(file)); err != nil {
		return "", err
	}
	f, err := l.openFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return "", err
	}
	l.open.all[file] = newUpload()
	return id, f.Close()
}

// isGone reports whether somebody has removed the file of an upload, or a disk that failed
// had let it become a blob.
func (l *Layout) isGone(file string) bool {
	_, err := l.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

func newUpload() *upload { return &upload{sum: sha256.New()} }

// countUploads finds the uploads of an earlier process, once.
func (l *Layout) countUploads() error {
	if l.open.counted {
		return nil
	}
	if l.open.all == nil {
		l.open.all = map[string]*upload{}
	}
	err := l.eachUpload(func(file string, _ fs.FileInfo) error {
		if l.open.all[file] == nil {
			l.open.all[file] = newUpload()
		}
		return nil
	})
	l.open.counted = err == nil
	return err
}

// eachUpload calls do for the file of each upload.
func (l *Layout) eachUpload(do func(file string, fi fs.FileInfo) error) error {
	names, err := l.ReadDir(uploads)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		if _, ok := nameOf(name.Name()); err != nil || !ok {
			continue
		}
		dir := path.Join(uploads, name.Name())
		files, ferr := l.ReadDir(dir)
		err = ferr
		for _, fi := range files {
			if idForm.MatchString(fi.Name()) && err == nil {
				err = do(path.Join(dir, fi.Name()), fi)
			}
		}
	}
	return err
}

// upload finds an upload. The error is ErrNoUpload if there is none.
func (l *Layout) upload(name, id string) (*upload, string, fs.FileInfo, error) {
	file, err := fileOf(name, id)
	if err != nil {
		return nil, "", nil, err
	}
	l.open.mu.Lock()
	defer l.open.mu.Unlock()
	fi, err := l.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil, ErrNoUpload
	}
	if err != nil {
		return nil, "", nil, err
	}
	if err := l.countUploads(); err != nil {
		return nil, "", nil, err
	}
	u := l.open.all[file]
	if u == nil {
		return nil, "", nil, ErrNoUpload
	}
	return u, file, fi, nil
}

// Size is how many bytes of an upload are there. The error is ErrNoUpload if there is none.
func (l *Layout) Size(name, id string) (int64, error) {
	_, _, fi, err := l.upload(name, id)
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// Append adds what r has to an upload, which must be at that byte; at -1: wherever it is. It
// returns how many bytes are there after that. What came before an error of r stays, and the
// upload can go on from there.
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
	f, err := l.openFile(file, os.O_WRONLY|os.O_APPEND)
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
	w := &summing{faultyWriter{l, f}, u, size}
	_, err = io.Copy(w, io.LimitReader(r, l.opts.MaxBlob-size+1))
	if w.size > l.opts.MaxBlob {
		return 0, errors.Join(fmt.Errorf("a blob of more than %d bytes is %w", l.opts.MaxBlob, ErrTooLarge), l.cancel(file))
	}
	return w.size, err
}

// summing writes to the end of an upload, and adds to its sum while that has all before.
type summing struct {
	faultyWriter
	u    *upload
	size int64
}

func (w *summing) Write(p []byte) (int, error) {
	n, err := w.faultyWriter.Write(p)
	if w.u.summed == w.size {
		_, _ = w.u.sum.Write(p[:n])
		w.u.summed += int64(n)
	}
	w.size += int64(n)
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
	f, err := l.openFile(file, os.O_RDWR)
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
	if err := l.syncFile(f); err != nil {
		// What a disk has failed to keep it may not report again.
		return errors.Join(err, l.cancel(file))
	}
	if err := l.adopt(name, d, file, false); err != nil {
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

// Cancel ends an upload. The error is ErrNoUpload if there is none.
func (l *Layout) Cancel(name, id string) error {
	_, file, _, err := l.upload(name, id)
	if err != nil {
		return err
	}
	return l.cancel(file)
}

// cancel forgets an upload, and removes its file if that is still there.
func (l *Layout) cancel(file string) error {
	l.open.mu.Lock()
	defer l.open.mu.Unlock()
	if err := l.remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(l.open.all, file)
	return nil
}
