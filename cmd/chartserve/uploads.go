package main

import (
	"log/slog"

	"github.com/spf13/pflag"

	"chartserve/internal/access"
	"chartserve/internal/httpapi"
	"chartserve/internal/layout"
	"chartserve/internal/listen"
)

// minUpload is the least that --max-upload-size and --max-blob-size take: no archive is smaller.
const minUpload = 1 << 10

// uploadFlags say what may be written over HTTP. Where ChartMuseum has a flag for it, it
// has ChartMuseum's name.
type uploadFlags struct {
	allow, overwrite, noForce, noDelete bool

	size, blob            byteSize
	chartField, provField string
}

func (f *uploadFlags) register(flags *pflag.FlagSet) {
	defer titled(flags, uploadTitle)()
	f.size, f.blob = httpapi.DefaultMaxUpload, layout.DefaultMaxBlob
	flags.BoolVar(&f.allow, "allow-upload", false, "let clients upload and delete charts, with ChartMuseum's API, PUT and helm push; nothing can be written over HTTP without it")
	flags.Var(&f.size, "max-upload-size", "largest `SIZE` of an upload, such as 20MiB")
	flags.Var(&f.blob, "max-blob-size", "largest `SIZE` of a blob that is pushed as to a registry, such as a layer of an image; --max-upload-size bounds a chart there too")
	flags.BoolVar(&f.overwrite, "allow-overwrite", false, "let an upload replace a version that is there with other content, also where it does not ask for that (?force)")
	flags.BoolVar(&f.noForce, "disable-force-overwrite", false, "let no upload replace a version by asking for it (?force)")
	flags.BoolVar(&f.noDelete, "disable-delete", false, "let clients delete nothing")
	flags.StringVar(&f.chartField, "chart-post-form-field-name", "", "`FIELD` of a form that holds the archive, besides chart")
	flags.StringVar(&f.provField, "prov-post-form-field-name", "", "`FIELD` of a form that holds the provenance, besides prov")
}

// check refuses what can't be meant.
func (f *uploadFlags) check() error {
	for name, size := range map[string]byteSize{"max-upload-size": f.size, "max-blob-size": f.blob} {
		if size < minUpload {
			return usagef("invalid value %q for --%s: write 1KiB or more", size.String(), name)
		}
	}
	for _, x := range []struct {
		name string
		set  bool
	}{{"allow-overwrite", f.overwrite}, {"disable-force-overwrite", f.noForce}, {"disable-delete", f.noDelete},
		{"chart-post-form-field-name", f.chartField != ""}, {"prov-post-form-field-name", f.provField != ""}} {
		if x.set && !f.allow {
			return usagef("--%s does nothing without --allow-upload", x.name)
		}
	}
	return nil
}

// warn says so where the whole network may write.
func (f *uploadFlags) warn(l *listen.Listeners, guard *access.Guard, logger *slog.Logger) {
	if f.allow && guard == nil && l.First() != nil && !l.LoopbackOnly() {
		logger.Warn("whoever reaches this server may upload and delete charts: say who may with --htpasswd, --token-file or --access")
	}
}

// uploads is what the server offers of p.
func (f *uploadFlags) uploads(p httpapi.Publisher) httpapi.Uploads {
	if !f.allow {
		return httpapi.Uploads{}
	}
	return httpapi.Uploads{
		Publisher: p, MaxSize: int64(f.size), MaxBlob: int64(f.blob), Overwrite: f.overwrite, NoForce: f.noForce, NoDelete: f.noDelete,
		ChartField: f.chartField, ProvField: f.provField,
	}
}

// contextPath is what clients that upload are told in the index; empty: nothing.
func (f *uploadFlags) contextPath(path string) string {
	if !f.allow || path == "/" {
		return ""
	}
	return path
}
