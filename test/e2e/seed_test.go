package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/test/corpus/gen"
)

// TestSeedSession plays the training note that this project starts from, command
// by command, with chartserve where it has `helm serve`: serve, add, make
// helm-toolkit, search, create, fetch, tar, delete. Only the port is another.
func TestSeedSession(t *testing.T) {
	t.Parallel()
	charts := plant(t, gen.TacoV1(seed))
	infra := filepath.Join(charts, "openstack-helm-infra")
	s := serve(t, charts, ".")
	h := helm(t, "helm2")

	// curl -s 127.0.0.1:8879 | grep -q 'Helm Repository'
	if code, page := s.get(t, "/"); code != http.StatusOK || !strings.Contains(string(page), "Helm Repository") {
		t.Errorf("/: %d, and no \"Helm Repository\" in the page", code)
	}
	h.run(t, ".", "repo", "add", "local", s.URL)
	h.run(t, ".", "repo", "update")

	r := execute(t, infra, append(h.env, "HELM="+h.path), "make", "helm-toolkit")
	if !r.ok() || !strings.Contains(r.all(), "Successfully packaged chart") {
		t.Fatalf("make helm-toolkit: exit %d\n%s", r.code, r.all())
	}
	if got := h.search(t, "local/helm-toolkit"); len(got) != 1 || got[0].Version != "0.1.0" {
		t.Errorf("helm search: got %v, want helm-toolkit 0.1.0", got)
	}
	if st := s.status(t); len(st.Failures) > 0 {
		t.Errorf("failures after make: %v", st.Failures)
	}

	h.run(t, charts, "create", "my-chart")
	s.settles(t, "helm create my-chart", func(all map[string]entry) bool { return all["my-chart 0.1.0"].Digest != "" })

	for _, chart := range []string{"helm-toolkit", "keystone"} {
		dir := h.pull(t, "local/"+chart)
		untar := execute(t, dir, h.env, "tar", "zxvf", chart+"-0.1.0.tgz")
		if !untar.ok() || !strings.Contains(untar.stdout, chart+"/Chart.yaml") {
			t.Errorf("tar zxvf: exit %d\n%s", untar.code, untar.all())
		}
		if strings.Contains(untar.all(), "implausibly old") || untar.stderr != "" {
			t.Errorf("tar zxvf complains:\n%s", untar.stderr)
		}
	}
	h.run(t, ".", "repo", "remove", "local")
	if got := h.try(t, ".", "search", "keystone"); strings.Contains(got.stdout, "local/") {
		t.Errorf("helm search after repo remove:\n%s", got.stdout)
	}
}
