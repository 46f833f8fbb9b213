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
	// Times are how long the rows took.
	Times []Time
}

// Time is how long the rows that are measured together took.
type Time struct {
	Rows string
	Took time.Duration
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

// Short lists the comparisons that miss their target.
func (r *Run) Short() []Comparison {
	return slices.DeleteFunc(slices.Clone(r.Comparisons), Comparison.Met)
}

// Save writes every sample to file, for Open.
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
