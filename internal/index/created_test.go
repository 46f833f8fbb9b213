package index

import (
	"testing"
	"time"
)

func TestCreated(t *testing.T) {
	day := func(year int) time.Time { return time.Date(year, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600)) }
	now := day(2026)
	for name, c := range map[string]struct {
		d    Dates
		want time.Time
	}{
		"nothing is known":            {Dates{}, now},
		"the epoch rules":             {Dates{Epoch: day(2024), Listed: day(2023), Member: day(2022)}, day(2024)},
		"also where it is no date":    {Dates{Epoch: Epoch(), Listed: day(2023)}, Epoch()},
		"the index before the member": {Dates{Listed: day(2023), Member: day(2022)}, day(2023)},
		"the member":                  {Dates{Member: day(2022)}, day(2022)},
		"1980 in the index":           {Dates{Listed: Epoch(), Member: day(2022)}, day(2022)},
		"1980 in both":                {Dates{Listed: Epoch(), Member: day(1980)}, now},
		"1970":                        {Dates{Member: time.Unix(0, 0)}, now},
		"1979, in another zone":       {Dates{Member: Epoch().In(time.FixedZone("", -3600))}, now},
		"the last hour of 1980":       {Dates{Member: time.Date(1980, 12, 31, 23, 0, 0, 0, time.UTC)}, now},
	} {
		got := c.d.Created(now)
		if !got.Equal(c.want) || got.Location() != time.UTC {
			t.Errorf("%s: got %v, want %v", name, got, c.want.UTC())
		}
	}
}
