package layout

import (
	"crypto/rand"
	"crypto/sha256"
	_ "crypto/sha512" // digest.SHA512
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"sync"
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
	if err := l.files.MkdirAll(path.Dir(file)); err != nil {
		return "", err
	}
	f, err := l.files.Create(file)
	if err != nil {
		return "", err
	}
	l.open.all[file] = newUpload()
	return id, f.Close()
}

// isGone reports whether somebody has removed the file of an upload, or a disk that failed
// had let it become a blob.
func (l *Layout) isGone(file string) bool {
	_, err := l.files.Stat(file)
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
	names, err := l.files.ReadDir(uploads)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		if _, ok := nameOf(name.Name()); err != nil || !ok {
			continue
		}
		dir := path.Join(uploads, name.Name())
		files, ferr := l.files.ReadDir(dir)
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
	fi, err := l.files.Stat(file)
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
	if err := l.files.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l.open.mu.Lock()
	defer l.open.mu.Unlock()
	delete(l.open.all, file)
	return nil
}
