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
        args: [--solver-image=quay.io/a/solver:1, --image, quay.io/a/next:1, --pull-image=x/y:1, --config=quay.io/a/config:1, quay.io/a/bare:1, --image=plain:1, --level=2, image/x]
        command: [sh, -c, 'echo image: x:1']
        env: [{name: RELATED_IMAGE_X, value: quay.io/a/related:1}, {name: image, value: no:1}, {name: IMAGE_PULL, value: Always}, {name: other, value: quay.io/a/other:1}]
      volumes: [{name: v, image: {reference: quay.io/a/volume:1, pullPolicy: Always}}, {name: w, image: {reference: untagged}}]
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
spec: {image: quay.io/prometheus/prometheus:v2, imageName: quay.io/a/named:1, sub: {image: {repository: quay.io/a/mapped, tag: 1}}, late: {image: {repository: a/late}}, other: {image: untagged}, containers: [{image: "${X}"}]}
---
not: [closed
`

func TestManifests(t *testing.T) {
	c := load(t, files{})
	found, undecided := Manifests(c, []byte(rendered))
	want := []string{
		"Deployment/web spec.template.spec.containers[0].args[0] quay.io/a/solver:1",
		"Deployment/web spec.template.spec.containers[0].args[2] quay.io/a/next:1",
		"Deployment/web spec.template.spec.containers[0].args[3] docker.io/x/y:1",
		"Deployment/web spec.template.spec.containers[0].env[0].value quay.io/a/related:1",
		"Deployment/web spec.template.spec.containers[0].image example.com/a:1",
		"Deployment/web spec.template.spec.ephemeralContainers[0].image docker.io/library/e:1",
		"Deployment/web spec.template.spec.initContainers[0].image docker.io/library/init:latest",
		"Deployment/web spec.template.spec.volumes[0].image.reference quay.io/a/volume:1",
		"CronJob/c spec.jobTemplate.spec.template.spec.containers[0].image docker.io/library/cron:1",
		"Pod/p spec.containers[0].image docker.io/library/pod:1",
		"Prometheus/k8s spec.image quay.io/prometheus/prometheus:v2",
		"Prometheus/k8s spec.imageName quay.io/a/named:1",
		"Prometheus/k8s spec.sub.image.repository quay.io/a/mapped:1",
		"Deployment/web spec.template.spec.containers[0].args[4]? quay.io/a/config:1",
		"Deployment/web spec.template.spec.containers[0].args[5]? quay.io/a/bare:1",
		"Deployment/web spec.template.spec.containers[0].args[6]? plain:1",
		"Deployment/web spec.template.spec.containers[0].env[1].value? no:1",
		"Deployment/web spec.template.spec.containers[0].env[3].value? quay.io/a/other:1",
		"Deployment/web spec.template.spec.volumes[1].image.reference? untagged",
		"Prometheus/k8s spec.containers[0].image? ${X}",
		"Prometheus/k8s spec.late.image.repository? a/late",
		"Prometheus/k8s spec.other.image? untagged",
		"? ",
	}
	if diff := cmp.Diff(want, short(found, undecided)); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if got, want := found[8].File, "charts/db/templates/cron.yaml"; got != want {
		t.Errorf("file: got %q, want %q", got, want)
	}
	for _, i := range found {
		if i.From != "rendered" {
			t.Errorf("%s is not marked as rendered", i.Ref())
		}
	}
}

// TestSettle: what rendering contradicts goes, and a guess that it confirms is none.
func TestSettle(t *testing.T) {
	c := load(t, files{"values.yaml": `
a: {image: {repository: org/guessed}}
b: {image: {repository: org/other}}
c: {image: {repository: org/off}}
d: {image: org/late}
e: {image: org/never}
f: {image: org/other:mine}
`})
	pod := func(image string) string {
		return "---\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: " + image + "}]}\n"
	}
	rendered, _ := Manifests(c, []byte(pod("org/guessed:v7")+pod("org/other:9")+pod("org/late:3")))
	found, undecided := Find(c)
	found, undecided = settle(found, undecided, rendered)
	want := []string{
		"a.image.repository docker.io/org/guessed:v7", "c.image.repository docker.io/org/off:v7 appVersion",
		"f.image docker.io/org/other:mine", "e.image? org/never",
	}
	if diff := cmp.Diff(want, short(found, undecided)); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
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
