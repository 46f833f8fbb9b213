package index

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
)

// same fails unless all that can be seen of got and want is equal.
func same(t *testing.T, what string, got, want *Encoded) {
	t.Helper()
	if diff := cmp.Diff(summary(want), summary(got)); diff != "" {
		t.Errorf("%s: want (-), got (+):\n%s", what, diff)
	}
	if !bytes.Equal(got.YAML.Data.Bytes(), want.YAML.Data.Bytes()) || !bytes.Equal(got.JSON.Data.Bytes(), want.JSON.Data.Bytes()) ||
		!bytes.Equal(got.YAML.Gzip.Bytes(), want.YAML.Gzip.Bytes()) || !bytes.Equal(got.JSON.Gzip.Bytes(), want.JSON.Gzip.Bytes()) {
		t.Errorf("%s: the bytes differ", what)
	}
}

func summary(e *Encoded) any {
	return []any{e.YAML.ETag, e.YAML.GzipETag, e.JSON.ETag, e.JSON.GzipETag, e.Generated, e.Charts, e.Versions}
}

func TestEmptyIndex(t *testing.T) {
	for _, f := range []Format{Auto, YAML, JSON} {
		e := NewBuilder(f).Encode()
		for form, data := range map[string][]byte{"yaml": e.YAML.Data.Bytes(), "json": e.JSON.Data.Bytes()} {
			got := readYAML(t, data)
			if got.APIVersion != "v1" || got.Entries == nil || len(got.Entries) != 0 || !got.Generated.Equal(Epoch()) {
				t.Errorf("%v, %s: got %+v from %q", f, form, got, data)
			}
		}
	}
	if got, want := string(NewBuilder(YAML).Encode().YAML.Data.Bytes()), "apiVersion: v1\nentries: {}\ngenerated: \"1980-01-01T00:00:00Z\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// helm cm-push finds the context path where ChartMuseum has it, and nothing else is
// another because of it.
func TestContextPath(t *testing.T) {
	charts := corpus(t, 12, 4)
	for _, f := range []Format{YAML, JSON} {
		without, b := build(f, charts), build(f, charts)
		b.ContextPath = `/helm: "a`
		plain, got := without.Encode(), b.Encode()
		for form, x := range map[string]*helmIndex{"yaml": readYAML(t, got.YAML.Data.Bytes()), "json": readJSON(t, got.JSON.Data.Bytes())} {
			if x.ServerInfo["contextPath"] != b.ContextPath || len(x.ServerInfo) != 1 || len(x.Entries) != 3 {
				t.Errorf("%v, %s: %v in an index of %d charts", f, form, x.ServerInfo, len(x.Entries))
			}
		}
		if gunzipped := gunzip(t, got.YAML.Gzip.Bytes()); len(gunzipped) == 0 {
			t.Error("no gzip form")
		} else {
			for name, data := range gunzipped {
				if !bytes.Equal(data, got.YAML.Data.Bytes()) {
					t.Errorf("%s reads another text from the gzip form", name)
				}
			}
		}
		if got.JSON.ETag == plain.JSON.ETag || !bytes.Equal(got.Entries().Bytes(), plain.Entries().Bytes()) {
			t.Error("the ETag is the same, or the entries are others")
		}
		if file, err := Decode(got.YAML.Data.Bytes()); err != nil || len(file.Entries) != 12 {
			t.Errorf("read again: %v", err)
		}
	}
}

func TestEncodedForm(t *testing.T) {
	b := NewBuilder(YAML)
	for i, v := range []string{"1.0.0", "1.10.0", "1.9.0+b", "1.9.0+a", "2.0.0-rc.1"} {
		for name, year := range map[string]int{"nova": 2020, "heat": 2019} {
			md := &chart.Metadata{APIVersion: "v1", Name: name, Version: v}
			e, err := NewEntry(md, FileURL("", md.ArchiveName()), "", time.Date(year, 1, 1+i, 0, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			b.Set(name, append(entriesOf(b, name), e))
		}
	}
	b.Set("heat", entriesOf(b, "heat")[:1])
	got := b.Encode()
	want := `{"apiVersion":"v1","entries":{"heat":[
{"name":"heat","version":"2.0.0-rc.1","apiVersion":"v1","created":"2019-01-05T00:00:00Z","urls":["heat-2.0.0-rc.1.tgz"]}
],"nova":[
{"name":"nova","version":"2.0.0-rc.1","apiVersion":"v1","created":"2020-01-05T00:00:00Z","urls":["nova-2.0.0-rc.1.tgz"]},
{"name":"nova","version":"1.10.0","apiVersion":"v1","created":"2020-01-02T00:00:00Z","urls":["nova-1.10.0.tgz"]},
{"name":"nova","version":"1.9.0+a","apiVersion":"v1","created":"2020-01-04T00:00:00Z","urls":["nova-1.9.0+a.tgz"]},
{"name":"nova","version":"1.9.0+b","apiVersion":"v1","created":"2020-01-03T00:00:00Z","urls":["nova-1.9.0+b.tgz"]},
{"name":"nova","version":"1.0.0","apiVersion":"v1","created":"2020-01-01T00:00:00Z","urls":["nova-1.0.0.tgz"]}
]},"generated":"2020-01-05T00:00:00Z"}
`
	if diff := cmp.Diff(want, string(got.JSON.Data.Bytes())); diff != "" {
		t.Errorf("JSON: want (-), got (+):\n%s", diff)
	}
	wantYAML := `apiVersion: v1
entries:
  heat:
  - apiVersion: v1
    created: "2019-01-05T00:00:00Z"
    name: heat
    urls:
    - heat-2.0.0-rc.1.tgz
    version: 2.0.0-rc.1
  nova:
  - apiVersion: v1
`
	if !bytes.HasPrefix(got.YAML.Data.Bytes(), []byte(wantYAML)) || !bytes.HasSuffix(got.YAML.Data.Bytes(), []byte("\n    version: 1.0.0\ngenerated: \"2020-01-05T00:00:00Z\"\n")) {
		t.Errorf("YAML: got\n%s", got.YAML.Data.Bytes())
	}
	if got.Charts != 2 || got.Versions != 6 {
		t.Errorf("got %d charts and %d versions, want 2 and 6", got.Charts, got.Versions)
	}
}

// The same version twice has no business here, but does not make the bytes depend
// on the order of arrival.
func TestTwins(t *testing.T) {
	e := entry(t, metadata("nova", "1.0.0"))
	twin, err := e.WithURL("elsewhere.tgz")
	if err != nil {
		t.Fatal(err)
	}
	a, b := NewBuilder(YAML), NewBuilder(YAML)
	a.Set("nova", []*Entry{e, twin})
	b.Set("nova", []*Entry{twin, e})
	same(t, "the other order", b.Encode(), a.Encode())
}

// entriesOf reads the entries of one chart back from b.
func entriesOf(b *Builder, name string) []*Entry {
	f, err := Decode(b.Encode().JSON.Data.Bytes())
	if err != nil {
		panic(err)
	}
	return slices.DeleteFunc(f.Entries, func(e *Entry) bool { return e.Name != name })
}

// Whatever the order and the detours, the same entries give the same bytes and
// ETags as a Builder that knew no others.
func TestHistoryDoesNotMatter(t *testing.T) {
	for i, f := range []Format{Auto, YAML, JSON} {
		t.Run(string(f), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(i), 7))
			all := corpus(t, 1200, 40) // with the huge one, about 30 segments
			var names []string
			for name := range all {
				names = append(names, name)
			}
			slices.Sort(names)
			all["huge"] = nil
			for i := range 600 {
				all["huge"] = append(all["huge"], entry(t, metadata("huge", fmt.Sprintf("1.0.%d", i))))
			}
			names = append(names, "huge")
			b, now := NewBuilder(f), make(map[string][]*Entry)
			for range 20 {
				for range 1 + rnd.IntN(30) {
					name := names[rnd.IntN(len(names))]
					var list []*Entry
					switch rnd.IntN(4) {
					case 0: // deleted
					case 1:
						list = all[name]
					default: // one that lacks a few versions
						list = slices.Clone(all[name])
						rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
						list = list[:len(list)-rnd.IntN(3)]
					}
					b.Set(name, list)
					now[name] = list
					if len(list) == 0 {
						delete(now, name)
					}
				}
				same(t, "after changes", b.Encode(), build(f, now).Encode())
				if t.Failed() {
					return
				}
			}
		})
	}
}

