package charts

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// release is what Helm renders, to find in it what objects name.
type release []meta.Object

// check returns what a cluster would refuse or never find in it, which the types allow.
func (r release) check() error {
	var errs []error
	for _, object := range r {
		problems := names(object)
		switch o := object.(type) {
		case *apps.StatefulSet:
			problems = append(problems, selects(o.Spec.Selector, o.Spec.Template.Labels), pod(o.Spec.Template.Spec, o.Spec.VolumeClaimTemplates))
		case *apps.Deployment:
			problems = append(problems, selects(o.Spec.Selector, o.Spec.Template.Labels), pod(o.Spec.Template.Spec, nil))
		case *batch.Job:
			problems = append(problems, pod(o.Spec.Template.Spec, nil))
		case *core.Pod:
			problems = append(problems, pod(o.Spec, nil))
		case *core.Service:
			problems = append(problems, r.service(o))
		case *policy.PodDisruptionBudget:
			_, err := r.server(o.Spec.Selector)
			problems = append(problems, err)
		case *networking.NetworkPolicy:
			problems = append(problems, r.policy(o))
		case *networking.Ingress:
			problems = append(problems, r.ingress(o))
		case *gateway.HTTPRoute:
			problems = append(problems, r.route(o))
		case *monitoring.ServiceMonitor:
			problems = append(problems, r.monitor(o))
		}
		if err := errors.Join(problems...); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", kindOf(object), err))
		}
	}
	return errors.Join(errs...)
}

// names checks an object's name and labels.
func names(o meta.Object) (problems []error) {
	for _, text := range validation.IsDNS1123Label(o.GetName()) {
		problems = append(problems, fmt.Errorf("name: %s", text))
	}
	for key, value := range o.GetLabels() {
		for _, text := range append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...) {
			problems = append(problems, fmt.Errorf("label %s=%s: %s", key, value, text))
		}
	}
	return problems
}

// selects checks that a selector finds the pods of its own template.
func selects(selector *meta.LabelSelector, template map[string]string) error {
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		return err
	}
	if s.Empty() || !s.Matches(labels.Set(template)) {
		return fmt.Errorf("selector %s does not find the template's labels %v", s, template)
	}
	return nil
}

// server finds the one template of pods that a selector means.
func (r release) server(selector *meta.LabelSelector) (core.PodSpec, error) {
	var found []core.PodSpec
	for _, object := range r {
		template := core.PodTemplateSpec{}
		switch o := object.(type) {
		case *apps.StatefulSet:
			template = o.Spec.Template
		case *apps.Deployment:
			template = o.Spec.Template
		case *core.Pod: // of a test: nobody may send it requests
			template = core.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
		default:
			continue
		}
		if selects(selector, template.Labels) == nil {
			found = append(found, template.Spec)
		}
	}
	if len(found) != 1 {
		return core.PodSpec{}, fmt.Errorf("selector %v finds %d kinds of pods, want one", selector.MatchLabels, len(found))
	}
	return found[0], nil
}

func (r release) service(o *core.Service) error {
	spec, err := r.server(&meta.LabelSelector{MatchLabels: o.Spec.Selector})
	if err != nil {
		return err
	}
	var errs []error
	for _, port := range o.Spec.Ports {
		errs = append(errs, hasPort(spec, port.TargetPort))
	}
	return errors.Join(errs...)
}

// hasPort checks that a container of a pod has the port.
func hasPort(spec core.PodSpec, port intstr.IntOrString) error {
	for _, c := range spec.Containers {
		for _, p := range c.Ports {
			if p.Name == port.StrVal || p.ContainerPort == port.IntVal {
				return nil
			}
		}
	}
	return fmt.Errorf("no container has the port %s", port.String())
}

func (r release) policy(o *networking.NetworkPolicy) error {
	spec, err := r.server(&o.Spec.PodSelector)
	if err != nil {
		return err
	}
	var errs []error
	for _, rule := range o.Spec.Ingress {
		for _, port := range rule.Ports {
			errs = append(errs, hasPort(spec, *port.Port))
		}
	}
	return errors.Join(errs...)
}

// backend checks that the release has the service and its port, by name or number.
func (r release) backend(name, port string) error {
	for _, object := range r {
		o, ok := object.(*core.Service)
		if ok && o.Name == name && slices.ContainsFunc(o.Spec.Ports, func(p core.ServicePort) bool {
			return p.Name == port || strconv.Itoa(int(p.Port)) == port
		}) {
			return nil
		}
	}
	return fmt.Errorf("there is no service %s with the port %s", name, port)
}

func (r release) ingress(o *networking.Ingress) error {
	var errs []error
	for _, rule := range o.Spec.Rules {
		for _, path := range rule.HTTP.Paths {
			s := path.Backend.Service
			errs = append(errs, r.backend(s.Name, s.Port.Name+strconv.Itoa(int(s.Port.Number))[:min(1, int(s.Port.Number))]))
		}
	}
	return errors.Join(errs...)
}

func (r release) route(o *gateway.HTTPRoute) error {
	var errs []error
	for _, rule := range o.Spec.Rules {
		for _, b := range rule.BackendRefs {
			errs = append(errs, r.backend(string(b.Name), strconv.Itoa(int(*b.Port))))
		}
	}
	return errors.Join(errs...)
}

func (r release) monitor(o *monitoring.ServiceMonitor) error {
	for _, object := range r {
		if s, ok := object.(*core.Service); ok && selects(&o.Spec.Selector, s.Labels) == nil {
			return r.backend(s.Name, o.Spec.Endpoints[0].Port)
		}
	}
	return fmt.Errorf("it selects no service")
}
