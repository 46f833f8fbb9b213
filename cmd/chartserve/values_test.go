package main

import (
	"testing"
	"time"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "512": 512, "1B": 1, "5MiB": 5 << 20, "5Mi": 5 << 20, "5mib": 5 << 20, "20M": 20e6, "20MB": 20e6,
		"1K": 1000, "1Ki": 1024, "2GiB": 2 << 30, "3 MiB": 3 << 20, "8388607TiB": 0, "": 0, "M": 0, "0": 0, "-1": 0,
		"5x": 0, "1.5M": 0, "9999999999GiB": 0, "0MiB": 0, "MiB": 0, "1 2": 0,
	} {
		t.Run(text, func(t *testing.T) {
			var got byteSize
			err := got.Set(text)
			if int64(got) != want || (err == nil) != (want > 0) {
				t.Errorf("got %d and %v, want %d", got, err, want)
			}
			var again byteSize
			if err == nil && (again.Set(got.String()) != nil || again != got) {
				t.Errorf("written as %q, which reads as %d, want %d", got.String(), again, got)
			}
		})
	}
	for want, n := range map[string]byteSize{"5MiB": helmFileLimit, "100MiB": helmChartLimit, "1GiB": 1 << 30, "1KiB": 1024, "1025": 1025} {
		if got := n.String(); got != want {
			t.Errorf("%d: got %q, want %q", int64(n), got, want)
		}
	}
}

func TestSourceDateEpoch(t *testing.T) {
	for text, c := range map[string]struct {
		want time.Time
		ok   bool
	}{
		"":             {time.Time{}, true},
		"0":            {time.Unix(0, 0).UTC(), true},
		"1750000000":   {time.Date(2025, 6, 15, 15, 6, 40, 0, time.UTC), true},
		"-1":           {},
		"yesterday":    {},
		"1.5":          {},
		"253402300800": {},
	} {
		t.Run(text, func(t *testing.T) {
			t.Setenv("SOURCE_DATE_EPOCH", text)
			got, err := sourceDateEpoch()
			if !got.Equal(c.want) || (err == nil) != c.ok {
				t.Errorf("got %v and %v, want %v and ok %v", got, err, c.want, c.ok)
			}
		})
	}
}

func TestCheckPoll(t *testing.T) {
	for text, want := range map[string]bool{"0s": true, "10ms": true, "2s": true, "1ns": false, "-1s": false} {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&serveFlags{poll: d, listenFlags: listenFlags{connections: 1}}).check()
		if got := err == nil; got != want {
			t.Errorf("%s: got ok %v, want %v", text, got, want)
		}
	}
}

func TestPeriod(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0d": 0, "1d": 24 * time.Hour, "90d": 2160 * time.Hour, "36h": 36 * time.Hour, "1h30m": 90 * time.Minute, "106751d": 106751 * 24 * time.Hour,
		"": -1, "d": -1, "1.5d": -1, "-1d": -1, "-1h": -1, "1w": -1, "106752d": -1, "9999999999999999999d": -1, "1d2h": -1,
	} {
		got := period(-1)
		err := got.Set(text)
		if time.Duration(got) != want || (err == nil) != (want >= 0) {
			t.Errorf("%q: got %v and %v, want %v", text, time.Duration(got), err, want)
		}
		var again period
		if err == nil && (again.Set(got.String()) != nil || again != got) {
			t.Errorf("%q: written as %q, which reads as %v", text, got.String(), again)
		}
	}
}
