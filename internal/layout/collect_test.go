package layout

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// thereOf are the blobs of a name, by what is known of their contents.
func thereOf(t *testing.T, l *Layout, name string, contents ...string) string {
	t.Helper()
	var there []string
	for _, content := range contents {
		if blob(t, l, name, digest.FromString(content)) != "" {
			if len(content) > 12 {
				content = content[:3]
			}
			there = append(there, content)
		}
	}
	return strings.Join(there, " ")
}

// What nobody refers to goes with the second collection that comes an hour after the first.
func TestCollect(t *testing.T) {
	dir := t.TempDir()
	at := &clock{time.Now()}
	l := start(t, dir, Options{Now: at.now})
	_, err := push(l, nginx, "1", "layer")
	must(t, err)
	for _, content := range []string{"garbage", "asked for"} {
		_, err := send(l, nginx, content)
		must(t, err)
	}
	_, err = send(l, "empty", "garbage")
	must(t, err)
	collect := func(want Collected) {
		t.Helper()
		got, err := l.Collect(t.Context(), CollectOptions{})
		must(t, err)
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	collect(Collected{})
	at.at = at.at.Add(time.Hour - 1)
	collect(Collected{})
	must(t, l.Write(nginx, digest.FromString("asked for"), []byte("asked for")))
	at.at = at.at.Add(1)
	collect(Collected{Blobs: 2, Bytes: 7})
	if got := thereOf(t, l, nginx, "layer", image("layer"), "garbage", "asked for"); got != `layer {"s asked for` {
		t.Errorf("there is %s", got)
	}
	if all, _ := os.ReadDir(filepath.Join(dir, root)); len(all) != 4 { // the name, and three of ours
		t.Errorf("there is %v", all)
	}
	f, err := l.OpenBlob(nginx, digest.FromString("asked for"))
	must(t, err)
	must(t, f.Close())
	at.at = at.at.Add(time.Hour)
	collect(Collected{})
	at.at = at.at.Add(time.Hour)
	collect(Collected{Blobs: 1, Bytes: 9})
	if len(l.condemned.all) > 0 {
		t.Errorf("left: %v", l.condemned.all)
	}
	if _, err := push(l, "empty", "1", "garbage"); err != nil {
		t.Error(err)
	}
}

// The layers of a push that takes hours are there for its manifest.
func TestCollectBesideASlowPush(t *testing.T) {
	dir := t.TempDir()
	at := &clock{time.Now()}
	l := start(t, dir, Options{Now: at.now})
	_, err := send(l, nginx, "first")
	must(t, err)
	_, err = send(l, "other", "garbage")
	must(t, err)
	id, err := l.Start(nginx)
	must(t, err)
	var blobs int
	for hour := range 6 {
		if hour < 4 {
			_, err := l.Append(nginx, id, -1, strings.NewReader("x"))
			must(t, err)
			must(t, os.Chtimes(filepath.Join(dir, uploads, "library+nginx", id), at.at, at.at))
		}
		got, err := l.Collect(t.Context(), CollectOptions{})
		must(t, err)
		if blobs += got.Blobs; (blobs > 0) != (hour > 0) || (blobs == 2) != (hour == 5) {
			t.Errorf("after %d hours %d blobs have gone", hour, blobs)
		}
		at.at = at.at.Add(time.Hour)
	}
}

// Manifests that mention what is not there, and indexes of indexes, take neither memory nor
// a deep stack: whoever may push can make them as large as a manifest may be.
func TestCollectHostileManifests(t *testing.T) {
	l := start(t, quick(t), Options{})
	var layers []string
	for i := range 20_000 {
		layers = append(layers, fmt.Sprint(i))
	}
	last := image(layers...)
	for i := range 2000 {
		must(t, l.Write(nginx, digest.FromString(last), []byte(last)))
		last = fmt.Sprintf(`{"n":%d,"manifests":[{"digest":%q},{"digest":"x"},{}]}`, i, digest.FromString(last))
	}
	must(t, l.Put(nginx, entry("1", last), []byte(last)))
	m, err := l.newMarker(t.Context(), nginx)
	must(t, err)
	c, err := l.Content(nginx)
	must(t, err)
	must(t, m.mark(c.Manifests))
	if len(m.blobs) != 2001 {
		t.Errorf("%d digests are held", len(m.blobs))
	}
	if got, err := l.Collect(t.Context(), CollectOptions{Alone: true, Grace: 1, Untagged: true}); got != (Collected{}) || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

// An index may say of a layer that it is a manifest: the layer is not read.
func TestCollectLayersThatIndexesHave(t *testing.T) {
	l := start(t, quick(t), Options{})
	d, err := send(l, nginx, strings.Repeat("x", maxRead+1))
	must(t, err)
	_, err = send(l, nginx, "garbage")
	must(t, err)
	index := fmt.Sprintf(`{"manifests":[{"digest":%q}]}`, d)
	must(t, l.Put(nginx, entry("1", index), []byte(index)))
	if got, err := l.Collect(t.Context(), CollectOptions{Alone: true, Grace: 1}); got.Blobs != 1 || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := l.OpenBlob(nginx, d); err != nil {
		t.Error(err)
	}
}

// What stays and what goes, of one collection of a folder that nobody serves.
func TestCollectAlone(t *testing.T) {
	child, sub := image("layer"), image("subject's")
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q}]}`, digest.FromString(child))
	signature := fmt.Sprintf(`{"layers":[{"digest":%q}],"subject":{"digest":%q}}`, digest.FromString("sig"), digest.FromString(sub))
	escaped := strings.ReplaceAll(image("layer"), "sha256:", `sha256\u003a`)
	archive := strings.Repeat("a", 64)
	put := func(tag, data, archive string) func(*Layout) error {
		return func(l *Layout) error {
			m := entry(tag, data)
			m.Archive = archive
			if data == signature {
				m.Subject = digest.FromString(sub)
			}
			return l.Put(nginx, m, []byte(data))
		}
	}
	all := []string{"layer", "subject's", "sig", "garbage"}
	for name, c := range map[string]struct {
		do       []func(*Layout) error
		o        CollectOptions
		entries  int
		blobs    string
		manifest []string // that are blobs still
	}{
		"no manifests":           {nil, CollectOptions{}, 0, "", nil},
		"tagged":                 {[]func(*Layout) error{put("1", child, "")}, CollectOptions{Untagged: true}, 1, "layer", []string{child}},
		"escaped":                {[]func(*Layout) error{put("1", escaped, "")}, CollectOptions{}, 1, "layer", []string{escaped}},
		"not tagged":             {[]func(*Layout) error{put("", child, "")}, CollectOptions{}, 1, "layer", []string{child}},
		"not tagged, and unkept": {[]func(*Layout) error{put("", child, "")}, CollectOptions{Untagged: true}, 0, "", nil},
		"child of a tag":         {[]func(*Layout) error{put("", child, ""), put("1", index, "")}, CollectOptions{Untagged: true}, 2, "layer", []string{child, index}},
		"child without entry":    {[]func(*Layout) error{func(l *Layout) error { return l.Write(nginx, digest.FromString(child), []byte(child)) }, put("1", index, "")}, CollectOptions{}, 1, "layer", []string{child, index}},
		"signature of a tag":     {[]func(*Layout) error{put("1", sub, ""), put("", signature, "")}, CollectOptions{Untagged: true}, 2, "subject's sig", []string{sub, signature}},
		"signature of nothing":   {[]func(*Layout) error{put("", signature, "")}, CollectOptions{Untagged: true}, 0, "", nil},
		"signature that stays":   {[]func(*Layout) error{put("", signature, "")}, CollectOptions{}, 1, "sig", []string{signature}},
		"a tag's subject":        {[]func(*Layout) error{put("s", signature, ""), put("", sub, "")}, CollectOptions{Untagged: true}, 2, "subject's sig", []string{sub, signature}},
		"chart":                  {[]func(*Layout) error{put("1", child, archive)}, CollectOptions{Void: func(a string) bool { return a != archive }}, 1, "layer", []string{child}},
		"void chart":             {[]func(*Layout) error{put("1", child, archive)}, CollectOptions{Void: func(a string) bool { return a == archive }}, 0, "", nil},
		"void chart, and not":    {[]func(*Layout) error{put("1", child, archive), put("latest", child, "")}, CollectOptions{Void: func(a string) bool { return true }}, 1, "layer", []string{child}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			at := &clock{time.Now()}
			l := start(t, dir, Options{Now: at.now})
			for _, content := range all {
				_, err := send(l, nginx, content)
				must(t, err)
			}
			for _, do := range c.do {
				must(t, do(l))
			}
			before, had := files(t, dir), listed(t, l, nginx)
			o := c.o
			o.Alone, o.Grace = true, 10*time.Minute
			if _, err := l.Collect(t.Context(), o); err != nil {
				t.Error(err)
			}
			if !maps.Equal(files(t, dir), before) || listed(t, l, nginx) != had {
				t.Error("what is new was removed")
			}
			at.at = at.at.Add(time.Hour)
			o.DryRun = true
			var told, tell []Garbage
			o.Removed = func(g Garbage) { told = append(told, g) }
			would, err := l.Collect(t.Context(), o)
			must(t, err)
			if !maps.Equal(files(t, dir), before) {
				t.Error("a dry run removes files")
			}
			tell, told = told, nil
			o.DryRun = false
			did, err := l.Collect(t.Context(), o)
			must(t, err)
			if would != did || !slices.Equal(told, tell) {
				t.Errorf("it would %+v %v, and did %+v %v", would, tell, did, told)
			}
			content, err := l.Content(nginx)
			must(t, err)
			if len(content.Manifests) != c.entries {
				t.Errorf("entries: %s", listed(t, l, nginx))
			}
			if got := thereOf(t, l, nginx, all...); got != c.blobs {
				t.Errorf("blobs: %q, want %q", got, c.blobs)
			}
			for _, data := range []string{child, index, signature, sub, escaped} {
				if got, want := blob(t, l, nginx, digest.FromString(data)) != "", slices.Contains(c.manifest, data); got != want {
					t.Errorf("%s: there: %v", data, got)
				}
			}
			if got := len(files(t, dir)); got != 2*(len(strings.Fields(c.blobs))+len(c.manifest)) {
				t.Errorf("there is %v", files(t, dir))
			}
		})
	}
}

func TestCollectUploads(t *testing.T) {
	dir := t.TempDir()
	at := &clock{time.Now()}
	l := start(t, dir, Options{Now: at.now})
	id, err := l.Start(nginx)
	must(t, err)
	_, err = l.Append(nginx, id, 0, strings.NewReader("abc"))
	must(t, err)
	at.at = at.at.Add(maxIdle - time.Minute)
	if got, err := l.Collect(t.Context(), CollectOptions{}); got.Uploads != 0 || err != nil {
		t.Error(got, err)
	}
	at.at = at.at.Add(2 * time.Minute)
	l = start(t, dir, Options{Now: at.now}) // whoever began it
	if got, err := l.Collect(t.Context(), CollectOptions{}); got != (Collected{Uploads: 1, Bytes: 3}) || err != nil {
		t.Error(got, err)
	}
	if all, _ := os.ReadDir(filepath.Join(dir, uploads)); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
	if _, err := l.Start(nginx); err != nil {
		t.Error(err)
	}
}

// A chart that is put again while it is collected stays.
func TestVoidEntries(t *testing.T) {
	at := &clock{time.Now()}
	l := start(t, t.TempDir(), Options{Now: at.now})
	data := image("layer")
	m := entry("1", data)
	m.Archive = strings.Repeat("a", 64)
	again := func() { must(t, l.Put("web", m, []byte(data))) }
	again()
	collect := func(duringVoid func()) string {
		t.Helper()
		_, err := l.Collect(t.Context(), CollectOptions{Void: func(string) bool { duringVoid(); return true }})
		must(t, err)
		at.at = at.at.Add(time.Hour)
		return listed(t, l, "web")
	}
	nothing := func() {}
	if got := collect(nothing); got == "" {
		t.Error("gone at once")
	}
	again()
	if got := collect(nothing); got == "" {
		t.Error("it was put again")
	}
	if got := collect(nothing); got != "" {
		t.Errorf("an hour later: %s", got)
	}
	again()
	collect(nothing)
	if got := collect(again); got == "" {
		t.Error("it was put again in the midst of it")
	}
}

// A name whose manifests can't be read keeps all it has; others are collected.
func TestCollectWhatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	d, err := push(l, "bad", "1", "layer")
	must(t, err)
	for _, name := range []string{"bad", "broken", "good"} {
		_, err := send(l, name, "garbage")
		must(t, err)
	}
	file := filepath.Join(dir, root, "bad/blobs/sha256", d.Encoded())
	must(t, os.Remove(file))
	must(t, os.Mkdir(file, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, root, "broken/index.json"), []byte("{"), 0o644))
	got, err := l.Collect(t.Context(), CollectOptions{Alone: true, Grace: 1})
	if err == nil || !strings.Contains(err.Error(), "bad was not collected: ") || !strings.Contains(err.Error(), "broken was not collected: ") {
		t.Errorf("got %v", err)
	}
	if got.Blobs != 1 || thereOf(t, l, "bad", "layer", "garbage") != "layer garbage" || thereOf(t, l, "broken", "garbage") != "garbage" {
		t.Errorf("got %+v, %v", got, files(t, dir))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Collect(ctx, CollectOptions{}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

// Where a server ends it waits for no collection, whatever that is at.
func TestCollectEnds(t *testing.T) {
	for name, c := range map[string]struct {
		inVoid bool
		left   int // of three blobs, once for the name and once for all
	}{"while it marks": {true, 6}, "while it removes": {false, 5}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := start(t, dir, Options{})
			m := entry("1", image("layer"))
			m.Archive = strings.Repeat("a", 64)
			must(t, l.Put(nginx, m, []byte(image("layer"))))
			for _, content := range []string{"one", "two"} {
				_, err := send(l, nginx, content)
				must(t, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			o := CollectOptions{Alone: true, Grace: 1, Removed: func(Garbage) { cancel() }}
			if c.inVoid {
				o.Void = func(string) bool { cancel(); return false }
			}
			if _, err := l.Collect(ctx, o); err != context.Canceled {
				t.Errorf("got %v", err)
			}
			if got := files(t, dir); len(got) != c.left {
				t.Errorf("there is %v", got)
			}
		})
	}
}

// Pushes beside collections that find everything late enough: whatever a client was told is
// there when it puts its manifest.
func TestCollectBesidePushes(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var removed atomic.Int64
	all.Go(func() {
		for ctx.Err() == nil {
			got, err := l.Collect(ctx, CollectOptions{Grace: 300 * time.Millisecond, Void: func(string) bool { return true }})
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			removed.Add(int64(got.Blobs))
		}
	})
	end := time.Now().Add(2 * time.Second)
	var pushes sync.WaitGroup
	for i := range 4 {
		pushes.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				begun := time.Now()
				name, content := fmt.Sprint("n", n%3), fmt.Sprint("c", n%5)
				data := image(content, fmt.Sprint(i, n))
				m := entry(fmt.Sprint("t", i), data)
				err := l.Write(name, digest.FromString(content), []byte(content))
				if own := fmt.Sprint(i, n); err == nil && time.Until(end) > time.Second {
					_, err = send(l, name, own)
				} else if err == nil { // no upload goes on, which would keep garbage
					err = l.Write(name, digest.FromString(own), []byte(own))
				}
				if err == nil {
					err = l.Put(name, m, []byte(data))
				}
				if err != nil {
					t.Error(err)
					return
				}
				if time.Since(begun) > 250*time.Millisecond {
					continue // this machine is too busy for the grace of the test
				}
				for _, content := range []string{content, data} {
					f, err := l.OpenBlob(name, digest.FromString(content))
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					f.Close()
				}
				if n%4 == 3 {
					if err := l.Drop(name, func(m *Manifest) bool { return m.Tag != fmt.Sprint("t", (i+1)%4) }); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	pushes.Wait()
	for late := time.Now().Add(time.Minute); removed.Load() == 0 && time.Now().Before(late); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	all.Wait()
	if removed.Load() == 0 {
		t.Error("nothing was collected")
	}
}

// Whoever asks for a blob between the verdict and the removal keeps it.
func TestAskedForInTheMidst(t *testing.T) {
	at := &clock{time.Now()}
	l := start(t, t.TempDir(), Options{Now: at.now})
	d, err := send(l, nginx, "layer")
	must(t, err)
	_, err = l.Collect(t.Context(), CollectOptions{})
	must(t, err)
	at.at = at.at.Add(time.Hour)
	l.sweep.RLock() // as who opens it
	done := make(chan Collected)
	go func() {
		got, err := l.Collect(context.Background(), CollectOptions{})
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	time.Sleep(100 * time.Millisecond)
	file, err := blobOf(nginx, d)
	must(t, err)
	l.condemned.spare(file)
	l.sweep.RUnlock()
	if got := <-done; got.Blobs != 0 || blob(t, l, nginx, d) == "" {
		t.Errorf("got %+v", got)
	}
}
