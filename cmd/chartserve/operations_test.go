package main

import (
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// metricName is how what docs/operations says names a metric.
var metricName = regexp.MustCompile(`\b(?:chartserve|chartmuseum|go|process)_[a-z_]+`)

// suffixOfHistogram is what the series of one add to its name.
var suffixOfHistogram = regexp.MustCompile(`_(bucket|sum|count)$`)

// Each metric that the alerts, their test and the dashboard name is on a running server,
// and the page has all of chartserve's with their labels.
func TestOperationsNameWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	writeChart(t, dir, "nova", "1.0.0")
	s := startServer(t, dir, "--enable-metrics", "--metrics-address", "127.0.0.1:0", dir)
	root := strings.TrimSuffix(s.base, "/charts")
	for _, path := range []string{"/charts/index.yaml", "/charts/nova-1.0.0.tgz", "/none"} {
		fetch(t, root+path)
	}
	there := map[string]map[string]bool{} // labels by metric
	text := fetch(t, root+"/metrics")
	for _, series := range regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? [-+0-9.eInfNa]+$`).FindAllStringSubmatch(text, -1) {
		name := suffixOfHistogram.ReplaceAllString(series[1], "")
		if there[name] == nil {
			there[name] = map[string]bool{}
		}
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(series[2], -1) {
			there[name][label[1]] = label[1] != "le"
		}
	}
	page := read(t, "monitoring.md")
	for _, file := range []string{"alerts.yaml", "alerts_test.yaml", "dashboard.json"} {
		for _, name := range metricName.FindAllString(read(t, file), -1) {
			if there[suffixOfHistogram.ReplaceAllString(name, "")] == nil {
				t.Errorf("%s names %s, which is not there", file, name)
			}
		}
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(chart\\w+)` \\|\\s*(.*?)\\s*\\| ").FindAllStringSubmatch(page, -1) {
		var want []string
		for label, shown := range there[row[1]] {
			if shown {
				want = append(want, "`"+label+"`")
			}
		}
		got := strings.Split(strings.ReplaceAll(row[2], " ", ""), ",")
		slices.Sort(got)
		slices.Sort(want)
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("monitoring.md: %s has the labels %v, not %v", row[1], want, got)
		}
		documented[row[1]] = true
	}
	for name := range maps.Keys(there) {
		if strings.HasPrefix(name, "chart") && !documented[name] {
			t.Errorf("monitoring.md does not have %s", name)
		}
	}
	if len(documented) < 15 {
		t.Errorf("only %d metrics are documented", len(documented))
	}
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(read(t, "alerts.yaml"), -1) {
		if !strings.Contains(page, "| `"+alert[1]+"` |") {
			t.Errorf("monitoring.md does not have the alert %s", alert[1])
		}
	}
	own := regexp.MustCompile(`url=(http://127.0.0.1:\d+)/metrics`)
	s.stop()
	s.wait(t)
	if own.FindString(s.stderr.String()) == "" {
		t.Errorf("the log does not name the metrics' own address: %s", s.stderr.String())
	}
}

// The metrics' own address has the metrics alone.
func TestMetricsAddress(t *testing.T) {
	address := freeAddress(t)
	dir := t.TempDir()
	writeChart(t, dir, "nova", "1.0.0")
	s := startServer(t, dir, "--metrics-address", address, dir)
	if got := fetch(t, "http://"+address+"/metrics"); !strings.Contains(got, "\nchartmuseum_charts_served_total{repo=\"\"} 1\n") {
		t.Errorf("got %s", got)
	}
	for _, url := range []string{"http://" + address + "/charts/index.yaml", "http://" + address + "/", strings.TrimSuffix(s.base, "/charts") + "/metrics"} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", url, resp.Status)
		}
	}
}

// freeAddress is one of this machine's that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := (&http.Client{Timeout: time.Minute}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
