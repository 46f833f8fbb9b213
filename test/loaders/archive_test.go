package loaders

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chartserve/internal/pkgr"
)

// TestArchives spoils archives: their members, the tar, and what it is packed in.
func TestArchives(t *testing.T) {
	k := pkgr.NewChecker(pkgr.Limits{})
	compare(t, 3000, func(r *rand.Rand) (outcome, error) {
		members := someChart(r)
		for range r.IntN(4) {
			members = spoil(r, members)
		}
		tar := tarOf(members)
		shape := spoilTar(r, &tar)
		data, how := compressed(r, tar)
		o, err := archive(k, data)
		o.what = fmt.Sprintf("an archive %s, packed %s:", shape, how)
		for _, m := range members {
			o.what += fmt.Sprintf("\n\t%s", m)
		}
		return o, err
	})
}

// someChart returns the members of a good chart.
func someChart(r *rand.Rand) []member {
	sub := tgz(file("s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"), file("s/values.yaml", "b: 2\n"))
	members := []member{
		file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\ndescription: mine\nappVersion: \"1\"\nannotations: {a: b}\n"),
		file("c/values.yaml", "a: 1\ns: {b: 3}\n"),
		file("c/templates/x.yaml", "kind: ConfigMap\n"),
		file("c/README.md", "words\n"),
	}
	switch r.IntN(5) {
	case 0:
		members = append(members, file("c/charts/s-1.0.0.tgz", sub))
	case 1:
		members = append(members, file("c/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"), file("c/charts/s/values.yaml", "b: 2\n"),
			file("c/charts/s/charts/deep/Chart.yaml", "name: deep\nversion: 1.0.0\n"), file("c/charts/s/templates/y", "y"))
	case 2:
		members[0].body += "dependencies:\n- {name: s, version: 1.0.0, repository: 'http://a'}\n"
		members = append(members, file("c/Chart.lock", "dependencies:\n- {name: s, version: 1.0.0, repository: 'http://a'}\ndigest: sha256:0\ngenerated: \"2020-01-01T00:00:00Z\"\n"), file("c/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"))
	case 3:
		members[0].body = "name: c\nversion: 1.0.0\ndescription: mine\n"
		members = append(members, file("c/requirements.yaml", "dependencies:\n- {name: s, version: 1.0.0, repository: 'http://a'}\n"),
			file("c/requirements.lock", "dependencies:\n- {name: s, version: 1.0.0, repository: 'http://a'}\ndigest: sha256:0\ngenerated: \"2020-01-01T00:00:00Z\"\n"), file("c/values.schema.json", "{}"))
	}
	if r.IntN(3) == 0 {
		members = append([]member{{name: "c/", kind: '5', mode: "0000755\x00"}}, members...)
	}
	return members
}

