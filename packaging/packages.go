package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// maintainer is who the packages name. The top-level domain is RFC 2606's for what is no address.
const maintainer = "The chartserve maintainers <maintainers@chartserve.invalid>"

// packages makes a deb and an rpm for each Linux: nfpm.yaml says of what.
func (r *release) packages(ctx context.Context) error {
	if err := errors.Join(r.manual(ctx), r.packageManual(), r.packageChanges()); err != nil {
		return err
	}
	for _, p := range r.platforms {
		if p.os != "linux" {
			continue
		}
		program, err := r.binary(p)
		if err != nil {
			return err
		}
		for _, format := range []string{"deb", "rpm"} {
			if err := r.pack(format, p, program); err != nil {
				return fmt.Errorf("%s for %s: %w", format, p, err)
			}
		}
	}
	return nil
}

// pack makes one package, under the name that its format has for it.
func (r *release) pack(format string, p platform, program string) error {
	values := map[string]string{"VERSION": r.version, "ARCH": p.arch, "PROGRAM": program, "BUILD": filepath.Join(r.out, "build"), "MAINTAINER": maintainer}
	if p.arch == "arm" {
		values["ARCH"] = "arm6" // goEnvironment's
	}
	config, err := nfpm.ParseFileWithEnvMapping("nfpm.yaml", func(name string) string { return values[name] })
	if err != nil {
		return err
	}
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info.MTime, info.Changelog = r.time, filepath.Join(values["BUILD"], "changelog.yaml")
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	var made bytes.Buffer
	if err := packager.Package(info, &made); err != nil {
		return err
	}
	return r.write(packager.ConventionalFileName(info), made.Bytes())
}

// packageChanges writes the changelogs: one of the package, in the form that nfpm reads, and
// CHANGELOG.md compressed, as Debian has it.
func (r *release) packageChanges() error {
	const entry = `- semver: %s-1
  date: %s
  packager: %s
  deb: {distributions: [unstable], urgency: medium}
  changes: [{note: "Version %[1]s of chartserve: its own changelog has what is new."}]
`
	text, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	return errors.Join(
		r.writeGzip(filepath.Join("build", "changelog.gz"), text),
		r.write(filepath.Join("build", "changelog.yaml"), fmt.Appendf(nil, entry, r.version, r.time.Format(time.RFC3339), maintainer)))
}

// packageManual compresses the man pages.
func (r *release) packageManual() error {
	if err := os.RemoveAll(filepath.Join(r.out, "build", "man.gz")); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(r.out, "build", "man", "*"))
	if err != nil {
		return err
	}
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := r.writeGzip(filepath.Join("build", "man.gz", filepath.Base(path)+".gz"), page); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) writeGzip(name string, data []byte) error {
	var compressed bytes.Buffer
	z, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return r.write(name, compressed.Bytes())
}
