package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// archived is a file of an archive: from is where its bytes are.
type archived struct {
	name string
	mode fs.FileMode
	from string
}

// archives makes one archive for each platform: a zip for Windows, a tar.gz for the others. It
// holds a folder that is named like the archive.
func (r *release) archives(ctx context.Context) error {
	if err := r.manual(ctx); err != nil {
		return err
	}
	shared, err := r.sharedFiles()
	if err != nil {
		return err
	}
	for _, p := range r.platforms {
		program, err := r.binary(p)
		if err != nil {
			return err
		}
		files := append([]archived{{p.program(), 0o755, program}}, shared...)
		if p.os == "linux" {
			for _, name := range []string{"systemd/chartserve.service", "systemd/chartserve.socket", "etc/chartserve.yaml"} {
				files = append(files, archived{name, 0o644, filepath.Join(r.root, "packaging", name)})
			}
		}
		folder := "chartserve_" + r.version + "_" + p.os + "_" + p.arch
		name, pack := folder+".tar.gz", r.writeTarGz
		if p.os == "windows" {
			name, pack = folder+".zip", r.writeZip
		}
		var packed bytes.Buffer
		if err := pack(&packed, folder, files); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := r.write(name, packed.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// sharedFiles are what stands beside the program, on every platform.
func (r *release) sharedFiles() ([]archived, error) {
	files := []archived{{"THIRD_PARTY_LICENSES", 0o644, filepath.Join(r.root, licensesFile)}}
	for _, name := range []string{"LICENSE", "NOTICE", "README.md", "CHANGELOG.md"} {
		files = append(files, archived{name, 0o644, filepath.Join(r.root, name)})
	}
	for _, folder := range []string{"completions", "man"} {
		found, err := filepath.Glob(filepath.Join(r.out, "build", folder, "*"))
		if err != nil {
			return nil, err
		}
		slices.Sort(found)
		for _, from := range found {
			files = append(files, archived{folder + "/" + filepath.Base(from), 0o644, from})
		}
	}
	return files, nil
}

// writeTarGz writes files below folder. Nobody owns them.
func (r *release) writeTarGz(w io.Writer, folder string, files []archived) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	var entries []entry
	for _, f := range files {
		data, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		entries = append(entries, entry{name: path.Join(folder, f.name), mode: int64(f.mode), data: data})
	}
	return errors.Join(r.writeTar(z, entries...), z.Close())
}

// writeZip is writeTarGz for Windows.
func (r *release) writeZip(w io.Writer, folder string, files []archived) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range files {
		data, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: path.Join(folder, f.name), Method: zip.Deflate, Modified: r.time}
		h.SetMode(f.mode)
		member, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := member.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}
