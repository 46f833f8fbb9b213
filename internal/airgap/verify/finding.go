package verify

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"sync"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
)

// Report is what was verified, and what is wrong.
type Report struct {
	// Repository is the folder or the address, without credentials.
	Repository string `json:"repository"`
	// Entries are those of the index, Archives the ones that were read, Bytes their
	// size together.
	Entries  int   `json:"entries"`
	Archives int   `json:"archives"`
	Bytes    int64 `json:"bytes"`
	// Provenance counts the provenance files.
	Provenance int `json:"provenance"`
	// SignaturesChecked is false without a keyring: then of each provenance only
	// the file name, the digest and the metadata were compared.
	SignaturesChecked bool `json:"signaturesChecked"`
	// Signers made the signatures that are good, sorted by fingerprint.
	Signers []Signer `json:"signers"`
	// Findings are sorted by file, field and problem; never nil.
	Findings chart.Errors `json:"findings"`
}

// Signer is a key of the keyring, and how many archives it vouches for.
type Signer struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Archives    int    `json:"archives"`
}

// maxFindings bounds what is reported of one file; one more says how many there are.
const maxFindings = 100

// findings collects them by file, from any goroutine.
type findings struct {
	mu    sync.Mutex
	list  chart.Errors
	count map[string]int
}

func (fs *findings) add(f *chart.Error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.count == nil {
		fs.count = map[string]int{}
	}
	if fs.count[f.File]++; fs.count[f.File] <= fs.limit(f.File) {
		fs.list = append(fs.list, f)
	}
}

// limit is higher for the index, which speaks of all charts.
func (fs *findings) limit(file string) int {
	if file == folder.IndexName {
		return 100 * maxFindings
	}
	return maxFindings
}

func (fs *findings) error(file, field, problem, remedy string) {
	fs.add(&chart.Error{File: file, Field: field, Reason: problem, Remedy: remedy})
}

// err reports err about file; a *chart.Error with what it is about in file.
func (fs *findings) err(file string, err error, remedy string) {
	var ce *chart.Error
	if !errors.As(err, &ce) {
		fs.error(file, "", err.Error(), remedy)
		return
	}
	field := ce.File
	if field != "" && ce.Field != "" {
		field += ": "
	}
	fs.error(file, field+ce.Field, bare(ce), cmp.Or(ce.Remedy, remedy))
}

// bare is an error's text without where it is and what to do.
func bare(ce *chart.Error) string {
	text := *ce
	text.File, text.Field, text.Remedy = "", "", ""
	return text.Error()
}

// sorted is the list for the Report.
func (fs *findings) sorted() chart.Errors {
	for file, n := range fs.count {
		if more := n - fs.limit(file); more > 0 {
			fs.list = append(fs.list, &chart.Error{File: file, Reason: strconv.Itoa(more) + " more findings", Remedy: "mend these first"})
		}
	}
	slices.SortFunc(fs.list, func(a, b *chart.Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Reason, b.Reason))
	})
	if fs.list == nil {
		return chart.Errors{} // an empty list in JSON
	}
	return fs.list
}
