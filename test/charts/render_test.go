package charts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRendered: whatever values the chart is given, Helm 3 and 4 have nothing to say against it,
// render the same, and the objects are sound.
func TestRendered(t *testing.T) {
	for name, values := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var before []meta.Object
			for _, helm := range helms() {
				if out, err := run(t, values, helm, "lint", "--strict", "--quiet", archive(t, "chartserve"), kubeVersion, "--values=-"); err != nil {
					t.Errorf("%s lint: %v\n%s", helm, err, out)
				}
				objects := decode(t, render(t, helm, "chartserve", "charts", values))
				if err := release(objects).check(); err != nil {
					t.Errorf("%s: %v", helm, err)
				}
				if before != nil {
					if diff := cmp.Diff(before, objects, quantities()); diff != "" {
						t.Errorf("Helm 3 and 4 render different objects (-3 +4):\n%s", diff)
					}
				}
				before = objects
			}
			if name != "no security" && name != "more" {
				leastOf(t, before)
			}
		})
	}
}

// quantities compares amounts of memory and processors by what they are.
func quantities() cmp.Option {
	return cmp.Comparer(func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 })
}

// TestSamples: the other samples render sound objects too.
func TestSamples(t *testing.T) {
	for _, chart := range []string{"hello", "guestbook", "cache"} {
		for _, helm := range helms() {
			if err := release(decode(t, render(t, helm, chart, "x", "{}"))).check(); err != nil {
				t.Errorf("%s, %s: %v", helm, chart, err)
			}
		}
	}
}

// TestRefused: values that can't be meant are refused before anything is made, with their names.
func TestRefused(t *testing.T) {
	for name, tt := range refused() {
		for _, helm := range helms() {
			out, err := run(t, tt.values, helm, "template", "x", archive(t, "chartserve"), kubeVersion, "--values=-")
			if err == nil || !strings.Contains(out, tt.says) || !strings.Contains(out, "schema") {
				t.Errorf("%s, %s: got %v, %.300s, want a refusal by the schema of %q", name, helm, err, out, tt.says)
			}
		}
	}
	const git = "gitSync: {enabled: true, repository: 'https://git.example.com/x'}"
	if out, err := run(t, git, "helm4", "template", "x", archive(t, "chartserve"), "--kube-version=1.28.9", "--values=-"); err == nil || !strings.Contains(out, "needs Kubernetes 1.29") {
		t.Errorf("git-sync on Kubernetes 1.28: got %v, %s", err, out)
	}
}

// TestUpgraded: an upgrade of the chart changes nothing that the API does not let change.
func TestUpgraded(t *testing.T) {
	fixed := func(values string) apps.StatefulSetSpec {
		set := one[*apps.StatefulSet](t, decode(t, render(t, "helm3", "chartserve", "charts", values)))
		spec := set.Spec
		spec.Template, spec.Replicas = core.PodTemplateSpec{}, nil
		return spec
	}
	before := fixed("{}")
	for name, values := range cases() {
		if name == "everything" || name == "labels" {
			if diff := cmp.Diff(before, fixed(values), quantities()); diff != "" {
				t.Errorf("%s: what can't be changed has changed:\n%s", name, diff)
			}
		}
	}
	for label := range before.VolumeClaimTemplates[0].Labels {
		if strings.Contains(label, "version") || strings.Contains(label, "chart") {
			t.Errorf("the template of the claim has the label %s, which the next version of the chart changes", label)
		}
	}
}

// leastOf checks that pods can do no more than they have to.
func leastOf(t *testing.T, objects []meta.Object) {
	t.Helper()
	for _, object := range objects {
		switch o := object.(type) {
		case *apps.StatefulSet:
			least(t, o.Spec.Template.Spec)
		case *core.Pod:
			least(t, o.Spec)
		}
	}
}

// least checks a pod against what the restricted standard of Kubernetes asks for, and more.
func least(t *testing.T, spec core.PodSpec) {
	t.Helper()
	p := spec.SecurityContext
	if !*p.RunAsNonRoot || *p.RunAsUser != 65532 || *p.RunAsGroup != 65532 || p.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("the pod's security context is %+v", p)
	}
	if *spec.AutomountServiceAccountToken || *spec.EnableServiceLinks {
		t.Error("the pod gets a token, or variables of services")
	}
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		s := c.SecurityContext
		if *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || len(s.Capabilities.Add) > 0 || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" {
			t.Errorf("the security context of %s is %+v", c.Name, s)
		}
	}
}
