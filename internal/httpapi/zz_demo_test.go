package httpapi

import (
	"fmt"
	"os"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
)

func TestDemo(t *testing.T) {
	p := NewPages("/charts")
	mk := func(name, desc, app, home string, dep bool, n int) []byte {
		var es []*index.Entry
		for i := n; i > 0; i-- {
			es = append(es, entry(t, &chart.Metadata{Name: name, Version: fmt.Sprintf("0.%d.0+5f2c1ab", i), AppVersion: app, Description: desc, Home: home, Deprecated: dep, APIVersion: "v2"}))
		}
		return p.Rows(name, es)
	}
	rows := [][]byte{
		mk("ceph-client", "OpenStack-Helm Ceph Client", "v18.2.0", "https://github.com/ceph/ceph-client", false, 3),
		mk("cinder", "OpenStack-Helm Cinder", "v1.0.0", "https://docs.openstack.org/cinder/latest/", false, 1),
		mk("elastic-apm-server", "OpenStack-Helm Elastic APM Server", "v6.2.3", "", true, 2),
		mk("helm-toolkit", "OpenStack-Helm Helm-Toolkit: the library of templates which nearly every chart of this repository contains, and whose edit rebuilds them all", "v1.0.0", "https://docs.openstack.org/openstack-helm", false, 14),
		mk("keystone", "OpenStack-Helm Keystone <script>alert(1)</script>", "", "", false, 1),
		mk("no-description", "", "", "", false, 1),
		mk("nova", "OpenStack-Helm Nova", "2024.2", "https://docs.openstack.org/nova/latest/", false, 40),
	}
	fs := []repo.Failure{
		{Path: "openstack-helm/placement", Name: "placement", Version: "0.3.0", Reason: `Chart.yaml: version "1.2.3.4": not a semantic version (write MAJOR.MINOR.PATCH, such as 1.2.3)`, Since: time.Now()},
		{Path: "openstack-helm-infra/mariadb/charts/helm-toolkit-0.1.0.tgz", Reason: "gzip: the archive ends early", Since: time.Now()},
	}
	os.WriteFile("/tmp/page.html", p.List(rows, fs, repo.PageInfo{Charts: 7, Archives: 62, Generated: time.Now()}), 0o644)
	os.WriteFile("/tmp/page0.html", p.List(nil, nil, repo.PageInfo{}), 0o644)
}
