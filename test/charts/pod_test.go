package charts

import (
	"errors"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
)

// pod checks what a pod's parts name of each other.
func pod(spec core.PodSpec, claims []core.PersistentVolumeClaim) error {
	volumes := map[string]bool{}
	var errs []error
	unique := func(what string, seen map[string]bool, name string) {
		if seen[name] {
			errs = append(errs, fmt.Errorf("%s %s is there twice", what, name))
		}
		seen[name] = true
	}
	for _, claim := range claims {
		unique("volume", volumes, claim.Name)
	}
	for _, v := range spec.Volumes {
		unique("volume", volumes, v.Name)
	}
	containers, ports, numbers, mounted := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		unique("container", containers, c.Name)
		paths, env := map[string]bool{}, map[string]bool{}
		for _, m := range c.VolumeMounts {
			unique("mount at", paths, m.MountPath)
			mounted[m.Name] = true
			if !volumes[m.Name] {
				errs = append(errs, fmt.Errorf("container %s mounts %s, and there is no such volume", c.Name, m.Name))
			}
		}
		for _, e := range c.Env {
			unique("variable", env, e.Name)
		}
		for _, p := range c.Ports {
			unique("port", ports, p.Name)
			unique("port", numbers, fmt.Sprint(p.ContainerPort))
			for _, text := range validation.IsValidPortName(p.Name) {
				errs = append(errs, fmt.Errorf("port %s: %s", p.Name, text))
			}
		}
		errs = append(errs, probes(c))
	}
	for name := range volumes {
		if !mounted[name] {
			errs = append(errs, fmt.Errorf("nothing mounts the volume %s", name))
		}
	}
	return errors.Join(errs...)
}

// probes checks that a container's probes ask a port that it has.
func probes(c core.Container) error {
	var errs []error
	for _, p := range []*core.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if p == nil {
			continue
		}
		var port intstr.IntOrString
		switch {
		case p.HTTPGet != nil:
			port = p.HTTPGet.Port
		case p.TCPSocket != nil:
			port = p.TCPSocket.Port
		default:
			continue
		}
		errs = append(errs, hasPort(core.PodSpec{Containers: []core.Container{c}}, port))
	}
	return errors.Join(errs...)
}