func TestProcessorsDoNotMatter(t *testing.T) {
	charts := corpus(t, 1500, 5)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := build(YAML, charts).Encode()
	runtime.GOMAXPROCS(8)
	same(t, "8 processors", build(YAML, charts).Encode(), one)
}

// A change re-encodes its own part of the index and nothing else. (Two segments: one
// of each form; two more where the change moves the segments' bounds.)
func TestOneChangeIsOneChange(t *testing.T) {
	charts := corpus(t, 1900, 10)
	name := "chart-00100"
	for what, c := range map[string]struct {
		name             string
		entries          []*Entry
		pieces, segments int // at most
	}{
		"the same":    {name, slices.Clone(charts[name]), 0, 0},
		"not there":   {"nobody", nil, 0, 0},
		"version":     {name, append(slices.Clone(charts[name]), entry(t, metadata(name, "9.0.0"))), 2, 4},
		"one version": {name, charts[name][:9], 2, 4},
		"new chart":   {name + "a", charts[name], 2, 4},
		"first chart": {"a", charts[name], 2, 4},
		"last chart":  {"z", charts[name][:1], 1, 4},
		"deleted":     {name, nil, 0, 4},
	} {
		t.Run(what, func(t *testing.T) {
			b := build(Auto, charts)
			b.Encode()
			if b.work.pieces < 190 || b.work.segments < 40 {
				t.Fatalf("first: %+v, want 190 pieces or more and 40 segments", b.work)
			}
			b.work = work{}
			b.Set(c.name, c.entries)
			b.Encode()
			if got := b.work; got.pieces > c.pieces || got.segments > c.segments {
				t.Errorf("got %+v, want at most %d pieces and %d segments", got, c.pieces, c.segments)
			}
		})
	}
}

