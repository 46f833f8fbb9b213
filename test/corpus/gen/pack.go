package gen

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"time"
)

// member is one file of an archive.
type member struct {
	name string
	data []byte
}

// pack makes the archive of a chart as `helm package` lays it out. The bytes
// depend on the members and the time alone (and on compress/gzip, which has kept
// its output for years).
func pack(members []member, at time.Time) []byte {
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	must(writeTar(zw, members, at))
	must(zw.Close())
	return out.Bytes()
}

func writeTar(w interface{ Write([]byte) (int, error) }, members []member, at time.Time) error {
	tw := tar.NewWriter(w)
	for _, m := range members {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: m.name, Mode: 0o644, Size: int64(len(m.data)), ModTime: at, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(m.data); err != nil {
			return err
		}
	}
	return tw.Close()
}

// must is for writing into memory, which fails only if this package is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
