package loaders

import (
	"strings"
	"testing"
	"time"

	"chartserve/internal/pkgr"
)

// refusal is something that both Helms take and chartserve refuses on purpose.
type refusal struct {
	reason  string // a part of the error's
	why     string
	example any // an archive, as its bytes, or a tree
}

// intended lists all of them. Whoever adds one says why users are better off.
func intended() []refusal {
	const v1, v2 = "name: c\nversion: 1.0.0\n", "apiVersion: v2\nname: c\nversion: 1.0.0\n"
	of := func(metadata string, more ...member) string {
		return tgz(append([]member{file("c/Chart.yaml", metadata)}, more...)...)
	}
	link := func(kind byte, to string) member { return member{name: "c/l", kind: kind, link: to} }
	good := of(v2)
	return []refusal{
		// Helm's reader stops where the tar ends, and so misses damage behind that.
		{"cut short", "Helm does not read the trailer", good[:len(good)-1]},
		{"damaged: ", "Helm does not read the trailer's checksum", good[:len(good)-8] + "xxxx" + good[len(good)-4:]},
		{"something else behind the end", "whoever unpacks it with tar gets an error, or another chart", good + "junk"},
		{"not a gzip file", "RFC 1952 has reserved flags refused", good[:3] + "\x20" + good[4:]},
		// tar unpacks these elsewhere, or as something else; Helm takes off what leads out.
		{"a name that leads to a parent directory", "tar writes outside", of(v2, file("../x", ""))},
		{"an absolute name", "tar writes outside", of(v2, file("/x/y", ""))},
		{"a name with a drive letter", "Windows' tar writes outside", of(v2, file("c:/x", ""))},
		{"a directory outside of the chart's", "tar makes it", of(v2, member{name: "/d/", kind: '5'})},
		{"a link that leads out of the chart", "tar makes it", of(v2, link('2', "/etc/passwd"))},
		{"a device or a pipe", "tar makes it", of(v2, member{name: "c/p", kind: '6'})},
		{"a negative size", "readers have their own ideas of it", of(v2, member{name: "c/l", kind: '2', link: "x", size: strings.Repeat("\xff", 12)})},
		{"a PAX global header", "GNU tar applies it to all members behind it, Helm to none", of(v2, member{name: "g", kind: 'g', body: paxRecord("path=c/x")}, file("c/y", ""))},
		// What decides about the chart is there twice, and Helm's versions, or tar, take different ones.
		{"a second top directory", "tar unpacks two charts", of(v2, file("d/x", ""))},
		{"it is in the archive twice", "Helm lays one over the other, tar and Helm 2 take the last", of(v2, file("c/Chart.yaml", v2+"home: h\n"))},
		{"an empty file", "Helm takes the first of two archives of a sub-chart, tar the last", of(v2, file("c/charts/s.tgz", tgz(file("s/Chart.yaml", v1))), file("c/charts/s.tgz", ""))},
		{"a directory with the name of an archive", "tar can't unpack it", of(v2, file("c/charts/s.tgz", tgz(file("s/Chart.yaml", v1))), file("c/charts/s.tgz/x", ""))},
		{"Helm 3 and 4 would take this in place of Chart.yaml's", "Helm 2 reads the dependencies alone", of(v1, file("c/requirements.yaml", "home: h\n"))},
		{"Helm 3 and 4 mix the two lists", "Helm 2 does not", of(v1+"dependencies: [{name: s, alias: a}]\n", file("c/requirements.yaml", "dependencies: [{name: t}]\n"))},
		{"missing", "Helm 3 and 4 take a requirements.yaml for a Chart.yaml, Helm 2 does not", of(v2, file("c/charts/s/requirements.yaml", v2))},
		{"Helm 4 reads v1 and v2 alone", "Helm does not look at a sub-chart's apiVersion, and loads no such chart by itself", of(v2, file("c/charts/s/Chart.yaml", "apiVersion: v9\nname: s\nversion: 1.0.0\n"))},
		{"as a text and as a number or a boolean", "what Helm reads is another chart each time", of(v2 + "annotations: {1: a, '1': b}\n")},
		// Names become files and URLs, here and elsewhere.
		{"a name can't hold", "it is a path, or not what is seen", of("name: 'a:b'\nversion: 1.0.0\n")},
		{"a name can't start with a dot", "its archive would be hidden", of("name: .c\nversion: 1.0.0\n")},
		{"a name can't be a path", "Helm joins it to the path of charts/", of(v2 + "dependencies: [{name: a/b}]\n")},
		{"Helm refuses an archive with this top directory", "helm package makes an archive that no Helm loads", of("name: Chart.yaml\nversion: 1.0.0\n")},
		{"bytes long, at most", "no file can have the name", of("name: " + strings.Repeat("n", 300) + "\nversion: 1.0.0\n")},
		// Of directories.
		{"Helm refuses an archive with this name in it", "helm package makes an archive that no Helm loads", tree{"Chart.yaml": v2, "..x": ""}},
		{"Helm takes a backslash for a directory separator", "Helm reads another file from the archive", tree{"Chart.yaml": v2, `files/a\b`: ""}},
		{"a symbolic link that leads out", "the file may be anyone's", tree{"Chart.yaml": v2, "l": "-> /etc/passwd"}},
		{"not valid JSON", "Helm can't install the chart", tree{"Chart.yaml": v2, "values.schema.json": "{"}},
	}
}

// TestIntended shows that each of the intended refusals is one: both Helms take the
// example, and chartserve refuses it for that reason.
func TestIntended(t *testing.T) {
	k, p := pkgr.NewChecker(pkgr.Limits{}), pkgr.NewPacker(time.Time{})
	for _, i := range intended() {
		t.Run(i.reason, func(t *testing.T) {
			var o outcome
			var err error
			switch example := i.example.(type) {
			case string:
				o, err = archive(k, []byte(example))
			case tree:
				dir := t.TempDir()
				must(t, example.write(dir))
				o, err = directory(k, p, dir, "c")
			}
			must(t, err)
			if why, ok := reasonOf(o.ours); o.helm != nil || !ok || why != i.reason {
				t.Errorf("chartserve says %v (%s), Helm %v: the two Helms take it because %s", o.ours, why, o.helm, i.why)
			}
		})
	}
}
