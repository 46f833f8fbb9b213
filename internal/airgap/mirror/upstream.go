package mirror

import (
	"context"
	"os"

	"chartserve/internal/index"
	"chartserve/internal/remote"
)

// Upstream is what a mirror needs of a client of other repositories;
// *remote.Client is one. It is used by several goroutines. Texts that it returns,
// errors among them, hold no credentials.
type Upstream interface {
	// IndexSince reads the index of a repository; nil when it is still what v
	// stands for.
	IndexSince(ctx context.Context, repository string, v remote.Validators) (*index.File, remote.Validators, error)
	// Resolve is the address that an entry's URL means, fit to be shown.
	Resolve(repository, ref string) (string, error)
	// Save writes a file of the repository into f, from f's start, and returns its
	// size in bytes and its SHA-256 in hex.
	Save(ctx context.Context, repository, ref string, f *os.File, limit int64) (int64, string, error)
	// Size is a file's length in bytes; -1 when the server doesn't tell.
	Size(ctx context.Context, repository, ref string) (int64, error)

	// Tags are the versions of the chart at an oci:// address.
	Tags(ctx context.Context, address string) ([]string, error)
	// Manifest describes one version of it.
	Manifest(ctx context.Context, address, version string) (*remote.OCIChart, error)
	// SaveOCI writes the archive and, where ProvSize is not zero, the provenance.
	SaveOCI(ctx context.Context, address string, o *remote.OCIChart, archive, prov *os.File) error
}
