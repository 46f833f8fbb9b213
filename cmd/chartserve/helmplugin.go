package main

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// withHelm ends ctx when helm ends, in a process that is its plugin: a signal that is sent to
// helm alone, as by "helm serve & kill $!", does not reach a plugin.
func withHelm(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if !isHelmPlugin(os.Getenv("HELM_PLUGIN_DIR")) {
		return ctx, cancel
	}
	helm := os.Getppid()
	go func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if os.Getppid() != helm { // never so on Windows
					cancel()
				}
			}
		}
	}()
	return ctx, cancel
}

// isHelmPlugin reports whether this program lies in dir, the folder of the plugin that helm
// says it runs. What another plugin starts inherits the variable, and may outlive helm.
func isHelmPlugin(dir string) bool {
	program, err := os.Executable()
	if err != nil || dir == "" {
		return false
	}
	there, err := os.Stat(dir)
	if err != nil {
		return false
	}
	here, err := os.Stat(filepath.Dir(program))
	return err == nil && os.SameFile(there, here)
}