// The text of a change among thousands of versions is compressed in one segment.
func TestOneVersionAmongThousands(t *testing.T) {
	var list []*Entry
	for i := range 3000 {
		list = append(list, entry(t, metadata("nova", fmt.Sprintf("1.0.%d", i))))
	}
	for _, at := range []int{0, 1500, 2999} {
		b := NewBuilder(JSON)
		b.Set("nova", slices.Delete(slices.Clone(list), at, at+1))
		b.Encode()
		segments := b.work.segments
		b.Set("nova", list)
		b.Encode()
		if segments < 20 || b.work.segments > 2 {
			t.Errorf("version %d: compressed %d of %d segments", at, b.work.segments, segments)
		}
	}
}

func TestUnchangedIsTheSame(t *testing.T) {
	charts := corpus(t, 100, 10)
	b := build(Auto, charts)
	first := b.Encode()
	for name, entries := range charts {
		b.Set(name, slices.Clone(entries))
	}
	b.Set("nobody", nil)
	if b.Encode() != first {
		t.Error("got another Encoded although nothing changed")
	}
}

func TestAutoSwitches(t *testing.T) {
	charts := corpus(t, AutoLimit, 10)
	b := build("", charts)
	small := b.Encode()
	if small.YAML.Data.String()[0] == '{' || small.YAML.ETag == small.JSON.ETag {
		t.Fatalf("%d versions: index.yaml is JSON", small.Versions)
	}
	readYAML(t, small.YAML.Data.Bytes())
	b.Set("one-more", []*Entry{entry(t, metadata("one-more", "1.0.0"))})
	large := b.Encode()
	if shared(large.YAML.Data, large.JSON.Data) != len(large.JSON.Data.Parts()) || shared(large.YAML.Gzip, large.JSON.Gzip) != len(large.JSON.Gzip.Parts()) || large.YAML.ETag != large.JSON.ETag {
		t.Errorf("%d versions: index.yaml is not the JSON itself", large.Versions)
	}
	readJSON(t, large.YAML.Data.Bytes())
	for _, c := range b.order {
		if p := c.pieces[0]; p.forms[asYAML].data != nil || p.forms[asYAML].seg != nil {
			t.Fatalf("%s: YAML is kept that nobody needs", c.name)
		}
	}
	b.Set("one-more", nil)
	same(t, "back", b.Encode(), small)
	if got := build(YAML, charts).Encode(); got.YAML.ETag != small.YAML.ETag {
		t.Error("the ETag depends on how the format was chosen")
	}
}

