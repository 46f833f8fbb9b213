package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user and the group of the image, as distroless images number it.
const nonroot = 65532

// entry is a file of the image, or a directory where its name ends in a slash.
type entry struct {
	name  string // without a slash before it
	mode  int64
	owner int
	data  []byte
}

// baseFiles are the same for every platform and, mostly, every version.
func baseFiles() []entry {
	return []entry{
		{"charts/", 0o755, 0, nil}, // SOURCE, where nothing is mounted
		{"data/", 0o755, nonroot, nil},
		{"etc/", 0o755, 0, nil},
		{"etc/group", 0o644, 0, []byte("root:x:0:\nchartserve:x:65532:\n")},
		{"etc/passwd", 0o644, 0, []byte("root:x:0:0:root:/:/sbin/nologin\nchartserve:x:65532:65532:chartserve:/:/sbin/nologin\n")},
		{"etc/ssl/", 0o755, 0, nil},
		{"etc/ssl/certs/", 0o755, 0, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, 0, authorities()},
		{"tmp/", 0o1777, 0, nil},
	}
}

// programFiles are the program for p and its licences.
func (r *release) programFiles(p platform) ([]entry, error) {
	program, err := r.programFile(p, "usr/bin/chartserve")
	if err != nil {
		return nil, err
	}
	files := []entry{
		{"usr/", 0o755, 0, nil},
		{"usr/bin/", 0o755, 0, nil},
		program,
		{"usr/share/", 0o755, 0, nil},
		{"usr/share/doc/", 0o755, 0, nil},
		{"usr/share/doc/chartserve/", 0o755, 0, nil},
	}
	licenses, err := r.licenseFiles("usr/share/doc/chartserve/")
	return append(files, licenses...), err
}

// programFile is the program for p.
func (r *release) programFile(p platform, name string) (entry, error) {
	path, err := r.binary(p)
	if err != nil {
		return entry{}, err
	}
	data, err := os.ReadFile(path)
	return entry{name: name, mode: 0o755, data: data}, err
}

// licenseFiles are the texts that come with the program, in a folder whose name ends in a
// slash, or is empty.
func (r *release) licenseFiles(folder string) ([]entry, error) {
	var files []entry
	for _, f := range [][2]string{{"LICENSE", "LICENSE"}, {"NOTICE", "NOTICE"}, {"THIRD_PARTY_LICENSES", licensesFile}} {
		data, err := os.ReadFile(filepath.Join(r.root, f[1]))
		if err != nil {
			return nil, err
		}
		files = append(files, entry{name: folder + f[0], mode: 0o644, data: data})
	}
	return files, nil
}

// authorities are Mozilla's for TLS, in PEM, but those that it distrusts in part: a file can't
// say that.
func authorities() []byte {
	b := bytes.NewBufferString("# Mozilla's authorities for TLS servers, as golang.org/x/crypto/x509roots has them.\n")
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // to memory
		}
	}
	return b.Bytes()
}

// writeTar writes files as a tar archive.
func (r *release) writeTar(w io.Writer, files ...entry) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.data)), ModTime: r.time, Typeflag: tar.TypeReg}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	return t.Close()
}

// writeFolder writes what is below a folder as a tar archive.
func (r *release) writeFolder(w io.Writer, folder string) error {
	var files []entry
	err := filepath.WalkDir(folder, func(at string, d os.DirEntry, err error) error {
		if err != nil || at == folder {
			return err
		}
		name, err := filepath.Rel(folder, at)
		if err != nil {
			return err
		}
		f := entry{name: filepath.ToSlash(name), mode: 0o644}
		if d.IsDir() {
			files = append(files, entry{name: f.name + "/", mode: 0o755})
			return nil
		}
		f.data, err = os.ReadFile(at)
		files = append(files, f)
		return err
	})
	if err != nil {
		return err
	}
	return r.writeTar(w, files...)
}
