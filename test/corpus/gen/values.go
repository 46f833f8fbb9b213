package gen

import (
	"fmt"
	"slices"
	"strings"
)

// writer writes YAML line by line, two blanks a level.
type writer struct{ strings.Builder }

func (w *writer) line(level int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", level))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// values is the chart's values.yaml: all that its templates read, and a conf
// section that gives the file its bulk.
func values(g generation, s spec, seed uint64) string {
	r := seeded(seed, g.name+"/"+s.name+"/values")
	w := &writer{}
	w.WriteString(hashLicense + "\n")
	fmt.Fprintf(w, "# Default values for %s.\n# This is a YAML-formatted file.\n# Declare name/value pairs to be passed into your templates.\n\n", s.name)
	if g.name == "v2" {
		w.WriteString("---\n")
	}
	if s.usesToolkit() {
		w.images(g, s)
		w.network(s)
		w.dependencies(s)
		w.endpoints(r, s)
		w.pod(r, s)
	}
	w.conf(r, s)
	w.line(0, "manifests:")
	for _, o := range s.objects() {
		w.line(1, "%s: true", o.manifest())
	}
	if g.name == "v2" {
		w.WriteString("...\n")
	}
	return w.String()
}

func (w *writer) images(g generation, s spec) {
	w.line(0, "release_group: null\n")
	w.line(0, "labels:")
	for _, part := range append(slices.Clone(s.parts), "job", "test") {
		w.line(1, "%s:", underscored(part))
		w.line(2, "node_selector_key: openstack-control-plane")
		w.line(2, "node_selector_value: enabled")
	}
	w.line(0, "\nimages:")
	w.line(1, "tags:")
	for _, tag := range []string{"bootstrap", "test", "db_init", "db_drop", "ks_service", "ks_endpoints", "ks_user"} {
		w.line(2, "%s: openstackhelm/heat:%s", tag, g.release)
	}
	w.line(2, "db_sync: openstackhelm/%s:%s", s.name, g.release)
	w.line(2, "rabbit_init: library/rabbitmq:3.13-management")
	w.line(2, "dep_check: airshipit/kubernetes-entrypoint:v1.0.0")
	w.line(2, "image_repo_sync: library/docker:17.07.0")
	for _, part := range s.parts {
		w.line(2, "%s_%s: openstackhelm/%s:%s", underscored(s.name), underscored(part), s.name, g.release)
	}
	w.line(1, "pull_policy: \"IfNotPresent\"")
	w.line(1, "local_registry:\n    active: false\n    exclude:\n      - dep_check\n      - image_repo_sync\n")
}

func (w *writer) network(s spec) {
	w.line(0, "network:")
	w.line(1, "ingress_class: nginx")
	for i, part := range s.parts {
		w.line(1, "%s:", underscored(part))
		w.line(2, "ingress:\n      public: true\n      classes:\n        namespace: \"nginx\"\n        cluster: \"nginx-cluster\"")
		w.line(2, "external_policy_local: false")
		w.line(2, "node_port:\n      enabled: false\n      port: %d", 30500+i)
	}
	w.line(0, "\nnetwork_policy:\n  %s:\n    ingress:\n      - {}\n    egress:\n      - {}\n", underscored(s.name))
}

func (w *writer) dependencies(s spec) {
	w.line(0, "dependencies:")
	w.line(1, "dynamic:\n    common:\n      local_image_registry:\n        jobs:\n          - %s-image-repo-sync\n        services:\n          - endpoint: node\n            service: local_image_registry", s.name)
	w.line(1, "static:")
	for _, o := range s.objects() {
		if o.part == "" || o.section == "pdb" || strings.HasPrefix(o.section, "ingress") || strings.HasPrefix(o.section, "service") {
			continue
		}
		w.line(2, "%s:", underscored(o.part))
		if o.section != "job" {
			w.line(3, "jobs:\n        - %s-bootstrap\n        - %s-image-repo-sync", s.name, s.name)
		}
		w.line(3, "services:\n        - endpoint: internal\n          service: oslo_db\n        - endpoint: internal\n          service: identity")
	}
	w.line(0, "")
}

func (w *writer) endpoints(r *source, s spec) {
	w.line(0, "endpoints:")
	w.line(1, "cluster_domain_suffix: cluster.local")
	w.line(1, "local_image_registry:\n    name: docker-registry\n    namespace: docker-registry\n    hosts:\n      default: localhost\n      node: localhost\n    host_fqdn_override:\n      default: null\n    port:\n      registry:\n        node: 5000")
	all := []struct{ key, name, scheme, path, ports string }{
		{"identity", "keystone", "http", "/v3", "default: 80\n        internal: 5000\n        service: 5000\n        direct: 5000"},
		{"oslo_db", "mariadb", "mysql+pymysql", "/" + underscored(s.name), "default: 3306"},
		{"oslo_messaging", "rabbitmq", "rabbit", "/" + s.name, "default: 5672"},
		{"oslo_cache", "memcached", "memcache", "", "default: 11211"},
	}
	if !slices.ContainsFunc(all, func(e struct{ key, name, scheme, path, ports string }) bool { return e.key == s.endpoint }) {
		all = append(all, struct{ key, name, scheme, path, ports string }{s.endpoint, s.name, "http", "", fmt.Sprintf("default: %d\n        internal: %d", r.between(1024, 9999), r.between(1024, 9999))})
	}
	port := map[string]string{"oslo_db": "mysql", "oslo_messaging": "amqp", "oslo_cache": "memcache"}
	for _, e := range all {
		w.line(1, "%s:", e.key)
		w.line(2, "name: %s", e.name)
		w.line(2, "statefulset_replicas: 3")
		w.line(2, "auth:")
		for _, user := range []string{"admin", underscored(s.name)} {
			w.line(3, "%s:\n        region_name: RegionOne\n        username: %s\n        password: password\n        project_name: service\n        user_domain_name: default\n        project_domain_name: default", user, user)
		}
		w.line(2, "hosts:\n      default: %s\n      internal: %s-int\n      public: %s\n      discovery: %s-discovery", e.name, e.name, e.name, e.name)
		w.line(2, "host_fqdn_override:\n      default: null")
		w.line(2, "path:\n      default: %q", e.path)
		w.line(2, "scheme:\n      default: %s", e.scheme)
		w.line(2, "port:\n      api:\n        %s", e.ports)
		if p := port[e.key]; p != "" {
			w.line(3, "%s:\n        %s", p, e.ports)
		}
	}
	w.line(0, "")
}

func (w *writer) pod(r *source, s spec) {
	w.line(0, "pod:")
	w.line(1, "security_context:\n    %s:\n      pod:\n        runAsUser: %d\n      container:", underscored(s.name), r.between(1000, 65000))
	for _, part := range s.parts {
		w.line(4, "%s_%s:\n          readOnlyRootFilesystem: true\n          allowPrivilegeEscalation: false", underscored(s.name), underscored(part))
	}
	w.line(1, "affinity:\n    anti:\n      type:\n        default: preferredDuringSchedulingIgnoredDuringExecution\n      topologyKey:\n        default: kubernetes.io/hostname\n      weight:\n        default: 10")
	w.line(1, "tolerations:\n    %s:\n      enabled: false\n      tolerations:\n        - key: node-role.kubernetes.io/control-plane\n          operator: Exists\n          effect: NoSchedule", underscored(s.name))
	w.each("mounts", s, func(string) string {
		return "\n      init_container: null\n      main:\n        volumeMounts:\n        volumes:"
	})
	w.each("replicas", s, func(string) string { return " 1" })
	w.each("probes", s, func(string) string {
		return fmt.Sprintf("\n      liveness:\n        enabled: true\n        params:\n          initialDelaySeconds: %d\n          periodSeconds: %d\n          timeoutSeconds: 5", r.between(5, 120), r.between(5, 60))
	})
	w.line(1, "lifecycle:\n    upgrades:\n      deployments:\n        revision_history: 3\n        pod_replacement_strategy: RollingUpdate\n        rolling_update:\n          max_unavailable: 1\n          max_surge: 3\n      daemonsets:\n        pod_replacement_strategy: RollingUpdate\n        max_unavailable: 1")
	w.line(2, "disruption_budget:")
	for _, part := range s.parts {
		w.line(3, "%s:\n        min_available: 0", underscored(part))
	}
	w.line(2, "termination_grace_period:")
	for _, part := range s.parts {
		w.line(3, "%s:\n        timeout: %d", underscored(part), r.between(10, 120))
	}
	w.line(1, "resources:\n    enabled: %v", s.weight%20 == 0)
	for _, part := range append(slices.Clone(s.parts), "jobs") {
		w.line(2, "%s:\n      requests:\n        memory: \"128Mi\"\n        cpu: \"100m\"\n      limits:\n        memory: \"%dMi\"\n        cpu: \"2000m\"", underscored(part), 256*r.between(1, 8))
	}
	w.line(0, "\nstorage:\n  class_name: general\n  size: %dGi\n\njobs:", r.between(1, 20))
	for _, cron := range append(s.crons(), "placeholder") {
		w.line(1, "%s:\n    cron: \"0 */12 * * *\"\n    history:\n      success: 3\n      failed: 1", underscored(cron))
	}
	w.line(0, "")
}

// each writes a map that has one key for each component.
func (w *writer) each(key string, s spec, value func(part string) string) {
	w.line(1, "%s:", key)
	for _, part := range s.parts {
		w.line(2, "%s:%s", underscored(part), value(underscored(part)))
	}
}
