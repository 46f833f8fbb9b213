package chart
import ("testing"; yamlv2 "go.yaml.in/yaml/v2"; "sigs.k8s.io/yaml";"fmt";"strings")
var zz = []byte(`# Licensed under the Apache License, Version 2.0 (the "License");
---
apiVersion: v2
appVersion: v1.0.0
description: OpenStack-Helm Keystone
name: keystone
version: 2024.2.0
home: https://docs.openstack.org/keystone/latest/
icon: https://www.openstack.org/themes/openstack/images/project-mascots/Keystone/OpenStack_Project_Keystone_vertical.png
sources:
  - https://opendev.org/openstack/keystone
  - https://opendev.org/openstack/openstack-helm
maintainers:
  - name: OpenStack-Helm Authors
dependencies:
  - name: helm-toolkit
    repository: file://../helm-toolkit
    version: ">= 0.1.0"
...
`)
func BenchmarkV2(b *testing.B) { for b.Loop() { var d any; yamlv2.Unmarshal(zz, &d) } }
func BenchmarkSigs(b *testing.B) { for b.Loop() { var d Metadata; yaml.Unmarshal(zz, &d) } }
func BenchmarkRest(b *testing.B) { d := new(Metadata); yaml.Unmarshal(zz,d); d.APIVersion="v2"; b.ResetTimer(); for b.Loop() { silentChanges("x", zz, d); d.Validate() } }
func TestZZ(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	for _, s := range []string{laughs, "a: &a [*a]\n", "a: " + strings.Repeat("[", 500_000),"a: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n","a: &a \"" + strings.Repeat("x", 400_000) + "\"\nb: [" + strings.Repeat("*a,", 150_000) + "*a]\n"} {
	_, _, err := ParseMetadata([]byte(base+s)); t.Log(err) }
}
