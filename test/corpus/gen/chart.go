package gen

import (
	"fmt"
	"path"
	"sort"
	"strings"
)

// spec is a chart as the tables v1.txt and v2.txt have it.
type spec struct {
	name string
	// kind decides which objects the chart has: see objects.
	kind string
	// weight is the chart's bulk in percent of the usual.
	weight int
	// endpoint is the chart's own key in .Values.endpoints.
	endpoint string
	// parts are its components, one workload each.
	parts []string
	// repository is where it takes helm-toolkit from.
	repository string
}

func newSpec(fields []string) spec {
	s := spec{name: fields[0], kind: fields[1], endpoint: fields[3], parts: strings.Split(fields[4], ",")}
	fmt.Sscan(fields[2], &s.weight)
	return s
}

// usesToolkit: the library itself and the plain charts don't.
func (s spec) usesToolkit() bool { return s.kind != "library" && s.kind != "plain" }

// object is one template of a chart: the section of charts.txtar it is made
// from, its file name, and the component it is for.
type object struct {
	section, file, part string
	// helper is the toolkit's job template, for jobs.
	helper string
}

// manifest is the key in .Values.manifests that switches the object on.
func (o object) manifest() string {
	return underscored(strings.TrimSuffix(o.file, ".yaml"))
}

func underscored(s string) string { return strings.ReplaceAll(s, "-", "_") }

// workload is the kind of object that runs a component.
func (s spec) workload(part string) string {
	switch {
	case s.kind == "agent", strings.HasSuffix(part, "agent"), strings.HasSuffix(part, "cleanup"):
		return "daemonset"
	case s.kind == "stateful":
		return "statefulset"
	}
	return "deployment"
}

// objects lists the templates of a chart, in file order.
func (s spec) objects() []object {
	if s.kind == "plain" {
		return []object{{section: "plain.yaml", file: "plain.yaml"}}
	}
	list := []object{{section: "configmap-bin.yaml", file: "configmap-bin.yaml"}, {section: "configmap-etc.yaml", file: "configmap-etc.yaml"},
		{section: "network_policy.yaml", file: "network_policy.yaml"}, {section: "pod-test.yaml", file: "pod-test.yaml"}}
	jobs := []string{"image_repo_sync", "bootstrap"}
	for _, part := range s.parts {
		kind := s.workload(part)
		list = append(list, object{section: kind, file: kind + "-" + part + ".yaml", part: part})
		if kind != "daemonset" {
			list = append(list, object{section: "pdb", file: "pdb-" + part + ".yaml", part: part})
		}
		if kind == "statefulset" || strings.Contains(part, "api") || strings.Contains(part, "proxy") || part == "server" {
			for _, section := range []string{"service", "ingress", "service-ingress"} {
				list = append(list, object{section: section, file: section + "-" + part + ".yaml", part: part})
			}
		}
	}
	if s.kind == "service" {
		jobs = append(jobs, "db_init_mysql", "db_drop_mysql", "db_sync", "ks_service", "ks_endpoints", "ks_user", "rabbit_init")
		for _, name := range []string{"secret-db.yaml", "secret-rabbitmq.yaml", "secret-keystone.yaml", "secret-ingress-tls.yaml"} {
			list = append(list, object{section: name, file: name})
		}
	}
	for _, cron := range s.crons() {
		list = append(list, object{section: "cron-job", file: "cron-job-" + cron + ".yaml", part: cron})
	}
	for _, job := range jobs {
		part := strings.ReplaceAll(strings.TrimSuffix(job, "_mysql"), "_", "-")
		list = append(list, object{section: "job", file: "job-" + part + ".yaml", part: part, helper: job})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].file < list[j].file })
	return list
}

func (s spec) crons() []string {
	switch {
	case s.name == "keystone":
		return []string{"credential-rotate", "fernet-rotate"}
	case s.weight >= 170 && s.usesToolkit():
		return []string{"service-cleaner"}
	}
	return nil
}

// addChart adds the chart s below dir, with everything that is in such a chart.
func (t *Tree) addChart(dir string, g generation, s spec, seed uint64) {
	r := seeded(seed, g.name+"/"+s.name)
	t.addChartFiles(dir, g, s, r.sentence(20))
	scripts := t.addScripts(dir, g, s, seed)
	bodies := map[string]string{}
	for _, sec := range sections("charts.txtar") {
		bodies[sec.name] = sec.text
	}
	for _, o := range s.objects() {
		body := fill(bodies[o.section], map[string]string{
			"name": s.name, "name_": underscored(s.name), "part": o.part, "part_": underscored(o.part),
			"type": s.endpoint, "helper": o.helper, "policyAPI": g.policyAPI, "batchAPI": g.batchAPI, "bin": scripts,
		})
		t.add(path.Join(dir, "templates", o.file), templateLicense+body)
	}
	t.add(path.Join(dir, "values.yaml"), values(g, s, seed))
}

// addScripts adds the chart's own scripts, and returns the lines of its
// configmap-bin that include them and the toolkit's.
func (t *Tree) addScripts(dir string, g generation, s spec, seed uint64) string {
	if !s.usesToolkit() {
		return ""
	}
	var own []string
	for _, part := range s.parts {
		own = append(own, s.name+"-"+part+".sh")
	}
	own = append(own, "bootstrap.sh", "test.sh")
	if s.kind == "service" {
		own = append(own, "db-sync.sh")
	}
	for _, cron := range s.crons() {
		own = append(own, cron+".sh")
	}
	names := seeded(seed, g.name+"/"+s.name+"/scripts")
	for i := range s.weight / 30 {
		own = append(own, fmt.Sprintf("%s-%02d.sh", names.words(2, "-"), i))
	}
	var include strings.Builder
	for _, name := range own {
		r := seeded(seed, g.name+"/"+s.name+"/bin/"+name)
		file := "bin/_" + name + ".tpl"
		t.add(path.Join(dir, "templates", file), "#!/bin/bash\n\n"+templateLicense+shell(r, r.between(400, 3300)))
		fmt.Fprintf(&include, "  %s: |\n{{ tuple %q . | include \"helm-toolkit.utils.template\" | indent 4 }}\n", name, file)
	}
	shared := map[string]string{"image-repo-sync.sh": "image_repo_sync"}
	if s.kind == "service" {
		shared["db-init.py"], shared["db-drop.py"], shared["ks-service.sh"] = "db_init", "db_drop", "ks_service"
		shared["ks-endpoints.sh"], shared["ks-user.sh"], shared["rabbit-init.sh"] = "ks_endpoints", "ks_user", "rabbit_init"
	}
	files := make([]string, 0, len(shared))
	for file := range shared {
		files = append(files, file)
	}
	sort.Strings(files)
	for _, file := range files {
		fmt.Fprintf(&include, "  %s: |\n{{ include \"helm-toolkit.scripts.%s\" . | indent 4 }}\n", file, shared[file])
	}
	return strings.TrimSuffix(include.String(), "\n")
}
