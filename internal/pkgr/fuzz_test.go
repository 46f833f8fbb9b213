package pkgr

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
)

// fuzzLimits keep the fuzzer quick.
var fuzzLimits = Limits{File: 1 << 16, Chart: 1 << 18}

// FuzzCheck feeds raw bytes, so most of what it finds is about gzip.
func FuzzCheck(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x1f\x8b"))
	for _, list := range fuzzSeeds(f) {
		f.Add(archiveOf(f, list...))
	}
	f.Add(append(zip(f, nil), zip(f, tarOf(f, good()...))...))
	f.Add(append(archiveOf(f, good()...), 0, 0, 0))
	f.Fuzz(checkAgrees)
}

// FuzzReadArchive feeds tar streams.
func FuzzReadArchive(f *testing.F) {
	for _, list := range fuzzSeeds(f) {
		f.Add(tarOf(f, list...))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkAgrees(t, zip(t, data)) })
}

func fuzzSeeds(f *testing.F) [][]member {
	sub := string(archiveOf(f, member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")}))
	return [][]member{
		nil,
		good(),
		good(member{name: "c/values.yaml", body: "a: 1\n"}, member{name: "c/templates/x", body: "x"}, member{name: "c/Chart.lock", body: "digest: x\n"}),
		good(member{name: "c/charts/s.tgz", body: sub}, member{name: "c/charts/s.tgz.prov"}),
		good(member{name: "c/charts/s/Chart.yaml", body: minimal}, member{name: "c/charts/s/charts/t/Chart.yaml", body: minimal}),
		good(member{name: "c/é"}, member{name: "c/" + strings.Repeat("long/", 60) + "x"}),
		good(member{h: &tar.Header{Name: "c/l", Typeflag: tar.TypeSymlink, Linkname: "x"}}),
		good(member{h: &tar.Header{Name: "c/l", Format: tar.FormatGNU}}),
		{{name: "c/Chart.yaml", body: "name: c\nversion: 1.0.0\n"}, {name: "c/requirements.yaml", body: "dependencies:\n- name: x\n"}},
		{{name: `c\Chart.yaml`, body: minimal}, {name: `c\a\b`}},
	}
}

// checkAgrees holds for any archive: Check and Read say the same, and what they
// take can be packed, and then they take that.
func checkAgrees(t *testing.T, data []byte) {
	k := NewChecker(fuzzLimits)
	info, err := k.Check(bytes.NewReader(data))
	c, err2 := k.Read(bytes.NewReader(data))
	if (err == nil) != (err2 == nil) {
		t.Fatalf("Check says %v, Read says %v", err, err2)
	}
	structure, err2 := k.Structure(bytes.NewReader(data))
	if err == nil && (err2 != nil || structure.Digest != info.Digest || !cmp.Equal(structure.Metadata, info.Metadata)) {
		t.Fatalf("Structure says %+v, %v, Check says %+v", structure, err2, info)
	}
	if err != nil {
		if _, ok := err.(*chart.Error); !ok {
			t.Errorf("error %v is no *chart.Error", err)
		}
		return
	}
	if d := cmp.Diff(info.Metadata, c.Metadata); d != "" {
		t.Errorf("metadata (-Check +Read):\n%s", d)
	}
	for _, file := range c.Files {
		if hasParent(file.Name) || strings.HasPrefix(file.Name, "/") || file.Name == "" {
			t.Errorf("unsafe name %q", file.Name)
		}
	}
	var b bytes.Buffer
	if _, err := NewPacker(time.Time{}).Pack(&b, c); err != nil {
		t.Fatalf("pack: %v", err)
	}
	again, err := NewChecker(Limits{}).Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatalf("our own archive: %v", err)
	}
	if again.ContentKey() != c.ContentKey() {
		t.Error("packed and read again, the chart is another one")
	}
}

func FuzzMemberName(f *testing.F) {
	for _, s := range []string{"c/Chart.yaml", `c\x`, "c/../x", "c:/x", "./c/x", "c//x", "c/a/./b", "..", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		top, name, err := memberName(raw)
		if err != nil {
			return
		}
		if top == "" || name == "" || hasParent(name) || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") {
			t.Errorf("memberName(%q) = %q, %q", raw, top, name)
		}
		if strings.Contains(raw, `\`) {
			return
		}
		if _, again, err := memberName(top + "/" + name); err != nil || again != name {
			t.Errorf("memberName(%q) is not stable: %q, %v", raw, again, err)
		}
		dir, rest, _ := place(name)
		if dir+rest != name && !strings.HasPrefix(name, dir) {
			t.Errorf("place(%q) = %q, %q", name, dir, rest)
		}
	})
}

func FuzzOverride(f *testing.F) {
	for _, s := range []string{minimal, "---\nname: c\nversion: 1\n...\n", "{name: c, version: 1.0.0}", "name: c\r\nversion: 1.0.0 # x\r\nappVersion:"} {
		f.Add([]byte(s), "2.0.0", "x")
	}
	f.Fuzz(func(t *testing.T, data []byte, version, app string) {
		md, _, err := chart.ParseMetadata(data)
		if err != nil {
			return
		}
		c := &Chart{Metadata: md, Files: []File{{Name: chart.MetadataFile, Data: data}}}
		d, err := c.Override(version, app)
		if err != nil {
			return
		}
		got, _, err := chart.ParseMetadata(d.Files[0].Data)
		if err != nil {
			t.Fatalf("%q: %v", d.Files[0].Data, err)
		}
		if version+app != "" && !chart.EachFieldOnce(d.Files[0].Data) {
			t.Fatalf("a field is twice in %q", d.Files[0].Data)
		}
		if version != "" {
			md.Version = version
		}
		if app != "" {
			md.AppVersion = app
		}
		if err := md.Validate(); err != nil {
			t.Fatalf("not valid, but overridden: %v", err)
		}
		if diff := cmp.Diff(md, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", d.Files[0].Data, diff)
		}
	})
}