// shared counts the parts that two texts have in common, as memory.
func shared(a, b Text) (n int) {
	of := map[*byte]bool{}
	for _, p := range a.Parts() {
		of[&p[0]] = true
	}
	for _, p := range b.Parts() {
		if of[&p[0]] {
			n++
		}
	}
	return n
}

// What did not change is held once, however many Encoded have it.
func TestMemoryIsHeldOnce(t *testing.T) {
	charts := corpus(t, 500, 5)
	b := build(YAML, charts)
	old := b.Encode()
	b.Set("chart-00050", charts["chart-00050"][1:])
	e := b.Encode()
	for form, texts := range map[string][2]Text{
		"yaml": {old.YAML.Data, e.YAML.Data}, "yaml gzip": {old.YAML.Gzip, e.YAML.Gzip},
		"json": {old.JSON.Data, e.JSON.Data}, "json gzip": {old.JSON.Gzip, e.JSON.Gzip},
	} {
		// Head, tail and what changed are new.
		if n, all := shared(texts[0], texts[1]), len(texts[0].Parts()); n < all-4 || n >= all {
			t.Errorf("%s: %d of %d parts are the old ones", form, n, all)
		}
	}
}

// What nobody needs any more is not held by what came after it.
func TestOldPartsAreFreed(t *testing.T) {
	charts := corpus(t, 500, 5)
	b := build(YAML, charts)
	old := b.Encode()
	parts := map[string]weak.Pointer[byte]{}
	for form, text := range map[string]Text{"yaml": old.YAML.Data, "yaml gzip": old.YAML.Gzip, "json": old.JSON.Data, "json gzip": old.JSON.Gzip} {
		parts[form] = weak.Make(&text.Parts()[1][0])
	}
	runtime.GC()
	for name, p := range parts {
		if p.Value() == nil {
			t.Errorf("%s: freed while it is the current one", name)
		}
	}
	runtime.KeepAlive(old)
	old = nil
	first := b.order[0].name
	b.Set(first, charts[first][1:])
	e := b.Encode()
	runtime.GC()
	for name, p := range parts {
		if p.Value() != nil {
			t.Errorf("%s: still held after the next Encode", name)
		}
	}
	runtime.KeepAlive(e)
	runtime.KeepAlive(b)
}

// One version more among thousands takes the memory of its piece.
func TestGrowingChartHoldsNoOldText(t *testing.T) {
	var list []*Entry
	for i := range 3000 {
		list = append(list, entry(t, metadata("nova", fmt.Sprintf("1.0.%d", i))))
	}
	b := NewBuilder(JSON)
	b.Set("nova", list[:2900])
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	b.Encode()
	before := heap()
	for n := 2901; n <= 3000; n++ {
		b.Set("nova", list[:n])
		b.Encode()
	}
	if grown, text := int64(heap()-before), b.Encode().JSON.Data.Len(); grown > int64(text) {
		t.Errorf("100 versions more took %d bytes, where the whole text has %d", grown, text)
	}
	runtime.KeepAlive(b)
}

// A segment that becomes the first, or no longer is, loses or gets its comma.
func TestFirstSegment(t *testing.T) {
	charts := corpus(t, 200, 5)
	var cut *Entry // a chart that is a segment of its own when it comes first
	for i := 0; cut == nil; i++ {
		if e := entry(t, metadata("a", fmt.Sprintf("1.0.%d", i))); cutAfter(e.Record) {
			cut = e
		}
	}
	b := build(YAML, charts)
	without := b.Encode()
	b.Set("a", []*Entry{cut})
	charts["a"] = []*Entry{cut}
	same(t, "with another first", b.Encode(), build(YAML, charts).Encode())
	b.Set("a", nil)
	same(t, "without", b.Encode(), without)
}

