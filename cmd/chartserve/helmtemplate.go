package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/airgap/images"
	"chartserve/internal/httpapi"
)

const (
	// helmTime, helmSize and helmMemory bound what Helm makes of one archive for a reader. Helm
	// itself takes 50 MiB, and for large charts 200.
	helmTime   = 20 * time.Second
	helmSize   = 8 << 20
	helmMemory = 1 << 30
)

// helmTemplate renders archives of the repository for readers, with nothing of this
// process's environment: no cluster, no plugins, no repositories.
type helmTemplate struct {
	helm string
	args []string
	time time.Duration
	size int
}

// findHelm finds the helm for --allow-helm-template. It is an untyped nil without the flag.
func (f *serveFlags) findHelm(ctx context.Context, log *slog.Logger) (httpapi.Renderer, error) {
	if !f.helmTemplate {
		return nil, nil
	}
	path, err := exec.LookPath("helm")
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--allow-helm-template: %w (install Helm 3 or 4, or leave the flag out)", err)
	}
	h := &helmTemplate{helm: path, time: helmTime, size: helmSize}
	var version string
	err = h.inPrivate(func(r images.Renderer) error {
		version, err = r.Version(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("--allow-helm-template: %s: %w", path, err)
	}
	v, err := semver.NewVersion(version)
	if err != nil || v.Major() < 3 {
		return nil, fmt.Errorf("--allow-helm-template: %s is %q, and neither Helm 3 nor 4 (put one of these first in PATH)", path, version)
	}
	if !v.LessThan(semver.New(3, 16, 0, "", "")) {
		// A schema may refer to URLs and files of this machine, which Helm would read.
		h.args = []string{"--skip-schema-validation"}
	}
	log.Info("readers can have charts rendered", "helm", path, "version", version)
	return h, nil
}

// inPrivate calls do with a Renderer that has a new folder to itself.
func (h *helmTemplate) inPrivate(do func(images.Renderer) error) error {
	dir, err := os.MkdirTemp("", "chartserve-helm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return do(images.Renderer{Helm: h.helm, Args: h.args, Home: dir, Timeout: h.time, Limit: h.size, Memory: helmMemory})
}

// Render is httpapi.Renderer's.
func (h *helmTemplate) Render(ctx context.Context, archive io.Reader) (manifests []byte, problem string, err error) {
	const name = "chart.tgz"
	err = h.inPrivate(func(r images.Renderer) error {
		f, err := os.Create(filepath.Join(r.Home, name))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, archive)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		manifests, err = r.Render(ctx, name)
		if err == nil || ctx.Err() != nil || errors.As(err, new(*fs.PathError)) { // the last: helm is gone
			return err
		}
		manifests, problem = nil, err.Error()
		return nil
	})
	return manifests, problem, err
}
