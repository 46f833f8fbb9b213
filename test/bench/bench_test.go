package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/test/bench/report"
)

func TestChoose(t *testing.T) {
	tests := map[string]struct {
		list string
		want string
		bad  bool
	}{
		"everything":     {"", strings.Join(names(), " "), false},
		"some":           {"1,7, 5b", "1 5b 7", false},
		"unknown":        {"1,17", "", true},
		"the order kept": {"3 1", "1 3", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			chosen, err := choose(tt.list)
			if (err != nil) != tt.bad {
				t.Fatalf("error %v, want one: %t", err, tt.bad)
			}
			var got []string
			for _, n := range names() {
				if chosen[n] {
					got = append(got, n)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("choose(%q) = %q, want %q", tt.list, got, tt.want)
			}
		})
	}
}

// Every row of the table of targets is measured by one group.
func TestRows(t *testing.T) {
	seen := map[string]int{}
	for _, g := range groups() {
		for _, row := range g.rows {
			seen[row]++
		}
	}
	for _, row := range names() {
		if seen[row] != 1 {
			t.Errorf("row %s is measured by %d groups", row, seen[row])
		}
	}
	if len(seen) != len(names()) {
		t.Errorf("%d rows are measured, %d have a name", len(seen), len(names()))
	}
}

func TestParseWrk(t *testing.T) {
	const good = "Running 3s test @ http://127.0.0.1:1/\n  1 threads and 32 connections\n  2000 requests in 3.00s, 1.00GB read\nRequests/sec:   1234.50\nTransfer/sec:      1.00GB\n"
	tests := map[string]struct {
		out  string
		want float64
		bad  bool
	}{
		"a rate":        {good, 1234.5, false},
		"errors":        {strings.Replace(good, "Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec", 1), 0, true},
		"socket errors": {strings.Replace(good, "Requests/sec", "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec", 1), 0, true},
		"nothing":       {"unable to connect", 0, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseWrk([]byte(tt.out))
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("parseWrk() = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestStatusLine(t *testing.T) {
	const status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"
	got, err := statusLine(status, "VmRSS:")
	if err != nil || got != 1.048576 {
		t.Errorf("statusLine() = %v, %v, want 1.048576", got, err)
	}
	if _, err := statusLine(status, "VmSwap:"); err == nil {
		t.Error("a line that is not there: no error")
	}
}

// The corpus of an earlier run is kept as long as the generator makes the same.
func TestArchives(t *testing.T) {
	a := newArchives(filepath.Join(t.TempDir(), "archives"))
	if err := a.ensure(6); err != nil {
		t.Fatal(err)
	}
	if n, err := a.have(); n != 6 || err != nil {
		t.Fatalf("have() = %d, %v, want 6", n, err)
	}
	first := filepath.Join(a.dir, a.file(0))
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ensure(8); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(first); err != nil || !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("ensure(8) made the first archive again: %v", err)
	}
	if n, err := a.have(); n != 8 || err != nil {
		t.Errorf("have() = %d, %v, want 8", n, err)
	}
	if err := os.WriteFile(first, []byte("of another generator"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n, err := a.have(); n != 0 || err != nil {
		t.Errorf("have() of another generator's = %d, %v, want 0", n, err)
	}
}

// A row that came along with a chosen one is dropped, and 5b comes after 5.
func TestFinish(t *testing.T) {
	chosen, err := choose("10,5b,5")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{options: options{rows: chosen}, found: &report.Run{}}
	for _, row := range []string{"10", "6", "5b", "5"} {
		b.add(report.Comparison{Row: row})
	}
	b.finish()
	var got []string
	for _, c := range b.found.Comparisons {
		got = append(got, c.Row)
	}
	if want := "5 5b 10"; strings.Join(got, " ") != want {
		t.Errorf("finish() leaves rows %v, want %s", got, want)
	}
}

func TestAgainst(t *testing.T) {
	ours := report.Series{1, 1, 1}
	tests := map[string]struct {
		theirs        report.Series
		peer, missing string
		samples       int
	}{
		"as many rounds": {report.Series{2, 2, 2}, "a peer", "", 3},
		"fewer rounds":   {report.Series{2, 2}, "a peer (2 rounds)", "", 3},
		"no peer":        {nil, "a peer", "not on PATH", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := against(report.Comparison{Peer: "a peer"}, ours, tt.theirs)
			if c.Peer != tt.peer || c.Missing != tt.missing || len(c.Ours) != tt.samples {
				t.Errorf("against() = %q, missing %q, %d samples, want %q, %q, %d", c.Peer, c.Missing, len(c.Ours), tt.peer, tt.missing, tt.samples)
			}
		})
	}
}
