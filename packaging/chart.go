package main

import (
	"context"
	"path/filepath"
)

// chart packages the chart of chartserve with chartserve, for this version of both. Its times
// are those of every archive that chartserve makes, so that its bytes follow from its files.
func (r *release) chart(ctx context.Context) error {
	_, err := r.output(ctx, goCommand(), "run", "-trimpath", "-buildvcs=false", "./cmd/chartserve", "package", "--strict",
		"--version", r.version, "--app-version", r.version, "--destination", r.out, filepath.Join("charts", "chartserve"))
	return err
}
