package gen

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"time"
)

// slashed are the charts whose dependency's URL ends in a slash, as in the real
// trees: clients and servers must not stumble over it.
var (
	slashedV2 = []string{"barbican", "cinder", "glance", "mariadb", "nova", "rabbitmq"}
	slashedV1 = []string{"congress", "keystone", "calico", "etcd", "ingress"}
)

// TacoV2 is openstack-helm of today: one tree of 80 charts, 78 of which take
// helm-toolkit from file://../helm-toolkit.
func TacoV2(seed uint64) *Tree {
	t, g := newTree(), v2()
	for _, row := range table("v2.txt") {
		t.addOne(newSpec(row), g, ".", siblingToolkit, slashedV2, seed)
	}
	for _, c := range t.Charts {
		t.addOverrides(c, seed)
	}
	t.addLink("libvirt/templates/bin/_libvirt-log.sh.tpl", "_bootstrap.sh.tpl")
	t.addLink("keystone/values_overrides/latest.yaml", "2025.2-ubuntu_noble.yaml")
	t.add("Makefile", text("Makefile.v2"))
	t.addBeside(".", g, seed, amounts{docs: 180, docBytes: 30000, scripts: 125, roles: 60, notes: 185})

	// The archives of 2019 that somebody left there: other versions than the tree's.
	old := TacoV1(seed)
	t.addArchives(".", old)
	t.finish()
	return t
}

// TacoV1 is openstack-helm and openstack-helm-infra of February 2019: 18 and 41
// charts in two sibling directories, 57 of which take helm-toolkit from
// http://localhost:8879/charts.
func TacoV1(seed uint64) *Tree {
	t, g := newTree(), v1()
	for _, row := range table("v1.txt") {
		t.addOne(newSpec(row[1:]), g, row[0], servedToolkit, slashedV1, seed)
	}
	for _, dir := range []string{"openstack-helm", "openstack-helm-infra"} {
		first := ""
		if dir == "openstack-helm-infra" {
			first = toolkit
		}
		t.add(dir+"/Makefile", fill(text("Makefile.v1"), map[string]string{"first": first}))
		t.addBeside(dir, g, seed, amounts{docs: 190, docBytes: 24000, scripts: 260, roles: 70})
	}
	t.addArchives("openstack-helm-infra", t)
	t.finish()
	return t
}

func (t *Tree) addOne(s spec, g generation, dir, repository string, slashed []string, seed uint64) {
	home := path.Join(dir, s.name)
	if s.name == toolkit {
		t.addToolkit(home, g, s, seed)
		return
	}
	if s.usesToolkit() {
		s.repository = repository
		for _, name := range slashed {
			if name == s.name {
				s.repository += "/"
			}
		}
	}
	t.addChart(home, g, s, seed)
}

// addOverrides adds the values for one release or one feature that stand in the
// chart's directory but not in its archive.
func (t *Tree) addOverrides(c Chart, seed uint64) {
	r := seeded(seed, c.Dir+"/values_overrides")
	names := []string{"2025.2-ubuntu_noble", "apparmor", "netpol", "tls", "2024.2-ubuntu_jammy", "2025.1-ubuntu_jammy", "2025.1-ubuntu_noble", "rabbitmq4", "loci", "mariadb-operator"}
	for _, name := range names[:r.between(3, len(names))] {
		w := &writer{}
		w.line(0, "---\n# %s", r.sentence(50))
		w.line(0, "images:\n  tags:")
		for i := range r.between(3, 12) {
			w.line(2, "%s_%d: openstackhelm/%s:%s", r.words(2, "_"), i, c.Name, name)
		}
		w.line(0, "conf:\n  %s:\n    extra:", underscored(c.Name))
		for i := range r.between(2, 14) {
			w.line(3, "%s_%d: %s", r.words(2, "_"), i, r.words(3, "-"))
		}
		w.WriteString("...\n")
		t.add(path.Join(c.Dir, "values_overrides", name+".yaml"), w.String())
	}
}

// addArchives puts helm-toolkit-0.1.0.tgz and ingress-0.1.0.tgz, made from the
// charts of the v1 tree from, into dir.
func (t *Tree) addArchives(dir string, from *Tree) {
	// When the seed's note was written.
	at := time.Date(2019, 2, 21, 10, 51, 0, 0, time.UTC)
	library := from.members("openstack-helm-infra/"+toolkit, toolkit)
	ingress := from.members("openstack-helm-infra/ingress", "ingress")
	for _, m := range library {
		ingress = append(ingress, member{name: "ingress/charts/" + m.name, data: m.data})
	}
	t.add(path.Join(dir, toolkit+"-0.1.0.tgz"), string(pack(library, at)))
	t.add(path.Join(dir, "ingress-0.1.0.tgz"), string(pack(ingress, at)))
}

