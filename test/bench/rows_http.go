package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"chartserve/test/bench/report"
)

// rival is a server, nil where it could not be installed, and how many times its
// rate ours has to reach.
type rival struct {
	name   string
	server *server
	least  float64
}

// work is what a rate is measured of.
type work struct {
	row, text, path string
	// headers are sent along, each "NAME: VALUE".
	headers []string
	// conditional sends the ETag that the server gave: the answer is 304.
	conditional bool
}

// benchUser is a line of an htpasswd file (the user bench, the password bench), credentials
// the header of who logs in so.
const (
	benchUser   = "bench:{SHA}5cicUp3MubQnFvTZEY1hB5yIPZ4=\n"
	credentials = "Authorization: Basic YmVuY2g6YmVuY2g="
)

// requests is rows 9, 10 and 11: servers on the same files, so that all of them send
// the same bytes.
func (b *bench) requests(ctx context.Context) error {
	n := min(many, b.largest)
	if b.tools.wrk == "" {
		for _, row := range []string{"9", "10", "11"} {
			b.add(report.Comparison{Row: row, Work: "requests per second", Peer: "nginx, " + helm2, Missing: "wrk could not be installed"})
		}
		return nil
	}
	if err := b.describeArchives(n); err != nil {
		return err
	}
	c, err := b.contestants(ctx, n)
	defer c.stop()
	if err != nil {
		return err
	}
	archive, err := b.archives.near(12_000, n)
	if err != nil {
		return err
	}
	get := "GET one archive of 12 KB"
	index := work{row: "9", text: "GET index.yaml, " + report.Count(n) + " versions, uncompressed", path: "/index.yaml"}
	one := work{row: "10", text: get, path: "/" + pathOf(archive)}
	logged := work{row: "10", text: get + ", basic auth, metrics and access log on", path: one.path, headers: []string{credentials}}
	proxied := work{row: "10", text: get + ", with `X-Forwarded-Port` and `traceparent`", path: one.path, headers: []string{
		"X-Forwarded-Port: 443", "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
	}}
	same := work{row: "11", text: "GET index.yaml with If-None-Match, basic auth, metrics and access log on", path: "/index.yaml", conditional: true, headers: []string{credentials}}
	// Helm 2.17's server knows no ETag, so it has no part in row 11.
	return errors.Join(
		b.rates(ctx, index, c.plain, rival{"nginx", c.nginx, 1}, rival{helm2, c.helm2, 1}),
		b.rates(ctx, one, c.plain, rival{helm2, c.helm2, 1.4}),
		b.rates(ctx, logged, c.full, rival{helm2, c.helm2, 1.2}),
		b.rates(ctx, proxied, c.plain, rival{helm2, c.helm2, 1.4}),
		b.rates(ctx, same, c.full, rival{"nginx", c.nginx, 0.5}),
	)
}

// contestants are the servers of rows 9 to 11: chartserve plain and with all that
// an operator may switch on, and the peers; nginx is nil where there is none.
type contestants struct{ plain, full, helm2, nginx *server }

// contestants starts the servers; whoever is there is to be stopped on errors too.
func (b *bench) contestants(ctx context.Context, n int) (c contestants, err error) {
	dir, err1 := b.repository("http", n)
	other, err2 := b.repository("http", n) // for the second chartserve: a folder has one server
	if err := errors.Join(err1, err2); err != nil {
		return c, err
	}
	if c.plain, _, err = b.serve(ctx, "--repo-path", dir); err != nil {
		return c, err
	}
	users := filepath.Join(b.temp, "users")
	if err := os.WriteFile(users, []byte(benchUser), 0o600); err != nil {
		return c, err
	}
	if c.full, _, err = b.serve(ctx, "--repo-path", other, "--access-log", "--enable-metrics", "--htpasswd", users); err != nil {
		return c, err
	}
	if c.helm2, _, err = b.helm2Server(ctx, dir, false); err != nil {
		return c, err
	}
	if b.tools.nginx != "" {
		c.nginx, err = b.serveNginx(ctx, dir)
	}
	return c, err
}

func (c contestants) stop() {
	for _, s := range []*server{c.plain, c.full, c.helm2, c.nginx} {
		if s != nil {
			s.stop()
		}
	}
}

// rates measures ours and each rival in turn and adds a line for each rival.
func (b *bench) rates(ctx context.Context, w work, ours *server, rivals ...rival) error {
	size := -1
	headers := map[*server][]string{}
	for _, s := range servers(ours, rivals) {
		c := newClient(1)
		a, err := c.do(ctx, http.MethodGet, s.url+w.path, header(w.headers))
		c.close()
		if err != nil || a.status != http.StatusOK {
			return fmt.Errorf("%s: GET %s: status %d: %w", s.name, w.path, a.status, err)
		}
		if size >= 0 && len(a.body) != size {
			return fmt.Errorf("%s: GET %s: %d bytes, others send %d", s.name, w.path, len(a.body), size)
		}
		size = len(a.body)
		headers[s] = w.headers
		if w.conditional {
			headers[s] = append(slices.Clone(w.headers), "If-None-Match: "+a.etag)
		}
	}
	samples := map[*server]report.Series{}
	for range b.runs {
		for _, s := range servers(ours, rivals) {
			rate, err := b.wrk(ctx, s.url+w.path, headers[s])
			if err != nil {
				return err
			}
			samples[s] = append(samples[s], rate)
		}
	}
	for _, r := range rivals {
		c := report.Comparison{Row: w.row, Work: w.text, Peer: r.name, Unit: report.PerSecond}.AtLeast(r.least)
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

// header is lines "NAME: VALUE" as do takes them.
func header(lines []string) map[string]string {
	h := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h[name] = value
	}
	return h
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
func (b *bench) wrk(ctx context.Context, url string, headers []string) (float64, error) {
	args := []string{"-t", "1", "-c", "32", "-d", "3s", "--timeout", "15s"}
	for _, h := range headers {
		args = append(args, "-H", h)
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
