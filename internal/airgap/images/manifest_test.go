package images

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rendered = `---
# Source: web/templates/deploy.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    image: a note
spec:
  template:
    spec:
      initContainers:
      - image: init
      containers:
      - name: a
        image: "example.com/a:1"
        env: [{name: image, value: no:1}]
      ephemeralContainers: [{image: e:1}]
---
# Source: web/charts/db/templates/cron.yaml
kind: CronJob
metadata: {name: c}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: cron:1}]}}}}}
---
kind: ConfigMap
metadata: {name: m}
data: {image: cm:1}
---
kind: Secret
stringData: {image: secret:1}
---
kind: CustomResourceDefinition
spec: {containers: [{image: crd:1}]}
---
kind: List
items: [{kind: Pod, metadata: {name: p}, spec: {containers: [{image: pod:1}]}}, x]
---
kind: Prometheus
metadata: {name: k8s}
spec: {image: quay.io/prometheus/prometheus:v2, other: {image: untagged}, containers: [{image: "${X}"}]}
---
not: [closed
`

func TestManifests(t *testing.T) {
	c := load(t, files{})
	found, undecided := Manifests(c, []byte(rendered))
	want := []string{
		"Deployment/web spec.template.spec.containers[0].image example.com/a:1",
		"Deployment/web spec.template.spec.ephemeralContainers[0].image docker.io/library/e:1",
		"Deployment/web spec.template.spec.initContainers[0].image docker.io/library/init:latest",
		"CronJob/c spec.jobTemplate.spec.template.spec.containers[0].image docker.io/library/cron:1",
		"Pod/p spec.containers[0].image docker.io/library/pod:1",
		"Prometheus/k8s spec.image quay.io/prometheus/prometheus:v2",
		"Prometheus/k8s spec.containers[0].image? ${X}",
		"Prometheus/k8s spec.other.image? untagged",
		"? ",
	}
	if diff := cmp.Diff(want, short(found, undecided)); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if got, want := found[3].File, "charts/db/templates/cron.yaml"; got != want {
		t.Errorf("file: got %q, want %q", got, want)
	}
	for _, i := range found {
		if i.From != "rendered" {
			t.Errorf("%s is not marked as rendered", i.Ref())
		}
	}
}

// FuzzManifests: any output is read to its end.
func FuzzManifests(f *testing.F) {
	f.Add([]byte(rendered))
	f.Add([]byte("kind: List\nitems: [{kind: List, items: [{kind: Pod, containers: [[{image: a}]]}]}]\n"))
	c := load(f, files{})
	f.Fuzz(func(t *testing.T, data []byte) {
		found, undecided := Manifests(c, data)
		if diff := cmp.Diff(short(found, undecided), short(Manifests(c, data))); diff != "" {
			t.Errorf("found another time (-first +second):\n%s", diff)
		}
	})
}