// members lists a chart's files as an archive holds them: Chart.yaml first.
func (t *Tree) members(dir, name string) []member {
	var list []member
	for _, file := range t.below(dir) {
		list = append(list, member{name: name + "/" + file, data: t.files[dir+"/"+file].data})
	}
	rank := func(m member) int {
		switch strings.TrimPrefix(m.name, name+"/") {
		case "Chart.yaml":
			return 0
		case "values.yaml":
			return 1
		}
		if strings.HasPrefix(m.name, name+"/templates/") {
			return 2
		}
		return 3
	}
	sort.SliceStable(list, func(i, j int) bool { return rank(list[i]) < rank(list[j]) })
	return list
}

func (t *Tree) finish() {
	sort.Slice(t.Charts, func(i, j int) bool { return t.Charts[i].Dir < t.Charts[j].Dir })
}

// amounts says how many files lie beside the charts of a tree; docBytes is the
// size of the longest page of documentation.
type amounts struct{ docs, docBytes, scripts, roles, notes int }

// addBeside adds what such a tree holds besides charts. None of it is a chart.
func (t *Tree) addBeside(dir string, g generation, seed uint64, n amounts) {
	r := seeded(seed, g.name+"/"+dir+"/beside")
	at := func(format string, args ...any) string { return path.Join(dir, fmt.Sprintf(format, args...)) }
	for _, page := range []string{"README.rst", "CONTRIBUTING.rst"} {
		t.add(at("%s", page), restructured(r, "OpenStack-Helm", 3000))
	}
	t.add(at("LICENSE"), license)
	t.add(at("setup.cfg"), "[metadata]\nname = openstack-helm\nsummary = Helm charts for OpenStack\n")
	t.add(at("setup.py"), "import setuptools\n\nsetuptools.setup(setup_requires=['pbr>=2.0.0'], pbr=True)\n")
	t.add(at("tox.ini"), "[tox]\nminversion = 3.1\nenvlist = docs\nskipsdist = True\n\n[testenv:docs]\ncommands =\n  sphinx-build -W -b html doc/source doc/build/html\n")
	t.add(at(".gitignore"), "*.tgz\n**/charts/*.tgz\n**/requirements.lock\n**/_partials.tpl\ntmp/\n.tox/\n")
	sections := []string{"install", "devref", "testing", "specs", "troubleshooting", "chart"}
	for i := range n.docs {
		t.add(at("doc/source/%s/%s-%03d.rst", sections[i%len(sections)], r.words(2, "-"), i), restructured(r, r.words(3, " "), r.between(900, n.docBytes)))
	}
	t.add(at("doc/requirements.txt"), "sphinx>=2.0.0\nreno>=3.1.0\n")
	stages := []string{"common", "component", "multinode", "developer", "gate"}
	for i := range n.scripts {
		t.addScript(at("tools/deployment/%s/%03d-%s.sh", stages[i%len(stages)], i*10, r.words(2, "-")), "#!/bin/bash\n\n"+hashLicense+"\n"+shell(r, r.between(500, 4500)))
	}
	t.addLink(at("tools/deployment/multinode/common"), "../common")
	t.addLink(at("tools/deployment/gate/000-setup.sh"), "../common/000-setup.sh") // broken, as some are
	for i := range n.roles {
		name := r.words(2, "-")
		t.add(at("roles/%s-%02d/tasks/main.yaml", name, i), hashLicense+"\n- name: "+r.words(4, " ")+"\n  shell: |\n"+prefixed("    ", shell(r, 900)))
		if i%2 == 0 {
			t.add(at("roles/%s-%02d/defaults/main.yaml", name, i), hashLicense+"\n"+r.words(2, "_")+": "+r.word()+"\n")
		}
	}
	for i := range n.roles / 4 {
		t.add(at("playbooks/%s-%02d.yaml", r.words(2, "-"), i), hashLicense+"\n- hosts: all\n  tasks:\n    - name: "+r.words(4, " ")+"\n      shell: "+r.words(3, " ")+"\n")
	}
	for _, name := range []string{"base", "jobs", "nodesets", "project"} {
		t.add(at("zuul.d/%s.yaml", name), hashLicense+"\n- job:\n    name: openstack-helm-"+name+"\n    parent: base\n")
	}
	for i := range 12 {
		t.addScript(at("tests/bandit/%s-%02d.py", r.words(2, "_"), i), "#!/usr/bin/env python3\n\n"+python(r, 1500))
	}
	if n.notes > 0 {
		t.add(at("releasenotes/config.yaml"), "---\ncollapse_pre_releases: false\n...\n")
	}
	for i := range n.notes {
		t.add(at("releasenotes/notes/%s-%03d-%s.yaml", r.words(2, "-"), i, r.hex(16)), "---\n"+r.word()+":\n  - |\n    "+r.sentence(120)+"\n    "+r.sentence(70)+"\n...\n")
	}
}
