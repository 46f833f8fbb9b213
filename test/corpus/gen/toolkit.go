package gen

import (
	"fmt"
	"path"
	"strings"
)

// generation is what differs between the trees of 2019 and of today.
type generation struct {
	name string
	// api is the chart apiVersion.
	api string
	// version is the version of every chart in the tree.
	version   string
	policyAPI string
	batchAPI  string
	release   string
}

func v1() generation {
	return generation{name: "v1", api: "v1", version: "0.1.0", policyAPI: "policy/v1beta1", batchAPI: "batch/v1beta1", release: "ocata"}
}

func v2() generation {
	return generation{name: "v2", api: "v2", version: "2025.2.0", policyAPI: "policy/v1", batchAPI: "batch/v1", release: "2025.2-ubuntu_noble"}
}

const toolkit = "helm-toolkit"

// toolkitScripts are the scripts that helm-toolkit carries for its jobs, with
// their sizes. A chart's configmap-bin includes those that it needs.
var toolkitScripts = []struct {
	name, file string
	size       int
}{
	{"db_init", "_db-init.py", 5200}, {"db_drop", "_db-drop.py", 4600}, {"pg_db_init", "_db-pg-init.sh", 2600},
	{"ks_service", "_ks-service.sh", 2200}, {"ks_endpoints", "_ks-endpoints.sh", 2900}, {"ks_user", "_ks-user.sh", 4600},
	{"ks_domain_user", "_ks-domain-user.sh", 2700}, {"rabbit_init", "_rabbit-init.sh", 4200},
	{"image_repo_sync", "_image-repo-sync.sh", 1500}, {"create_s3_user", "_create-s3-user.sh", 4300},
	{"create_s3_bucket", "_create-s3-bucket.sh", 3600}, {"rally_test", "_rally_test.sh", 4800},
	{"db-backup-restore.backup_main", "db-backup-restore/_backup_main.sh", 24000},
	{"db-backup-restore.restore_main", "db-backup-restore/_restore_main.sh", 15000},
}

// lookups are the toolkit's many small templates that differ in one key only.
var lookups = map[string][]string{
	"snippets": {"custom_job_annotations", "custom_pod_annotations", "kubernetes_apparmor_annotation",
		"kubernetes_apparmor_configmap", "kubernetes_kubectl_params", "kubernetes_mandatory_access_control_annotation",
		"kubernetes_pod_image_pull_secret", "kubernetes_pod_priority_class", "kubernetes_seccomp_annotation",
		"kubernetes_upgrades_statefulset", "keystone_user_create_env_vars", "mon_host_from_k8s_ep", "prometheus_pod_annotations", "prometheus_service_annotations", "rgw_s3_secret_creds",
		"tls_volume", "values_template_renderer"},
	"tls": {"tls_generate_certs", "tls_authority"},
	"utils": {"configmap_templater", "daemonset_overrides", "daemonset_overrides_root", "dependency_resolver",
		"host_list", "merge", "to_k8s_env_vars", "joinListWithCommaAndSingleQuotes",
	},
	"manifests": {"ceph_storageclass", "certificates", "secret_registry", "job_s3_user"},
}

// addToolkit adds helm-toolkit below dir.
func (t *Tree) addToolkit(dir string, g generation, lib spec, seed uint64) {
	templates := path.Join(dir, "templates")
	for _, bundle := range []string{"endpoints.txtar", "snippets.txtar", "manifests.txtar"} {
		for _, s := range sections(bundle) {
			name := strings.TrimSuffix(s.name, "."+g.name)
			if strings.HasSuffix(name, ".v1") || strings.HasSuffix(name, ".v2") {
				continue
			}
			r := seeded(seed, "toolkit/"+name)
			t.add(path.Join(templates, name), templateLicense+manual(r, defined(s.text), r.between(1000, 2600))+s.text)
		}
	}
	for group, names := range lookups {
		for _, name := range names {
			if g.name == "v1" && strings.HasPrefix(name, "custom_") {
				continue
			}
			r := seeded(seed, "toolkit/"+group+"/"+name)
			full := toolkit + "." + group + "." + name
			body := fmt.Sprintf("{{- define %q -}}\n{{- $envAll := index . 0 -}}\n{{- $component := index . 1 -}}\n{{- with $envAll.Values.%s }}\n%s:\n{{ index . $component | toYaml | trim | indent 2 }}\n{{- end }}\n{{- end -}}\n",
				full, r.words(2, "_"), r.word())
			t.add(path.Join(templates, group, "_"+name+".tpl"), templateLicense+manual(r, full, r.between(1000, 2600))+body)
		}
	}
	for _, s := range toolkitScripts {
		r := seeded(seed, "toolkit/scripts/"+s.name)
		body := "#!/bin/bash\n\n" + shell(r, s.size)
		if strings.HasSuffix(s.file, ".py") {
			body = "#!/usr/bin/env python\n\n" + python(r, s.size)
		}
		t.add(path.Join(templates, "scripts", s.file+".tpl"),
			templateLicense+fmt.Sprintf("{{- define %q }}\n", toolkit+".scripts."+s.name)+body+"{{- end }}\n")
	}
	t.addToolkitRoot(dir, g, lib)
}

func (t *Tree) addToolkitRoot(dir string, g generation, lib spec) {
	t.addChartFiles(dir, g, lib, "")
	values := "# Default values for helm-toolkit.\n# This is a YAML-formatted file.\n# Declare name/value pairs to be passed into your templates.\n# name: value\n"
	if g.name == "v2" {
		// A document of comments alone between --- and ... would be an error to Helm 4.
		t.add(dir+"/values.yaml", hashLicense+"\n---\n"+values+"\nrelease_uuid: null\n...\n")
		return
	}
	t.add(dir+"/values.yaml", hashLicense+"\n"+values)
	// What Helm 2 writes for an empty list of requirements.
	t.add(dir+"/requirements.lock", "dependencies: []\ndigest: sha256:81059fe6210ccee4e3349c0f34c12d180f995150128a913d63b65b7937c6b152\ngenerated: \"2019-02-11T05:31:07.917284313Z\"\n")
	t.add(dir+"/requirements.yaml", hashLicense+"\ndependencies: []\n")
}

// defined is the name of the template that text defines.
func defined(text string) string {
	_, rest, _ := strings.Cut(text, `define "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}
