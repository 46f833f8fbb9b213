package httpapi

import (
	"cmp"
	"io"
	"mime/multipart"
	"net/http"

	"chartserve/internal/provenance"
)

// Fields of the form that ChartMuseum takes.
const (
	chartField = "chart"
	provField  = "prov"
)

// form reads the files of a form one after the other, in whatever order they come. A
// field without a file name is no file.
type form struct {
	parts                 *multipart.Reader
	chartField, provField string // they count besides ChartMuseum's
	prov                  []byte // nil: there was none so far
	note                  func(error)
}

func (a *api) newForm(parts *multipart.Reader, note func(error)) *form {
	u := a.options.Uploads
	return &form{parts: parts, chartField: cmp.Or(u.ChartField, chartField), provField: cmp.Or(u.ProvField, provField), note: note}
}

// chart returns the archive, and keeps a provenance that comes before it; nil: there is
// no archive.
func (f *form) chart() (io.Reader, error) {
	for {
		part, err := f.parts.NextPart()
		if err == io.EOF { // that of a form that is cut off is wrapped
			return nil, nil
		}
		if err != nil {
			return nil, f.malformed(err)
		}
		switch field := part.FormName(); {
		case part.FileName() == "":
		case field == chartField || field == f.chartField:
			return &formFile{part, f.note}, nil
		case field != provField && field != f.provField:
		case f.prov != nil:
			return nil, twice(field)
		default:
			if f.prov, err = f.read(part); err != nil {
				return nil, err
			}
		}
	}
}

// rest reads what comes behind the archive, and returns the provenance; nil: there is
// none.
func (f *form) rest() ([]byte, error) {
	another, err := f.chart()
	if another != nil {
		err = twice(f.chartField)
	}
	return f.prov, err
}

// read reads a provenance; one that is too long is cut, and Parse refuses it.
func (f *form) read(part io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(part, provenance.MaxSize+1))
	if err != nil {
		return nil, f.malformed(err)
	}
	return data, nil
}

func (f *form) malformed(err error) error {
	f.note(err)
	return err
}

func twice(field string) error {
	return refuse(http.StatusBadRequest, "form field %s is there twice", field)
}

// formFile is a file of a form. It notes why it could not be read.
type formFile struct {
	io.Reader
	note func(error)
}

func (f *formFile) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && err != io.EOF {
		f.note(err)
	}
	return n, err
}
