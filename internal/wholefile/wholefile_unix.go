//go:build !windows

package wholefile

import "github.com/google/renameio/v2"

// Create begins a file of path that the umask's users may read.
func Create(path string) (File, error) {
	return renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
}

func createForAll(path string) (File, error) {
	return renameio.NewPendingFile(path, renameio.WithStaticPermissions(0o644))
}
