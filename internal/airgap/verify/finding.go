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

// Severity tells what a Finding keeps from working.
type Severity string

const (
	// Error is what a client fails at, or what proves that something was changed.
	Error Severity = "error"
	// Warning is an address outside that no install fetches: only
	// `helm dependency update` and `build`, run on the unpacked chart, would.
	Warning Severity = "warning"
)

// Finding is one thing that is wrong.
type Finding struct {
	Severity Severity `json:"severity"`
	// File is a path below the folder, or the URL as the index has it.
	File string `json:"file"`
	// Field is where in the file; empty: the file as a whole.
	Field string `json:"field,omitempty"`
	// Problem and Remedy say what is wrong and what to do about it.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

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
	Findings []Finding `json:"findings"`
}

// Signer is a key of the keyring, and how many archives it vouches for.
type Signer struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Archives    int    `json:"archives"`
}

// Count is how many findings have the severity s.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// maxFindings bounds what is reported of one file; one more says how many there are.
const maxFindings = 100

// findings collects them by file, from any goroutine.
type findings struct {
	mu    sync.Mutex
	list  []Finding
	count map[string]int
}

func (fs *findings) add(f Finding) {
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
	fs.add(Finding{Error, file, field, problem, remedy})
}

// err reports err about file; where it is a *chart.Error, in its parts.
func (fs *findings) err(file string, err error, remedy string) {
	var ce *chart.Error
	if !errors.As(err, &ce) {
		fs.error(file, "", err.Error(), remedy)
		return
	}
	field := ce.Field
	if ce.File != "" {
		field = ce.File
		if ce.Field != "" {
			field += ": " + ce.Field
		}
	}
	bare := *ce
	bare.File, bare.Field, bare.Remedy = "", "", ""
	fs.error(file, field, bare.Error(), cmp.Or(ce.Remedy, remedy))
}

// sorted is the list for the Report.
func (fs *findings) sorted() []Finding {
	for file, n := range fs.count {
		if more := n - fs.limit(file); more > 0 {
			fs.list = append(fs.list, Finding{Error, file, "", strconv.Itoa(more) + " more findings", "mend these first"})
		}
	}
	slices.SortFunc(fs.list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Problem, b.Problem))
	})
	if fs.list == nil {
		return []Finding{}
	}
	return fs.list
}