// spoil changes one thing about the members.
func spoil(r *rand.Rand, members []member) []member {
	at := r.IntN(len(members))
	m := &members[at]
	switch r.IntN(12) {
	case 0:
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	case 1: // a member twice
		again := *m
		again.body = pick(r, m.body, m.body+"\n", strings.ReplaceAll(m.body, "mine", "theirs"), strings.ReplaceAll(m.body, "1.0.0", "2.0.0"), "", strings.ReplaceAll(m.body, "version", "home"))
		return slices.Insert(members, r.IntN(len(members)+1), again)
	case 2:
		return slices.Delete(members, at, at+min(1, len(members)-1))
	case 3, 4:
		m.name = otherName(r, m.name)
	case 5:
		m.kind = pick[byte](r, '0', 0, '1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'V', 'M', 'S', 'D', 'N', 'L', 'K', 'A', 'z', ' ')
		m.link = pick(r, "", "Chart.yaml", "c/Chart.yaml", "values.yaml", "../x", "/etc/passwd", "a/../../c/x", `..\x`)
		m.body = pick(r, m.body, "")
	case 6:
		m.size = pick(r, "00000000000", "00000000001", "00000001000", "-0000000001", "       12 \x00", "garbage", "77777777777", "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05", strings.Repeat("\xff", 12), "0x000000005", "\x00")
	case 7:
		m.pax = somePAX(r, *m)
	case 8:
		return slices.Insert(members, r.IntN(len(members)+1), member{name: pick(r, "pax_global_header", "c/g", ""), kind: 'g', body: paxRecord(pick(r, "comment=0123", "path=c/x", "size=3", "mtime=1", "linkpath=x", "GNU.sparse.name=x", "path=", "charset=BINARY"))})
	case 9:
		return slices.Insert(members, r.IntN(len(members)+1), extraMember(r))
	case 10:
		m.mode = pick(r, "0040755\x00", "0120777\x00", "0100644\x00", "0000000\x00", "7777777\x00", "garbage\x00", "\x80\x00\x00\x00\x00\x00\x40\x00", "0010644\x00", "0020644\x00")
	case 11:
		m.magic = pick(r, "ustar  \x00", "\x00\x00\x00\x00\x00\x00\x00\x00", "USTAR\x0000", "ustar\x0099", "ustar\x00  ")
		m.prefix = pick(r, "", "c", "c/d", "..", "/", "charts", `c\`)
		m.badSum = r.IntN(8) == 0
	}
	return members
}

// otherName spells a member's name in another way, or makes another name of it.
func otherName(r *rand.Rand, name string) string {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return pick(r,
		"./"+name, "/"+name, "//"+name, "../"+name, name+"/", name+"/.", name+"/..", name+"//", strings.ReplaceAll(name, "/", "//"),
		strings.ReplaceAll(name, "/", "/./"), strings.ReplaceAll(name, "/", `\`), strings.Replace(name, "/", `\`, 1), strings.Replace(name, "/", `/a/../`, 1),
		strings.ReplaceAll(name, "c/", "d/"), strings.ReplaceAll(name, "c/", ""), strings.ReplaceAll(name, "c/", "./"), strings.ToUpper(name), strings.ToLower(name),
		"c/"+base, "c/charts/"+base, "c/charts/s/"+base, "c/charts/_s/"+base, "c/charts/.s/"+base, "c/charts/s.tgz/"+base, "c/charts/s.prov/"+base, "c/charts/s/"+base+".prov",
		"c/templates/"+base, "c/templates/../"+base, "c/Charts/s/"+base, "c//charts//s//"+base, `c\charts\s\`+base, "c/charts\\s/"+base, "c/"+base+" ", " "+name, "c/ "+base, name+"\x00x", "c:/"+base,
		"c/c:/"+base, "c/..."+base, "c/.."+base, "c/..\\"+base, "", ".", "..", "/", "c", "c/", "c/.", "Chart.yaml", "Chart.yaml/"+base, "Chart.yaml/Chart.yaml", "c/Chart.yaml", "c/values.yaml", "c/requirements.yaml",
		"c/Chart.lock", "c/requirements.lock", "c/values.schema.json", "c/charts/s.tgz", "c/charts/s.TGZ", "c/charts/s.tar.gz", "c/charts/s/Chart.yaml", "c/charts/s/requirements.yaml", "c/charts/x.tgz.prov", "c/charts/",
		"c/"+strings.Repeat("long/", 40)+base, "c/\xff\xfe"+base, "c/é"+base, "c/\u202e"+base, "c/\n"+base, "c/\x1b[31m"+base, "c/"+base+"\u00a0", "c/CON", "c/charts/ /"+base, "c/charts//"+base, "c/charts/../"+base)
}

// extraMember is one more file, often one that decides something.
func extraMember(r *rand.Rand) member {
	name := pick(r, "c/requirements.yaml", "c/requirements.lock", "c/Chart.lock", "c/values.schema.json", "c/.helmignore", "c/charts/x/Chart.yaml", "c/charts/x/values.yaml",
		"c/charts/x.tgz", "c/charts/README.md", "c/charts/_x", "c/charts/.gitkeep", "c/templates/x.yaml", "c/crds/x.yaml", "c/charts/s/requirements.yaml", "d/x", "c/chart.yaml")
	body := pick(r, "", "a: 1\n", "dependencies: []\n", "dependencies: null\n", "name: evil\nversion: 6.6.6\n", "dependencies:\n- {name: y, version: 1, repository: r}\n", "a: [", "- 1\n", "{}", "{",
		"apiVersion: v2\nname: x\nversion: 1.0.0\n", "apiVersion: v1\nname: s\nversion: 1.0.0\n", tgz(file("x/Chart.yaml", "name: x\nversion: 1.0.0\n")), tgz(file("x/Chart.yaml", "name: x\n")), tgz(), "\xef\xbb\xbfa: 1\n", "null\n", "description: theirs\n", "Name: evil\n", "maintainers: [{name: m}]\n")
	return file(name, body)
}

// somePAX changes a member by a header before it.
func somePAX(r *rand.Rand, m member) []string {
	all := []string{
		"path=" + otherName(r, m.name), "path=", "linkpath=c/x", "size=" + pick(r, "0", "1", "-1", "3", "99999999999999999999", fmt.Sprint(len(m.body)), "0x5", " 5", ""),
		"mtime=" + pick(r, "1", "-1", "1.5", "x", "1e3"), "uid=x", "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=c/Chart.yaml", "GNU.sparse.realsize=10",
		"GNU.sparse.map=0,5", "GNU.sparse.numblocks=1", "GNU.sparse.size=5", "comment=x", "SCHILY.xattr.user.a=b", "path=c/Chart.yaml\x00x", "=x", "hdrcharset=BINARY",
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+r.IntN(2)]
}

// spoilTar changes the tar itself, now and then.
func spoilTar(r *rand.Rand, tar *[]byte) string {
	t := *tar
	switch r.IntN(16) {
	case 0:
		*tar = t[:len(t)-1024]
		return "without an end"
	case 1:
		*tar = t[:len(t)-512]
		return "with half an end"
	case 2:
		cut := r.IntN(len(t))
		*tar = t[:cut]
		return fmt.Sprintf("cut at %d", cut)
	case 3:
		*tar = append(t, tarOf([]member{file("c/Chart.yaml", "name: second\nversion: 2.0.0\n")})...)
		return "with another behind"
	case 4:
		*tar = append(t[:len(t)-512], tarOf([]member{file("c/Chart.yaml", "name: second\nversion: 2.0.0\n")})...)
		return "with another behind half an end"
	case 5:
		*tar = append(t, bytes.Repeat([]byte{'x'}, r.IntN(2000))...)
		return "with junk behind"
	case 6:
		at := r.IntN(len(t))
		t[at] ^= 1 << r.IntN(8)
		return fmt.Sprintf("with a bit of byte %d turned", at)
	case 7:
		*tar = append(t, make([]byte, r.IntN(20000))...)
		return "with zeros behind"
	}
	return "of an ordinary tar"
}
