package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"chartserve/test/bench/report"
)

// rival is a server and how many times its rate ours has to reach.
type rival struct {
	name   string
	server *server
	least  float64
}

// work is what a rate is measured of.
type work struct {
	row  int
	text string
	path string
	// conditional sends the ETag that the server gave: the answer is 304.
	conditional bool
}

// requests is rows 9, 10 and 11: three servers on one folder, so that all of them
// send the same bytes.
func (b *bench) requests(ctx context.Context) error {
	n := min(many, b.largest)
	if b.tools.wrk == "" {
		for row := 9; row <= 11; row++ {
			b.add(report.Comparison{Row: row, Work: "requests per second", Peer: "nginx, " + helm2, Missing: "wrk could not be installed"})
		}
		return nil
	}
	if err := b.describeArchives(n); err != nil {
		return err
	}
	dir, err := b.repository("http", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ours, _, err := b.serve(ctx, "--repo-path", dir)
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, _, err := b.serveHelm2(ctx, dir, false)
	if err != nil {
		return err
	}
	defer theirs.stop()
	var nginx *server
	if b.tools.nginx != "" {
		if nginx, err = b.serveNginx(ctx, dir); err != nil {
			return err
		}
		defer nginx.stop()
	}
	archive, err := b.archives.near(12_000, n)
	if err != nil {
		return err
	}
	index := work{9, "GET index.yaml, " + thousands(n) + " versions, uncompressed", "/index.yaml", false}
	one := work{10, "GET one archive of 12 KB", "/" + pathOf(archive), false}
	same := work{11, "GET index.yaml with If-None-Match", "/index.yaml", true}
	// Helm 2.17's server knows no ETag, so it has no part in row 11.
	return errors.Join(
		b.rates(ctx, index, ours, rival{"nginx", nginx, 1.3}, rival{helm2, theirs, 2.5}),
		b.rates(ctx, one, ours, rival{helm2, theirs, 1.4}, rival{"nginx", nginx, 0.5}),
		b.rates(ctx, same, ours, rival{"nginx", nginx, 0.85}),
	)
}

// rates measures ours and each rival in turn and adds a line for each rival.
func (b *bench) rates(ctx context.Context, w work, ours *server, rivals ...rival) error {
	size := -1
	header := map[*server]string{}
	for _, s := range servers(ours, rivals) {
		c := newClient(1)
		a, err := c.get(ctx, s.url+w.path)
		c.close()
		if err != nil || a.status != http.StatusOK {
			return fmt.Errorf("%s: GET %s: status %d: %w", s.name, w.path, a.status, err)
		}
		if size >= 0 && len(a.body) != size {
			return fmt.Errorf("%s: GET %s: %d bytes, others send %d", s.name, w.path, len(a.body), size)
		}
		size = len(a.body)
		if w.conditional {
			header[s] = "If-None-Match: " + a.etag
		}
	}
	samples := map[*server]report.Series{}
	for range b.runs {
		for _, s := range servers(ours, rivals) {
			rate, err := b.wrk(ctx, s.url+w.path, header[s])
			if err != nil {
				return err
			}
			samples[s] = append(samples[s], rate)
		}
	}
	for _, r := range rivals {
		c := report.Comparison{Row: w.row, Work: w.text, Peer: r.name, Unit: report.PerSecond, Goal: report.Times, Target: r.least}
		if !w.conditional {
			c.Work += fmt.Sprintf(" (%s)", report.Amount(float64(size)/1e6, report.Megabytes))
		}
		if r.server == nil {
			c.Missing = "could not be installed"
		} else {
			c.Ours, c.Theirs = samples[ours], samples[r.server]
		}
		b.add(c)
	}
	return nil
}

// servers are those that are there, the rivals first.
func servers(ours *server, rivals []rival) []*server {
	var all []*server
	for _, r := range rivals {
		if r.server != nil {
			all = append(all, r.server)
		}
	}
	return append(all, ours)
}

// wrk measures requests per second for three seconds, from one thread, so that the
// server has the other core.
func (b *bench) wrk(ctx context.Context, url, header string) (float64, error) {
	args := []string{"-t", "1", "-c", "32", "-d", "3s", "--timeout", "15s"}
	if header != "" {
		args = append(args, "-H", header)
	}
	cmd := exec.CommandContext(ctx, b.tools.wrk, append(args, url)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk %s: %w\n%s", url, err, tail(out))
	}
	return parseWrk(out)
}

// parseWrk reads wrk's report; answers that were errors make it worthless.
func parseWrk(out []byte) (float64, error) {
	rate := 0.0
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "Non-2xx") || strings.HasPrefix(text, "Socket errors") {
			return 0, fmt.Errorf("wrk: %s", text)
		}
		if value, ok := strings.CutPrefix(text, "Requests/sec:"); ok {
			var err error
			if rate, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
				return 0, err
			}
		}
	}
	if rate == 0 {
		return 0, fmt.Errorf("wrk: no rate in its report:\n%s", tail(out))
	}
	return rate, nil
}

// pathOf is a file's name in a URL.
func pathOf(file string) string { return strings.ReplaceAll(file, "+", "%2B") }
