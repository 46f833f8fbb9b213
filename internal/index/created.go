package index

import "time"

// Dates are the times that an archive may have been published at; zero is unknown.
type Dates struct {
	// Epoch is SOURCE_DATE_EPOCH, which rules whatever it is.
	Epoch time.Time
	// Listed is when an earlier index says that the same digest was created.
	Listed time.Time
	// Member is the time of Chart.yaml in an archive that was made elsewhere.
	Member time.Time
}

// Created returns the Created of the archive's entry: the first date that is known,
// or else now, when the archive is published for the first time.
func (d Dates) Created(now time.Time) time.Time {
	created := now
	switch {
	case !d.Epoch.IsZero():
		created = d.Epoch
	case IsDate(d.Listed):
		created = d.Listed
	case IsDate(d.Member):
		created = d.Member
	}
	return created.UTC().Round(0)
}

// IsDate reports whether t can be when a chart was made. Who makes archives that
// don't depend on the clock writes 1980, 1970 or nothing at all.
func IsDate(t time.Time) bool { return t.Year() > Epoch().Year() }
