package images

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValues: what one chart's values say. The lines are those of short.
func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		values string
		want   []string
	}{
		"nothing":       {"", nil},
		"no image":      {"replicas: 1\nname: x\nport: 80\nlist: [a, 1, {b: c}]\n", nil},
		"images.tags":   {"images:\n  tags:\n    api: example.com/nova:1\n    db: nova\n    off: ''\n    gone: null\n  pull_policy: IfNotPresent\n", []string{"images.tags.api example.com/nova:1", "images.tags.db docker.io/library/nova:latest"}},
		"tags of words": {"conf:\n  tags:\n    a: b:1\n", nil},
		"a tag that is a template": {"images:\n  tags:\n    api: '{{ .Values.x }}:1'\n    bad: Nova:1\n    number: 5\n",
			[]string{"images.tags.api? {{ .Values.x }}:1", "images.tags.bad? Nova:1", "images.tags.number? 5"}},
		"later documents win": {"image: a:1\n---\nimage: b:2\n", []string{"image docker.io/library/b:2"}},

		"a string":             {"image: nginx:1.25\n", []string{"image docker.io/library/nginx:1.25"}},
		"with a port":          {"image: localhost:5000/nginx:1.25\n", []string{"image localhost:5000/nginx:1.25"}},
		"a digest":             {"image: nginx@" + digest + "\n", []string{"image docker.io/library/nginx@" + digest}},
		"tag and digest":       {"image: nginx:1@" + digest + "\n", []string{"image docker.io/library/nginx@" + digest}},
		"no tag":               {"image: nginx\n", []string{"image? nginx"}},
		"a template":           {"image: '{{ .Values.a }}'\n", []string{"image? {{ .Values.a }}"}},
		"a variable":           {"image: ${REGISTRY}/a:1\n", []string{"image? ${REGISTRY}/a:1"}},
		"capitals":             {"image: Nginx:1\n", []string{"image? Nginx:1"}},
		"another kind":         {"image: https://example.com/cirros.img\nlogoImage: example.com/x.png\nbackgroundImage: dark\nosImage: Ubuntu 24.04\nstore_image: /var/lib/x\n", nil},
		"not text":             {"image: true\nwebImage: 5\n", nil},
		"a key that ends so":   {"testImage: busybox:1.36\nhook_image: example.com/a/b:x\nfakeImage: library/word\n", []string{"hook_image example.com/a/b:x", "testImage docker.io/library/busybox:1.36", "fakeImage? library/word"}},
		"OpenStack's policies": {"policy:\n  delete_image: rule:owner\n  get_image: role:reader\n  other_image: some:word\n", []string{"policy.other_image? some:word"}},
		"a map of images":      {"images:\n  a: example.com/a:1\n  pullPolicy: Always\n  registry: localhost:5000\n", []string{"images.a example.com/a:1"}},
		"a list of images":     {"extraImages:\n- a:1\n- repository: b\n  tag: 2\n", []string{"extraImages[0] docker.io/library/a:1", "extraImages[1].repository docker.io/library/b:2"}},
		"containers":           {"extraContainers:\n- name: a\n  image: busybox\n- image: '{{ x }}'\n", []string{"extraContainers[0].image docker.io/library/busybox:latest", "extraContainers[1].image? {{ x }}"}},
		"containers as text":   {"initContainers: |\n  - name: a\n    image: \"busybox:1\"\n  - image: {{ .Values.x }}\n", []string{"initContainers docker.io/library/busybox:1", "initContainers? {{ .Values.x }}"}},
		"a dot in a key":       {"a.b:\n  image: x:1\n", []string{`a\.b.image docker.io/library/x:1`}},

		"arguments":             {"args: [--reloader-image=quay.io/rel/oader:1.0, --v=2]\nenv: [{name: SIDE_IMAGE, value: a/side:1}]\n", []string{"args[0] quay.io/rel/oader:1.0", "env[0].value docker.io/a/side:1"}},
		"disks":                 {"image: cirros-0.6.2-x86_64-disk.img\nimage_name: cirros-0.3.4-x86_64-uec\na: {image: df0c1a14-0940-4ae5-be5c-bb06aa407da2}\nb: {image: service/storage/image}\nimageName: x.qcow2\n", nil},
		"a mapping":             {"image:\n  repository: nginx\n  tag: '1.25'\n", []string{"image.repository docker.io/library/nginx:1.25"}},
		"with registry":         {"a:\n  b:\n    registry: example.com\n    repository: org/x\n    tag: 1\n", []string{"a.b.repository example.com/org/x:1"}},
		"appVersion":            {"image:\n  repository: nginx\n", []string{"image.repository docker.io/library/nginx:v7 appVersion"}},
		"an empty tag":          {"a:\n  repository: nginx\n  tag: ''\n", []string{"a.repository docker.io/library/nginx:v7 appVersion"}},
		"a null tag":            {"a:\n  repository: nginx\n  tag: null\n", []string{"a.repository docker.io/library/nginx:v7 appVersion"}},
		"digest beside it":      {"image:\n  repository: nginx\n  tag: x\n  digest: " + digest + "\n", []string{"image.repository docker.io/library/nginx@" + digest}},
		"digest without prefix": {"image:\n  repository: nginx\n  sha: " + hexDigest + "\n", []string{"image.repository docker.io/library/nginx@" + digest}},
		"digest as the tag":     {"image:\n  repository: nginx\n  tag: " + digest + "\n", []string{"image.repository docker.io/library/nginx@" + digest}},
		"digest not used":       {"image:\n  repository: nginx\n  tag: x\n  digest: " + digest + "\n  useDigest: false\n", []string{"image.repository docker.io/library/nginx:x"}},
		"bad digest":            {"image:\n  repository: nginx\n  tag: x\n  digest: 12\n  sha: zz\n", []string{"image.repository? nginx:x@sha256:zz"}},
		"tag in the repository": {"image:\n  repository: nginx:1\n  tag: 2\n", []string{"image.repository docker.io/library/nginx:1"}},
		"a number as tag":       {"image:\n  repository: nginx\n  tag: 1.20\n", []string{"image.repository docker.io/library/nginx:1.2"}},
		"a large number":        {"image:\n  repository: nginx\n  tag: 20250101\n", []string{"image.repository? nginx"}},
		"a boolean as tag":      {"image:\n  repository: nginx\n  tag: true\n", []string{"image.repository? nginx"}},
		"a templated tag":       {"image:\n  repository: nginx\n  tag: '{{ .Chart.AppVersion }}'\n", []string{"image.repository? nginx:{{ .Chart.AppVersion }}"}},
		"two hosts":             {"image:\n  registry: a.example.com\n  repository: b.example.com/x\n  tag: 1\n", []string{"image.repository? a.example.com/b.example.com/x"}},
		"the same host twice":   {"image:\n  registry: a.example.com\n  repository: a.example.com/x\n  tag: 1\n", []string{"image.repository a.example.com/x:1"}},
		"image for repository":  {"tool:\n  image: org/x\n  tag: 1\n", []string{"tool.image docker.io/org/x:1"}},
		"name for repository":   {"image:\n  name: org/x\n  tag: 1\n", []string{"image.name docker.io/org/x:1"}},
		"a name of other kind":  {"a:\n  name: x\n  tag: 1\n", nil},
		"name beside it":        {"image:\n  repository: org\n  name: x\n  tag: 1\n---\n", []string{"image.repository? org, x"}},
		"name without it":       {"image:\n  repository: ''\n  name: x\n  tag: 1\n", []string{"image.name? x"}},
		"version for tag":       {"tool:\n  registry: example.com\n  image: x/y\n  version: v1\n", []string{"tool.image example.com/x/y:v1"}},
		"two keys":              {"image: org/x\nimageTag: '1'\n", []string{"image docker.io/org/x:1"}},
		"two keys, another":     {"proxyImageRepository: org/x\nproxyImageTag: '1'\ntest_image: a\ntest_image_tag: '2'\n", []string{"proxyImageRepository docker.io/org/x:1", "test_image docker.io/library/a:2"}},
		"other repositories":    {"chart:\n  repository: https://example.com/charts\ngit:\n  repository: git@example.com:a/b.git\nbackup:\n  repository: store\n", nil},
		"perhaps a repository":  {"a:\n  repository: org/x\n", []string{"a.repository? org/x"}},
		"nested in an image":    {"image:\n  repository: a\n  tag: 1\n  reloader:\n    image: b:2\n", []string{"image.repository docker.io/library/a:1", "image.reloader.image docker.io/library/b:2"}},
		"the global registry":   {"global:\n  imageRegistry: mirror.example.com\nimage:\n  registry: docker.io\n  repository: a/b\n  tag: 1\nother:\n  image: c:1\nthird:\n  repository: d\n  tag: 1\n", []string{"image.repository mirror.example.com/a/b:1", "other.image docker.io/library/c:1", "third.repository docker.io/library/d:1"}},
		"the global fallback":   {"global:\n  image:\n    registry: r.example.com\na:\n  repository: quay.io/x\n  tag: 1\nb:\n  repository: host:5000/x\n  tag: 1\nc:\n  repository: x\n  tag: 1\n", []string{"a.repository quay.io/x:1", "b.repository host:5000/x:1", "c.repository r.example.com/x:1"}},
		// Which keys a template joins, and how, only the template says.
		"repo":              {"image:\n  repo: a/x\n  tag: '1'\n", []string{"image.repo? a/x"}},
		"a hub":             {"image:\n  hub: docker.io/a\n  image: x\n  tag: z\n", []string{"image.image? x"}},
		"a hub elsewhere":   {"pilot:\n  hub: docker.io/istio\n  image: pilot\n  tag: 1.0.0\n", []string{"pilot.image? pilot"}},
		"a URL":             {"image:\n  url: reg.io/a/x:1\n", []string{"image.url? reg.io/a/x:1"}},
		"an organisation":   {"image:\n  registry: reg.io\n  org: a\n  name: x\n  tag: '1'\n", []string{"image.name? x"}},
		"keys around it":    {"imageRegistry: reg.io\nimageNamespace: a\nimage: {name: x, tag: '1'}\nb: {imageRegistry: reg.io, image: {repository: org/z}}\nc: {imageRegistry: reg.io, image: {registry: quay.io, repository: z, tag: 1}}\n", []string{"c.image.repository quay.io/z:1", "b.image.repository? org/z", "image.name? x"}},
		"a namespace":       {"webImage:\n  registry: reg.io\n  imageNamespace: a\n  repository: x\n  tag: '1'\n", []string{"webImage.repository? x"}},
		"a name alone":      {"image:\n  name: org/x\n", []string{"image.name? org/x"}},
		"Glance":            {"endpoints:\n  image:\n    name: glance\n    hosts: {default: glance-api}\n", nil},
		"nothing of a name": {"image:\n  tag: '1'\n  pullPolicy: Always\nosImage:\n  url: https://example.com/x.img\n  name: cirros.img\n", nil},
		"a project":         {"app:\n  project: a\n  image: x\n  tag: '1'\n", []string{"app.image docker.io/library/x:1"}},
		"a registry's path": {"contour:\n  image:\n    registry: gcr.io/x/contour\n    tag: v1\n", []string{"contour.image.registry? gcr.io/x/contour"}},
		"a name's own key":  {"operatorImageName: org/x\noperatorVersion: v1\nwebImageName: org/y:1\nimageName: a\n", []string{"webImageName docker.io/org/y:1", "imageName? a", "operatorImageName? org/x"}},
		"a host alone":      {"imageRepository: registry.k8s.io\nimageTag: '1'\n", []string{"imageRepository? registry.k8s.io"}},
		"names of keys":     {"image:\n  repository: image.repository\n  tag: image.tag\n", []string{"image.repository? image.repository"}},
		"a dot behind one":  {"image:\n  repository: org/x.y\n  tag: 1\n", []string{"image.repository docker.io/org/x.y:1"}},
		"a global image":    {"global:\n  image: a:1\n", []string{"global.image docker.io/library/a:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := short(Find(load(t, files{"values.yaml": c.values})))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoAppVersion(t *testing.T) {
	c := load(t, files{"Chart.yaml": meta("web", ""), "values.yaml": "image:\n  repository: nginx\n"})
	found, undecided := Find(c)
	want := []Undecided{{
		Origin: Origin{Chart: "web", Version: "1.0.0", File: "values.yaml", Key: "image.repository", From: "values"},
		Value:  "nginx", Reason: "no tag, and the chart has no appVersion",
	}}
	if diff := cmp.Diff(want, undecided); diff != "" || found != nil {
		t.Errorf("got %v, undecided (-want +got):\n%s", found, diff)
	}
}

func TestAnnotations(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"artifacthub": {"annotations:\n  artifacthub.io/images: |\n    - name: a\n      image: org/a:1\n      whitelisted: true\n    - image: b\n",
			[]string{`annotations["artifacthub.io/images"] docker.io/org/a:1`, `annotations["artifacthub.io/images"] docker.io/library/b:latest`}},
		"helm.sh":    {"annotations:\n  helm.sh/images: |\n    - name: a\n      image: org/a:1\n", []string{`annotations["helm.sh/images"] docker.io/org/a:1`}},
		"bitnami":    {"annotations:\n  images: |\n    - name: a\n      image: org/a:1\n", []string{`annotations["images"] docker.io/org/a:1`}},
		"a template": {"annotations:\n  images: '[{image: \"a:{{ x }}\"}]'\n", []string{`annotations["images"]? a:{{ x }}`}},
		"no list":    {"annotations:\n  artifacthub.io/images: org/a:1\n", []string{`annotations["artifacthub.io/images"]? org/a:1`}},
		"no image":   {"annotations:\n  images: '[{name: a}]'\n", []string{`annotations["images"][0]? [{name: a}]`}},
	} {
		t.Run(name, func(t *testing.T) {
			found, undecided := Find(load(t, files{"Chart.yaml": meta("web", c.yaml)}))
			if diff := cmp.Diff(c.want, short(found, undecided)); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			for _, i := range found {
				if i.File != "Chart.yaml" {
					t.Errorf("%s: got file %q, want Chart.yaml", i.Key, i.File)
				}
			}
		})
	}
}

// FuzzFind: whatever stands in the values, Find ends, what it found is normalised,
// and each place is reported once.
func FuzzFind(f *testing.F) {
	f.Add("images:\n  tags:\n    a: b:1\n")
	f.Add("image:\n  registry: x.example.com\n  repository: a/b\n  tag: 1.2\n  digest: " + digest + "\n")
	f.Add("global:\n  imageRegistry: r\nsub:\n  image: {repository: a, name: b}\nextraContainers: '- image: a'\n")
	f.Add("image: &a [*a]\n")
	f.Add("a: &a {image: x:1}\nb: {<<: *a, image: null}\n---\nc_image: d\n")
	base := load(f, files{})
	sub := load(f, files{"Chart.yaml": meta("sub", ""), "values.yaml": "image: {repository: a}\n"})
	f.Fuzz(func(t *testing.T, values string) {
		c := base.WithSubcharts(nil)
		c.Files = append(c.Files[:len(c.Files):len(c.Files)], valuesOf(values))
		c.Subcharts = append(c.Subcharts, sub)
		found, undecided := Find(c)
		for _, i := range found {
			again, err := parseRef(i.Ref())
			if err != nil || again.Ref() != i.Ref() {
				t.Errorf("%s is not normalised: %v, %v", i.Ref(), again.Ref(), err)
			}
			if strings.ContainsAny(i.Ref(), " \n{}") {
				t.Errorf("%q", i.Ref())
			}
		}
		if diff := cmp.Diff(short(found, undecided), short(Find(c))); diff != "" {
			t.Errorf("found another time (-first +second):\n%s", diff)
		}
	})
}
