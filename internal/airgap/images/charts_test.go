package images

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPublicCharts: the shapes of charts that sites carry over, cut to what is
// about images.
func TestPublicCharts(t *testing.T) {
	for name, c := range map[string]struct {
		files files
		want  []string
	}{
		"ingress-nginx": {files{"values.yaml": `
controller:
  image:
    chroot: false
    registry: registry.k8s.io
    image: ingress-nginx/controller
    tag: "v1.8.1"
    digest: ` + digest + `
    pullPolicy: IfNotPresent
    runAsUser: 101
  opentelemetry:
    enabled: false
    image: registry.k8s.io/ingress-nginx/opentelemetry:v2@` + digest + `
  admissionWebhooks:
    patch:
      image:
        registry: registry.k8s.io
        image: ingress-nginx/kube-webhook-certgen
        tag: v20230407
defaultBackend:
  image:
    registry: registry.k8s.io
    image: defaultbackend-amd64
    tag: "1.5"
`}, []string{
			"controller.admissionWebhooks.patch.image.image registry.k8s.io/ingress-nginx/kube-webhook-certgen:v20230407",
			"controller.image.image registry.k8s.io/ingress-nginx/controller@" + digest,
			"controller.opentelemetry.image registry.k8s.io/ingress-nginx/opentelemetry@" + digest,
			"defaultBackend.image.image registry.k8s.io/defaultbackend-amd64:1.5",
		}},
		"ingress-nginx with a global registry": {files{"values.yaml": `
global:
  image:
    registry: registry.k8s.io
controller:
  image:
    image: ingress-nginx/controller
    tag: v1.12.0
`}, []string{"controller.image.image registry.k8s.io/ingress-nginx/controller:v1.12.0"}},
		"cert-manager": {files{"Chart.yaml": meta("cert-manager", "appVersion: v1.14.4\n"), "values.yaml": `
global:
  imagePullSecrets: []
image:
  repository: quay.io/jetstack/cert-manager-controller
  pullPolicy: IfNotPresent
webhook:
  image:
    repository: quay.io/jetstack/cert-manager-webhook
    pullPolicy: IfNotPresent
acmesolver:
  image:
    repository: quay.io/jetstack/cert-manager-acmesolver
`}, []string{
			"acmesolver.image.repository quay.io/jetstack/cert-manager-acmesolver:v1.14.4 appVersion",
			"image.repository quay.io/jetstack/cert-manager-controller:v1.14.4 appVersion",
			"webhook.image.repository quay.io/jetstack/cert-manager-webhook:v1.14.4 appVersion",
		}},
		"grafana": {files{"Chart.yaml": meta("grafana", "appVersion: 10.4.0\n"), "values.yaml": `
global:
  imageRegistry: null
image:
  registry: docker.io
  repository: grafana/grafana
  tag: ""
  sha: ""
  pullSecrets: []
testFramework:
  enabled: true
  image: "bats/bats"
  tag: "v1.4.1"
downloadDashboardsImage:
  registry: docker.io
  repository: curlimages/curl
  tag: 7.85.0
  sha: ""
extraInitContainers: []
imageRenderer:
  image:
    registry: docker.io
    repository: grafana/grafana-image-renderer
    tag: latest
  serviceAccountName: ""
`}, []string{
			"downloadDashboardsImage.repository docker.io/curlimages/curl:7.85.0",
			"image.repository docker.io/grafana/grafana:10.4.0 appVersion",
			"imageRenderer.image.repository docker.io/grafana/grafana-image-renderer:latest",
			"testFramework.image docker.io/bats/bats:v1.4.1",
		}},
		"kube-prometheus-stack": {files{"Chart.yaml": meta("kube-prometheus-stack", "appVersion: v0.72.0\n"), "values.yaml": `
prometheusOperator:
  image:
    registry: quay.io
    repository: prometheus-operator/prometheus-operator
    tag: ""
    sha: ""
  prometheusDefaultBaseImage: ""
  prometheusConfigReloader:
    image:
      registry: quay.io
      repository: prometheus-operator/prometheus-config-reloader
      tag: ""
      sha: ""
  thanosImage:
    registry: quay.io
    repository: thanos/thanos
    tag: v0.34.1
    sha: ""
alertmanager:
  alertmanagerSpec:
    image:
      registry: quay.io
      repository: prometheus/alertmanager
      tag: v0.27.0
      sha: ` + hexDigest + `
`}, []string{
			"alertmanager.alertmanagerSpec.image.repository quay.io/prometheus/alertmanager@" + digest,
			"prometheusOperator.image.repository quay.io/prometheus-operator/prometheus-operator:v0.72.0 appVersion",
			"prometheusOperator.prometheusConfigReloader.image.repository quay.io/prometheus-operator/prometheus-config-reloader:v0.72.0 appVersion",
			"prometheusOperator.thanosImage.repository quay.io/thanos/thanos:v0.34.1",
		}},
		"bitnami": {files{"values.yaml": `
global:
  imageRegistry: ""
  storageClass: ""
image:
  registry: docker.io
  repository: bitnami/postgresql
  tag: 16.2.0-debian-12-r8
  digest: ""
  pullSecrets: []
metrics:
  image:
    registry: docker.io
    repository: bitnami/postgres-exporter
    tag: 0.15.0
initContainers: []
sidecars: []
`}, []string{
			"image.repository docker.io/bitnami/postgresql:16.2.0-debian-12-r8",
			"metrics.image.repository docker.io/bitnami/postgres-exporter:0.15.0",
		}},
		"elastic": {files{"values.yaml": "image: docker.elastic.co/elasticsearch/elasticsearch\nimageTag: 7.17.3\nsidecarResources: {}\n"},
			[]string{"image docker.elastic.co/elasticsearch/elasticsearch:7.17.3"}},
		"tigera-operator": {files{"values.yaml": "tigeraOperator:\n  image: tigera/operator\n  version: v1.30.4\n  registry: quay.io\ncalicoctl:\n  image: docker.io/calico/ctl\n  tag: v3.26.1\n"},
			[]string{"calicoctl.image docker.io/calico/ctl:v3.26.1", "tigeraOperator.image quay.io/tigera/operator:v1.30.4"}},
		"kyverno": {files{"values.yaml": "image:\n  registry: ~\n  defaultRegistry: ghcr.io\n  repository: kyverno/kyverno\n  tag: ~\n"},
			[]string{"image.repository ghcr.io/kyverno/kyverno:v7 appVersion"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := short(Find(load(t, c.files)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSubcharts: what sub-charts get from their parents. The sub-chart db has an
// image with a tag of its own; the chart around it differs.
func TestSubcharts(t *testing.T) {
	db := files{
		"charts/db/Chart.yaml":  meta("db", "appVersion: v9\n"),
		"charts/db/values.yaml": "image:\n  registry: docker.io\n  repository: org/db\n  tag: '1'\n",
	}
	for name, c := range map[string]struct {
		dependency, values string
		more               files
		want               []string
	}{
		"as it is":    {want: []string{"db.image.repository docker.io/org/db:1"}},
		"another tag": {values: "db:\n  image:\n    tag: '2'\n", want: []string{"db.image.repository docker.io/org/db:2"}},
		// In Helm 2.17 and 3.22 null deletes, Helm 4.3 has the sub-chart's own: both are listed.
		"null":                 {values: "db:\n  image:\n    tag: null\n", want: []string{"db.image.repository docker.io/org/db:v9 appVersion", "db.image.repository docker.io/org/db:1"}},
		"null for the mapping": {values: "db:\n  image: null\n", want: []string{"db.image.repository docker.io/org/db:1"}},
		"not a mapping":        {values: "db: 5\n", want: []string{"db.image.repository docker.io/org/db:1"}},
		"a global":             {values: "global:\n  imageRegistry: m.example.com\n", want: []string{"db.image.repository m.example.com/org/db:1"}},
		"its own global loses": {values: "global:\n  imageRegistry: m.example.com\ndb:\n  global:\n    imageRegistry: n.example.com\n", want: []string{"db.image.repository m.example.com/org/db:1"}},
		"one image in globals": {values: "global:\n  image: a:1\n", want: []string{"global.image docker.io/library/a:1", "db.image.repository docker.io/org/db:1"}},
		"an alias": {
			dependency: "- name: db\n  version: 1.0.0\n  alias: store\n",
			values:     "store:\n  image:\n    tag: '3'\ndb:\n  image: x:1\n",
			want:       []string{"db.image docker.io/library/x:1", "store.image.repository docker.io/org/db:3"},
		},
		"twice": {
			dependency: "- name: db\n  version: 1.0.0\n- name: db\n  version: 1.0.0\n  alias: other\n",
			values:     "other:\n  image:\n    tag: '3'\n",
			want:       []string{"db.image.repository docker.io/org/db:1", "other.image.repository docker.io/org/db:3"},
		},
		"two versions": {
			dependency: "- name: db\n  version: 1.x\n- name: db\n  version: 2.x\n  alias: new\n",
			more:       files{"charts/db2/Chart.yaml": "apiVersion: v2\nname: db\nversion: 2.0.0\n", "charts/db2/values.yaml": "image: two:2\n"},
			want:       []string{"db.image.repository docker.io/org/db:1", "new.image docker.io/library/two:2"},
		},
		"a condition": {
			dependency: "- name: db\n  version: 1.0.0\n  condition: nothing,db.enabled\n  tags: [on]\n", values: "db:\n  enabled: false\ntags:\n  on: true\n",
			want: []string{"db.image.repository docker.io/org/db:1 disabled"},
		},
		"a condition that is met": {
			dependency: "- name: db\n  version: 1.0.0\n  condition: db.enabled\n  tags: [off]\n", values: "db:\n  enabled: true\ntags:\n  off: false\n",
			want: []string{"db.image.repository docker.io/org/db:1"},
		},
		"tags": {
			dependency: "- name: db\n  version: 1.0.0\n  tags: [off, unknown]\n", values: "tags:\n  off: false\n",
			want: []string{"db.image.repository docker.io/org/db:1 disabled"},
		},
		"below one that is off": {
			dependency: "- name: db\n  version: 1.0.0\n  condition: db.enabled\n", values: "db:\n  enabled: false\n  low:\n    image: low:2\n",
			more: files{"charts/db/charts/low/Chart.yaml": meta("low", ""), "charts/db/charts/low/values.yaml": "image: low:1\n"},
			want: []string{"db.image.repository docker.io/org/db:1 disabled", "db.low.image docker.io/library/low:2 disabled"},
		},
		"not there": {
			dependency: "- name: gone\n  version: 1.0.0\n", values: "gone:\n  image:\n    repository: org/x\n  other: a:1\n  image2:\n    image: a:1\n",
			want: []string{"gone.image2.image docker.io/library/a:1", "db.image.repository docker.io/org/db:1", "gone.image.repository? org/x"},
		},
		"import-values": {
			dependency: "- name: db\n  version: 1.0.0\n  import-values:\n  - child: image\n    parent: mine.image\n  - part\n", values: "mine:\n  image:\n    tag: '5'\n",
			more: files{"charts/db/values.yaml": "image:\n  repository: org/db\n  tag: '1'\nexports:\n  part:\n    partImage: p:1\n"},
			want: []string{"mine.image.repository docker.io/org/db:5", "partImage docker.io/library/p:1", "db.exports.part.partImage docker.io/library/p:1", "db.image.repository docker.io/org/db:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := files{"values.yaml": c.values}
			for _, more := range []files{db, c.more} {
				for file, text := range more {
					all[file] = text
				}
			}
			if c.dependency != "" {
				all["Chart.yaml"] = meta("web", "appVersion: v7\ndependencies:\n"+c.dependency)
			}
			found, undecided := Find(load(t, all))
			if diff := cmp.Diff(c.want, short(found, undecided)); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOrigin: the root chart, the file of the chart that an image is for, and the
// key as --set takes it.
func TestOrigin(t *testing.T) {
	found, _ := Find(load(t, files{
		"values.yaml":           "other: {}\n",
		"charts/db/Chart.yaml":  meta("db", "annotations:\n  images: '[{image: \"a:1\"}]'\n"),
		"charts/db/values.yaml": "image: b:1\n",
	}))
	var got []Origin
	for _, i := range found {
		got = append(got, i.Origin)
	}
	want := []Origin{
		{Chart: "web", Version: "1.0.0", File: "charts/db/Chart.yaml", Key: `annotations["images"]`, From: "annotation"},
		{Chart: "web", Version: "1.0.0", File: "charts/db/values.yaml", Key: "db.image", From: "values"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}

// TestNotByConstruction: values that look like an image and are a part of one, or none.
// Without a template that joins them they are undecided, and no image that does not exist is
// listed; with one, what it prints is listed and nothing is left to decide.
func TestNotByConstruction(t *testing.T) {
	chart := files{
		"Chart.yaml": meta("web", "appVersion: 1.5.1\nannotations:\n  helm.sh/images: |\n    - {name: a, image: 'quay.io/x/hip:1'}\n"),
		"values.yaml": `
kubeadm: {imageRepository: registry.k8s.io}
driver: {image: {repository: quay.io/a/driver, tag: ""}}
gc: {image: {registry: docker.io, org: spotify, repository: docker-gc, tag: latest}}
pilot: {hub: docker.io/istio, image: pilot, tag: 1.11.0}
telegraf: {image: {repo: telegraf, tag: "1.12"}}
contour: {image: {registry: gcr.io/x/contour, tag: v0.15.0}}
keel: {image: {repository: image.repository, tag: image.tag}}
operatorImageName: gcr.io/s/op
operatorVersion: v1
args: ["--reloader-image=quay.io/rel/oader:1.0"]
`}
	certain := []string{
		`annotations["helm.sh/images"] quay.io/x/hip:1`,
		"args[0] quay.io/rel/oader:1.0",
	}
	for name, c := range map[string]struct {
		template string
		want     []string
	}{
		"no template": {"", []string{
			certain[0], certain[1], "driver.image.repository quay.io/a/driver:1.5.1 appVersion",
			"contour.image.registry? gcr.io/x/contour", "gc.image.repository? docker-gc", "keel.image.repository? image.repository",
			"kubeadm.imageRepository? registry.k8s.io", "operatorImageName? gcr.io/s/op", "pilot.image? pilot", "telegraf.image.repo? telegraf",
		}},
		"templates": {`
image: "{{ .Values.driver.image.repository }}:{{ .Values.driver.image.tag | default (printf "v%s" .Chart.AppVersion) }}"
image: {{ .Values.gc.image.registry }}/{{ .Values.gc.image.org }}/{{ .Values.gc.image.repository }}:{{ .Values.gc.image.tag }}
image: "{{ .Values.pilot.hub }}/{{ .Values.pilot.image }}:{{ .Values.pilot.tag }}"
image: "{{ .Values.telegraf.image.repo }}:{{ .Values.telegraf.image.tag }}"
image: "{{ .Values.contour.image.registry }}:{{ .Values.contour.image.tag }}"
image: "{{ .Values.operatorImageName }}:{{ .Values.operatorVersion }}"
`, []string{
			certain[0], "line 2 quay.io/a/driver:v1.5.1", "line 3 docker.io/spotify/docker-gc:latest", "line 4 docker.io/istio/pilot:1.11.0",
			"line 5 docker.io/library/telegraf:1.12", "line 6 gcr.io/x/contour:v0.15.0", "line 7 gcr.io/s/op:v1", certain[1],
			"driver.image.repository quay.io/a/driver:v1.5.1",
			"keel.image.repository? image.repository", "kubeadm.imageRepository? registry.k8s.io", // which no template joins
		}},
	} {
		t.Run(name, func(t *testing.T) {
			chart["templates/a.yaml"] = c.template
			if diff := cmp.Diff(c.want, short(Find(load(t, chart)))); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}
