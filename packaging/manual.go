package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// completions writes what a shell completes with, by the shell's own name for such a file, into
// DIR/build/completions. The program that is asked is one for this machine.
func (r *release) completions(ctx context.Context) error {
	for shell, name := range map[string]string{"bash": "chartserve", "zsh": "_chartserve", "fish": "chartserve.fish"} {
		script, err := r.output(ctx, goCommand(), "run", "-trimpath", "-buildvcs=false", "./cmd/chartserve", "completion", shell)
		if err != nil {
			return fmt.Errorf("completion of %s: %w", shell, err)
		}
		if err := r.write(filepath.Join("build", "completions", name), []byte(script+"\n")); err != nil {
			return err
		}
	}
	return nil
}

// write makes a file in DIR, and the folders above it.
func (r *release) write(name string, data []byte) error {
	path := filepath.Join(r.out, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
