package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// Run is all that one run of the bench has found.
type Run struct {
	Began time.Time
	Took  time.Duration
	// Command is what was typed, to have it again.
	Command string
	// Rounds is how often each measurement was taken, where nothing else is said.
	Rounds  int
	Machine Machine
	// Programs are what was measured, with their versions; Absent what could not
	// be had, with the reason.
	Programs, Absent []string
	// Corpora says what was measured on, with sizes as they came out.
	Corpora     []string
	Comparisons []Comparison
	Sizes       []Size
	Loads       []Load
	Polling     *Polling
	Mirror      *Mirror
}

// Machine is what the run was made on.
type Machine struct {
	CPU, Kernel, Go string
	Cores           int
	// Memory is in GB.
	Memory float64
	// Load is the load average before the run began: above a few tenths, other work
	// was going on and the figures are to be taken with care.
	Load float64
}

// Size is what chartserve costs with a number of archives.
type Size struct {
	Archives int
	// Cold is from nothing to the first complete index, Restart the same with the
	// state of an earlier run, Change from an archive's appearing to the index that
	// has it: seconds.
	Cold, Restart, Change Series
	// Loaded is what was resident after the cold start, the changes, and requests for
	// the index and archives; Peak the most memory up to then: megabytes.
	Peak, Loaded Series
	// Index and Gzip are the index's size: megabytes.
	Index, Gzip float64
}

// Load is what a Helm client needs to load an index.
type Load struct {
	Client   string
	Versions int
	// YAML and JSON are the two forms: seconds, and megabytes at the peak.
	YAML, JSON, YAMLMemory, JSONMemory Series
}

// Polling is the test with many clients that poll while the tree is rebuilt.
type Polling struct {
	Clients  int
	Lasted   time.Duration
	Rebuilds int
	// Requests counts answers, Changed those that carried a new index.
	Requests, Changed int
	Errors            []string
	// P50, P99 and Max are the latencies of requests, in seconds.
	P50, P99, Max float64
	// Early and Late are the resident megabytes in the second and in the last
	// quarter of the time: the first is warming up.
	Early, Late Series
}

// Mirror is a repository copied from one chartserve into an empty folder, and again.
type Mirror struct {
	Archives int
	// Megabytes is the size of the archives together.
	Megabytes    float64
	First, Again Copying
}

// Copying is what one run of the mirror took: seconds and the most memory, in
// megabytes.
type Copying struct {
	Seconds, Megabytes Series
	Requests           int
}

// Short lists the comparisons that miss their target.
func (r *Run) Short() []Comparison {
	return slices.DeleteFunc(slices.Clone(r.Comparisons), Comparison.Met)
}

// Save writes every sample to file, to be rendered again with Load.
func (r *Run) Save(file string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("save %s: %w", file, err)
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// Open reads what Save wrote.
func Open(file string) (*Run, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := new(Run)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}
