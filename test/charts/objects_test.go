package charts

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// kinds makes an empty object of each kind that the sample charts have.
func kinds() map[string]func() meta.Object {
	return map[string]func() meta.Object{
		"v1/ConfigMap":      func() meta.Object { return new(core.ConfigMap) },
		"v1/Pod":            func() meta.Object { return new(core.Pod) },
		"v1/Secret":         func() meta.Object { return new(core.Secret) },
		"v1/Service":        func() meta.Object { return new(core.Service) },
		"v1/ServiceAccount": func() meta.Object { return new(core.ServiceAccount) },

		"apps/v1/Deployment":                     func() meta.Object { return new(apps.Deployment) },
		"apps/v1/StatefulSet":                    func() meta.Object { return new(apps.StatefulSet) },
		"batch/v1/Job":                           func() meta.Object { return new(batch.Job) },
		"networking.k8s.io/v1/Ingress":           func() meta.Object { return new(networking.Ingress) },
		"networking.k8s.io/v1/NetworkPolicy":     func() meta.Object { return new(networking.NetworkPolicy) },
		"policy/v1/PodDisruptionBudget":          func() meta.Object { return new(policy.PodDisruptionBudget) },
		"gateway.networking.k8s.io/v1/HTTPRoute": func() meta.Object { return new(gateway.HTTPRoute) },
		"monitoring.coreos.com/v1/ServiceMonitor": func() meta.Object {
			return new(monitoring.ServiceMonitor)
		},
	}
}

// decode reads manifests as the API does: a field that its kind has not in exactly these letters,
// or one that is there twice, is an error.
func decode(t *testing.T, manifests string) []meta.Object {
	t.Helper()
	var all []meta.Object
	for document := range strings.SplitSeq("\n"+manifests, "\n---") {
		var kind meta.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		if kind == (meta.TypeMeta{}) {
			continue
		}
		of := kinds()[kind.APIVersion+"/"+kind.Kind]
		if of == nil {
			t.Errorf("%s/%s: not known here", kind.APIVersion, kind.Kind)
			continue
		}
		object := of()
		data, err := yaml.YAMLToJSONStrict([]byte(document))
		must(t, err)
		unknown, err := json.UnmarshalStrict(data, object)
		if err := errors.Join(append(unknown, err)...); err != nil {
			t.Errorf("%s: %v\n%s", kind.Kind, err, document)
		}
		all = append(all, object)
	}
	return all
}

// one is the only object of a kind, or nil.
func one[T meta.Object](t *testing.T, all []meta.Object) (found T) {
	t.Helper()
	count := 0
	for _, object := range all {
		if o, ok := object.(T); ok {
			found, count = o, count+1
		}
	}
	if count > 1 {
		t.Errorf("%d objects are %T, want one", count, found)
	}
	return found
}

// kindOf is how messages name an object.
func kindOf(o meta.Object) string {
	return fmt.Sprintf("%s %s", strings.TrimPrefix(fmt.Sprintf("%T", o), "*v1."), o.GetName())
}
