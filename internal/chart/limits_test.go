package chart

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"
)

// TestBombs: small inputs that unfold to something huge are refused, or read,
// in a time that does not matter. The bound is generous: the machine may be busy.
func TestBombs(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	cases := map[string]struct {
		in   string
		fine bool
	}{
		"billion laughs":          {base + laughs, false},
		"one long text, often":    {base + "a: &a \"" + strings.Repeat("x", 400_000) + "\"\nb: [" + strings.Repeat("*a,", 300) + "*a]\n", false},
		"long text as keyword":    {base + "icon: &a \"" + strings.Repeat("x", 400_000) + "\"\nkeywords: [" + strings.Repeat("*a,", 100) + "*a]\n", false},
		"nested merges":           {base + "a: &a {b: " + strings.Repeat("x", 1000) + "}\n" + strings.Repeat("c: {<<: *a}\n", 5000), true},
		"alias to itself":         {base + "a: &a [*a]\n", false},
		"deep brackets":           {base + "a: " + strings.Repeat("[", 500_000), false},
		"deep braces":             {base + "a: " + strings.Repeat("{a: ", 100_000), false},
		"deep, closed":            {base + "a: " + strings.Repeat("[", 9_990) + strings.Repeat("]", 9_990) + "\n", true},
		"deeper than JSON":        {base + "a: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n", false},
		"deep indents":            {base + "a:\n" + indents(1000), true},
		"many keys":               {base + keys(60_000), true},
		"many keys to warn of":    {base + "annotations:\n" + floats(50_000), true},
		"many short list entries": {base + "a: [" + strings.Repeat("x,", 400_000) + "]\n", true},
		"many question marks":     {base + strings.Repeat("? ", 400_000), false},
		"many dashes":             {base + "a: " + strings.Repeat("- ", 400_000), false},
		"many anchors":            {base + "a: [" + anchors(50_000) + "]\n", true},
		"one huge text":           {base + "description: " + strings.Repeat("x", 1_000_000) + "\n", true},
		"one huge number":         {base + "appVersion: " + strings.Repeat("1", 300_000) + "\n", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, _, err := ParseMetadata([]byte(tc.in))
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
			if fine := err == nil; fine != tc.fine {
				t.Errorf("got error %v, want none: %v", err, tc.fine)
			}
			if err != nil {
				checkFuzzError(t, err)
			}
		})
	}
}

func indents(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

// floats are keys that the file spells in another way than Helm reads them.
func floats(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  %d.10: 1.0\n", i)
	}
	return b.String()
}

func anchors(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "&a%d x,*a%d,", i, i)
	}
	return b.String()
}

// checkFuzzError: whatever the input, the error is one that can be shown.
func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind == nil {
		t.Fatalf("%v is no *Error with a kind", err)
	}
	msg := err.Error()
	if len(msg) > 2000 || strings.ContainsFunc(msg, unprintable) {
		t.Fatalf("not fit to be shown: %q", msg)
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte("\uFEFF---\r\n" + base + "...\r\n"))
	f.Add([]byte(base + "dependencies:\n- name: a\n  alias: b\n  version: 1.10\n  tags: [a, 1]\n"))
	f.Add([]byte(base + "maintainers: [{name: 1.10}]\nkeywords: [yes]\nannotations: {a: 1, -1: 2.50}\nsources: [~]\n"))
	f.Add([]byte(base + "x: &a [1, 2]\ny: *a\n<<: {name: z}\nappVersion: .inf\n"))
	f.Add([]byte(base + "version: 2.0.0\n---\nname: z\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		md, warnings, err := ParseMetadata(data)
		for _, w := range warnings {
			if len(w) > 2000 || strings.ContainsFunc(w, unprintable) {
				t.Fatalf("not fit to be shown: %q", w)
			}
		}
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if name := md.ArchiveName(); len(name) > maxArchiveName || strings.ContainsAny(name, "/\\\x00:") || name[0] == '.' {
			t.Fatalf("unsafe file name %q", name)
		}
		if err := md.Validate(); err != nil {
			t.Fatalf("the second time: %v", err)
		}
	})
}

// BenchmarkParseMetadata reads a Chart.yaml as openstack-helm has them.
func BenchmarkParseMetadata(b *testing.B) {
	data := []byte(`# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.

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
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseMetadata(data); err != nil {
			b.Fatal(err)
		}
	}
}

// A constraint that the library would refuse for its length is refused unread.
func TestLongConstraint(t *testing.T) {
	for length, ok := range map[int]bool{semver.MaxConstraintLen: true, semver.MaxConstraintLen + 1: false} {
		err := ValidateDependencies(MetadataFile, []*Dependency{{Name: "a", Version: strings.Repeat("1", length)}})
		if (err == nil) != ok || !ok && !errors.Is(err, ErrLimit) {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}
