//go:build linux

package torture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// index maps NAME-VERSION to its entry.
type index map[string]entry

type entry struct{ Name, Version, Digest, URL string }

// parseIndex reads an index as a client would.
func parseIndex(data []byte) (index, error) {
	var file struct {
		APIVersion string `json:"apiVersion"`
		Entries    map[string][]struct {
			Name, Version, Digest string
			URLs                  []string
		}
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.APIVersion != "v1" || file.Entries == nil {
		return nil, errors.New("this is no index")
	}
	x := index{}
	for name, versions := range file.Entries {
		for _, v := range versions {
			if v.Name != name || len(v.Digest) != 64 || len(v.URLs) != 1 {
				return nil, fmt.Errorf("bad entry %+v below %s", v, name)
			}
			x[v.Name+"-"+v.Version] = entry{v.Name, v.Version, v.Digest, v.URLs[0]}
		}
	}
	return x, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// folderState is what a repository folder holds: archives by name to digest, and the
// index's bytes and entries.
type folderState struct {
	archives map[string]string
	raw      []byte // nil: there is no index.yaml
	index    index
}

// readFolder reads a repository folder that nobody writes to. Every archive must
// be whole, and the index must parse. known are digests of archives that are whole.
func readFolder(dir string, known map[string]bool) (*folderState, error) {
	st := &folderState{archives: map[string]string{}}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".tgz") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if st.archives[e.Name()], err = wholeArchive(filepath.Join(dir, e.Name()), known); err != nil {
			return nil, fmt.Errorf("%s is not whole: %w", e.Name(), err)
		}
	}
	st.raw, err = os.ReadFile(filepath.Join(dir, "index.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return nil, err
	}
	if st.index, err = parseIndex(st.raw); err != nil {
		return nil, fmt.Errorf("index.yaml: %w", err)
	}
	return st, nil
}

// wholeArchive reads an archive to the gzip trailer and gives its digest.
func wholeArchive(path string, known map[string]bool) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := digest(data)
	if known[sum] {
		return sum, nil
	}
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	tr, members := tar.NewReader(gz), 0
	for {
		if _, err := tr.Next(); err == io.EOF {
			break
		} else if err != nil {
			return "", err
		}
		members++
	}
	if _, err := io.Copy(io.Discard, gz); err != nil {
		return "", err
	}
	if members == 0 {
		return "", errors.New("it is empty")
	}
	return sum, nil
}

// byDigest checks that each entry's URL is a content address, with exactly these
// bytes below it.
func (st *folderState) byDigest(dir string) error {
	for name, e := range st.index {
		url, err := url.PathUnescape(e.URL)
		if err != nil {
			return err
		}
		if path.Dir(url) != "by-digest/"+e.Digest {
			return fmt.Errorf("%s: URL %q is no content address", name, e.URL)
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(url)))
		if err != nil {
			return err
		}
		if got := digest(data); got != e.Digest {
			return fmt.Errorf("%s has digest %s", url, got)
		}
	}
	return nil
}

// equals compares with the folder of a clean build: the same archives and the
// same index, byte for byte.
func (st *folderState) equals(want *folderState) error {
	for name, d := range want.archives {
		if st.archives[name] != d {
			return fmt.Errorf("%s has digest %.12s, a clean build's %.12s", name, st.archives[name], d)
		}
	}
	for name := range st.archives {
		if want.archives[name] == "" {
			return fmt.Errorf("%s is not in a clean build", name)
		}
	}
	if string(st.raw) != string(want.raw) {
		return fmt.Errorf("index.yaml is not that of a clean build: %s", firstDifference(string(st.raw), string(want.raw)))
	}
	return nil
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d is %q, want %q", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(as), len(bs))
}

// noTemps checks that nothing temporary is left anywhere in the folder.
func noTemps(dir string) error {
	return filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(filepath.Base(p), ".tmp-") {
			return fmt.Errorf("%s is left", filepath.Base(p))
		}
		return err
	})
}

// cleanBuild builds the sources from nothing into a new folder.
func cleanBuild(t testing.TB, args ...string) *folderState {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clean")
	cmd := exec.Command(program(t), append([]string{"build", "--log-level", "error", "--repo-path", dir}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("clean build: %v\n%s", err, out)
	}
	st, err := readFolder(dir, nil)
	must(t, err)
	return st
}
