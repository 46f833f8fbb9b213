//go:build !unix

package watch

import "io/fs"

// identity is a directory itself, whatever its name. It is not known here, and
// events follow a renamed directory's new name by themselves or not at all.
type identity struct{}

func (identity) known() bool { return false }

func identify(fs.FileInfo) identity { return identity{} }
