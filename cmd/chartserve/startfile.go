package main

import (
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/pflag"
)

// startFile is the settings file of a server, which is read at its start alone.
type startFile struct {
	name string // empty: there is none
	was  fs.FileInfo
}

func newStartFile(flags *pflag.FlagSet) startFile {
	f := startFile{name: flags.Lookup(configFlag).Value.String()}
	if f.name != "" {
		f.was, _ = os.Stat(f.name) // nil: it is gone already
	}
	return f
}

// warn says that the file has changed, to who had hoped for more.
func (f startFile) warn(logger *slog.Logger) {
	if f.was == nil {
		return
	}
	if is, err := os.Stat(f.name); err == nil && (is.Size() != f.was.Size() || !is.ModTime().Equal(f.was.ModTime())) {
		logger.Warn("the settings file has changed, and is read at the start alone: restart to have it take effect", "file", f.name)
	}
}
