package e2e

import (
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// conformance runs the suite of the OCI distribution-spec with these settings, and returns
// what it printed and the folder of its reports.
func conformance(t *testing.T, s *server, settings ...string) (r result, reports string) {
	t.Helper()
	c := tool(t, "oci-conformance")
	reports = t.TempDir()
	env := append(c.env, "OCI_REGISTRY="+s.host(t), "OCI_TLS=disabled", "OCI_RESULTS_DIR="+reports)
	return execute(t, reports, append(env, settings...), c.path), reports
}

// failed are the lines of the suite's output that tell of failures.
func failed(r result) string {
	var all strings.Builder
	for line := range strings.Lines(r.all()) {
		if strings.Contains(line, "FAIL") {
			all.WriteString(line)
		}
	}
	return all.String()
}

// counted is the suite's count of a word, such as Pass or FAIL, over all; -1: it has none.
func counted(r result, word string) int {
	found := regexp.MustCompile(`(?m)^ +` + word + `\.+: +(\d+)$`).FindStringSubmatch(r.stdout)
	if found == nil {
		return -1
	}
	n, _ := strconv.Atoi(found[1]) // digits
	return n
}

// TestOCIConformance: the whole suite, as it is by default, without a failure; and once more for
// who logs in, with what is optional.
func TestOCIConformance(t *testing.T) {
	dir := files{"users": users("ann")}.write(t, t.TempDir())
	for what, c := range map[string]struct{ args, settings []string }{
		"default": {nil, []string{"OCI_REPO1=conformance/one", "OCI_REPO2=conformance/two"}},
		"login": {[]string{"--htpasswd", "users", "--anonymous-read"}, []string{
			"OCI_REPO1=charts/one", "OCI_REPO2=conformance/two/three", "OCI_USERNAME=ann", "OCI_PASSWORD=" + annsPassword,
			"OCI_API_BLOBS_DIGEST_HEADER=true", "OCI_API_BLOBS_UPLOAD_CANCEL=true", "OCI_API_MANIFESTS_DIGEST_HEADER=true",
		}},
	} {
		t.Run(what, func(t *testing.T) {
			s := serve(t, dir, append(c.args, "--allow-upload")...)
			r, reports := conformance(t, s, c.settings...)
			if !r.ok() || counted(r, "FAIL") != 0 {
				t.Errorf("exit %d\n%s", r.code, failed(r))
			}
			var report struct {
				Tests    int `xml:"tests,attr"`
				Failures int `xml:"failures,attr"`
				Errors   int `xml:"errors,attr"`
				Skipped  int `xml:"skipped,attr"`
			}
			if err := xml.Unmarshal([]byte(read(t, filepath.Join(reports, "junit.xml"))), &report); err != nil || report.Failures+report.Errors > 0 {
				t.Errorf("junit.xml: %+v, %v", report, err)
			}
			t.Logf("%+v", report)
			if report.Tests < 850 {
				t.Errorf("only %d tests: this is not the whole suite", report.Tests)
			}
			if code, index := s.get(t, "index.json"); strings.Contains(string(index), "conformance") {
				t.Errorf("the index: %d %s", code, index)
			}
		})
	}
}

// TestOCIConformanceOfCharts: the suite in its form for what may only be read, over charts that
// nobody pushed.
func TestOCIConformanceOfCharts(t *testing.T) {
	s := serve(t, samples(t), ".")
	const name = "charts/web"
	var manifests, blobs []string
	for _, tag := range s.tags(t, name) {
		m := s.manifest(t, name, tag)
		manifests = append(manifests, m.digest)
		blobs = append(blobs, m.Config.Digest, m.layer(chartLayer))
	}
	r, _ := conformance(t, s, "OCI_API_PUSH=false", "OCI_API_BLOBS_DELETE=false", "OCI_API_MANIFESTS_DELETE=false", "OCI_API_TAGS_DELETE=false",
		"OCI_REPO1="+name, "OCI_RO_DATA_TAGS="+strings.Join(s.tags(t, name), " "), "OCI_RO_DATA_MANIFESTS="+strings.Join(manifests, " "), "OCI_RO_DATA_BLOBS="+strings.Join(blobs, " "))
	// The suite itself ends in a nil pointer when it writes the reports of this form.
	if counted(r, "FAIL") != 0 || counted(r, "Error") != 0 || counted(r, "Pass") < 40 {
		t.Errorf("%d passed, exit %d\n%s", counted(r, "Pass"), r.code, failed(r))
	}
	if _, err := os.Stat(filepath.Join(s.Repo, ".oci")); !os.IsNotExist(err) {
		t.Errorf("reading stored something: %v", err)
	}
	if a := s.ask(t, http.MethodGet, "/v2/"); a.status != http.StatusOK {
		t.Errorf("/v2/: %d", a.status)
	}
}