// Builders share nothing, and neither does an Encoded with what comes after it.
func TestEncodedStaysAsItIs(t *testing.T) {
	charts := corpus(t, 300, 3)
	b := build(YAML, charts)
	first := b.Encode()
	before := [][]byte{first.YAML.Data.Bytes(), first.YAML.Gzip.Bytes(), first.JSON.Data.Bytes(), first.JSON.Gzip.Bytes()}
	for name := range charts {
		b.Set(name, charts[name][:1])
		b.Encode()
	}
	for i, got := range [][]byte{first.YAML.Data.Bytes(), first.YAML.Gzip.Bytes(), first.JSON.Data.Bytes(), first.JSON.Gzip.Bytes()} {
		if !bytes.Equal(got, before[i]) {
			t.Errorf("part %d changed", i)
		}
	}
}

func TestETagsFollowTheContent(t *testing.T) {
	charts := corpus(t, 200, 4)
	b := build(YAML, charts)
	seen := make(map[string]int)
	edit := func(e *Entry, url string, later time.Duration) []*Entry {
		md, err := e.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		e, err = NewEntry(md, url, e.Digest, e.Created.Add(later))
		if err != nil {
			t.Fatal(err)
		}
		return []*Entry{e}
	}
	for step, change := range []func(){
		func() {},
		func() { b.Set("chart-00001", edit(charts["chart-00001"][0], "x", 0)) },
		func() { b.Set("chart-00001", edit(charts["chart-00001"][0], "x", time.Nanosecond)) },
		func() { b.Set("chart-00049", nil) },
		func() { b.Set("chart-00048a", charts["chart-00048"]) },
	} {
		change()
		e := b.Encode()
		for _, tag := range []string{e.YAML.ETag, e.YAML.GzipETag, e.JSON.ETag, e.JSON.GzipETag} {
			if other, ok := seen[tag]; ok {
				t.Errorf("step %d: ETag %s was there at step %d", step, tag, other)
			}
			if len(tag) != 34 || tag[0] != '"' || tag[33] != '"' {
				t.Errorf("step %d: %s is no quoted ETag", step, tag)
			}
			seen[tag] = step
		}
	}
}

// The identity form is all but the gzip bodies; Encode adds those, and compresses only
// what is new.
func TestEncodeIdentity(t *testing.T) {
	for name, format := range map[string]Format{"YAML": YAML, "JSON": JSON} {
		t.Run(name, func(t *testing.T) {
			charts := corpus(t, 1900, 10)
			want := build(format, charts).Encode()
			b := build(format, charts)
			identity := b.EncodeIdentity()
			if b.EncodeIdentity() != identity {
				t.Error("the identity form was made twice")
			}
			for _, body := range []Body{identity.YAML, identity.JSON} {
				if body.Gzip.Len() > 0 || body.GzipETag != "" {
					t.Error("the identity form has gzip")
				}
			}
			if !bytes.Equal(identity.YAML.Data.Bytes(), want.YAML.Data.Bytes()) || identity.YAML.ETag != want.YAML.ETag || identity.JSON.ETag != want.JSON.ETag {
				t.Error("the identity form is another index")
			}
			whole := b.Encode()
			same(t, "compressed afterwards", whole, want)
			if shared(whole.JSON.Data, identity.JSON.Data) != len(whole.JSON.Data.Parts())-2 {
				t.Error("the text was copied")
			}
			if b.Encode() != whole || b.EncodeIdentity() != whole {
				t.Error("it was made again, without a change")
			}
			if identity.JSON.Gzip.Len() > 0 {
				t.Error("the identity form has changed")
			}
			b.Set("chart-00100", nil)
			b.EncodeIdentity()
			b.Encode()
			if b.work.segments > 4 {
				t.Errorf("%d segments were compressed for one change", b.work.segments)
			}
		})
	}
}
