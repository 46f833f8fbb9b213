package httpapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/index"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
)

// reading is one look at all that a repository tells of its charts, by one reader.
type reading struct {
	*world
	at   *held
	who  string
	may  func(chart string) bool
	urls map[string]string // of archives, by NAME VERSION
	// hidden are the digests of archives that the reader may not have.
	hidden []string
}

// agree compares what a reader is told in all ways while the index stays what it is. There
// are few tries: an index that changes with each look is a fault of its own.
func (w *world) agree(at *held, who string, may func(string) bool) error {
	w.serving.RLock()
	defer w.serving.RUnlock()
	for range 1000 {
		before := w.view(at).Index
		r := &reading{world: w, at: at, who: who, may: may}
		charts, err := r.charts()
		if err == nil {
			err = r.registry(charts)
		}
		if w.view(at).Index == before {
			w.readings.Add(1)
			return err
		}
	}
	return fmt.Errorf("the index of %q never stays", at.name)
}

// get expects a status, and returns the body.
func (r *reading) get(target string, status int) (*http.Response, []byte, error) {
	resp, data := r.ask(r.who, "GET", target, nil)
	if resp.StatusCode != status {
		return resp, data, fmt.Errorf("%s by %s: got %s, %.300s, want %d", target, r.who, resp.Status, data, status)
	}
	return resp, data, nil
}

// charts are the digests by NAME VERSION that index.yaml, index.json and the API have; the
// page has the same versions, and each archive has its digest. A reader of some charts has
// those that the whole index has of them.
func (r *reading) charts() (map[string]string, error) {
	base := "/charts/" + r.at.prefix()
	all, err := (&reading{world: r.world, at: r.at, who: "all"}).decode(base+"index.yaml", false)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(id, d string) bool {
		name, _, _ := strings.Cut(id, " ")
		if !r.may(name) {
			r.hidden = append(r.hidden, d)
		}
		return !r.may(name)
	})
	for target, api := range map[string]bool{base + "index.yaml": false, base + "index.json": false, "/api/" + r.at.prefix() + "charts": true} {
		got, err := r.decode(target, api)
		if err != nil || !maps.Equal(got, all) {
			return nil, fmt.Errorf("%s by %s has %v, the index %v (%v)", target, r.who, got, all, err)
		}
	}
	if got, err := r.pages(base); err != nil || !slices.Equal(got, slices.Sorted(maps.Keys(all))) {
		return nil, fmt.Errorf("the pages of %q for %s have %v, the index %v (%v)", r.at.name, r.who, got, all, err)
	}
	for id, d := range all {
		_, data, err := r.get(base+r.urls[id], 200)
		if err != nil || digest.FromBytes(data).Encoded() != d {
			return nil, fmt.Errorf("the archive of %s has another digest than the index says (%v)", id, err)
		}
	}
	return all, nil
}

// decode reads an index, or the API's list.
func (r *reading) decode(target string, api bool) (map[string]string, error) {
	_, data, err := r.get(target, 200)
	if err != nil {
		return nil, err
	}
	if api {
		data = fmt.Appendf(nil, `{"apiVersion":"v1","generated":"2026-01-01T00:00:00Z","entries":%s}`, data)
	}
	x, err := index.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	got := map[string]string{}
	r.urls = map[string]string{}
	for _, e := range x.Entries {
		id := e.Name + " " + e.Version
		if got[id] != "" {
			return nil, fmt.Errorf("%s has %s twice", target, id)
		}
		got[id], r.urls[id] = e.Digest, e.URL
	}
	return got, nil
}

var (
	chartOnPage   = regexp.MustCompile(`<li id="([^"]+)">`)
	versionOnPage = regexp.MustCompile(`<th scope="row"><a href="[^"]*">([^<]+)</a>`)
)

// pages are the versions that the pages of the charts on the list have, as NAME VERSION,
// sorted.
func (r *reading) pages(base string) (all []string, err error) {
	_, list, err := r.get(base, 200)
	for _, c := range chartOnPage.FindAllStringSubmatch(string(list), -1) {
		name := html.UnescapeString(c[1])
		_, page, failed := r.get(base+"chart/"+name+"/versions/", 200)
		err = cmp.Or(err, failed)
		for _, v := range versionOnPage.FindAllStringSubmatch(string(page), -1) {
			all = append(all, name+" "+html.UnescapeString(v[1]))
		}
	}
	slices.Sort(all)
	return all, err
}

// registry checks that the registry has these charts, and no others: in the catalog, by
// their tags, their manifests and their blobs.
func (r *reading) registry(charts map[string]string) error {
	versions := map[string][]string{}
	for id := range charts {
		if name, version, _ := strings.Cut(id, " "); layout.IsName(name) && layout.IsTag(oci.Tag(version)) {
			versions[name] = append(versions[name], version)
		}
	}
	if err := r.catalog(versions); err != nil {
		return err
	}
	for _, d := range r.hidden {
		if _, _, err := r.get("/v2/"+r.at.prefix()+"a/blobs/sha256:"+d, 404); err != nil {
			return err
		}
	}
	for _, name := range someNames {
		if err := r.tags(name, versions[name]); err != nil {
			return err
		}
		for _, version := range versions[name] {
			if err := r.image(name, version, charts[name+" "+version]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reading) catalog(versions map[string][]string) error {
	_, data, err := r.get("/v2/_catalog", 200)
	if err != nil {
		return err
	}
	var list struct{ Repositories []string }
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	var got []string
	for _, full := range list.Repositories {
		name, isChart := strings.CutPrefix(full, "charts/")
		name, ofTeam := strings.CutPrefix(name, "team/")
		if !r.may(name) {
			return fmt.Errorf("the catalog for %s has %s", r.who, full)
		}
		if isChart && ofTeam == (r.at.name == "team") {
			got = append(got, name)
		}
	}
	if want := slices.Sorted(maps.Keys(versions)); !slices.Equal(got, want) {
		return fmt.Errorf("the catalog for %s has the charts %v of %q, the index %v", r.who, got, r.at.name, want)
	}
	return nil
}

// tags checks the tags of a name: they are the versions, and what artifacts may have.
func (r *reading) tags(name string, versions []string) error {
	if !layout.IsName(name) {
		return nil
	}
	target := "/v2/" + r.at.prefix() + name + "/tags/list"
	if !r.may(name) {
		_, _, err := r.get(target, 403)
		return err
	}
	resp, data := r.ask(r.who, "GET", target, nil)
	if resp.StatusCode == 404 && len(versions) == 0 {
		return nil
	}
	var list struct{ Tags []string }
	if err := json.Unmarshal(data, &list); err != nil || resp.StatusCode != 200 {
		return fmt.Errorf("%s by %s: got %s, %s", target, r.who, resp.Status, data)
	}
	want := map[string]bool{}
	for _, version := range versions {
		want[oci.Tag(version)] = true
		if !slices.Contains(list.Tags, oci.Tag(version)) {
			return fmt.Errorf("%s has %v, the index %v", target, list.Tags, versions)
		}
	}
	for _, tag := range list.Tags {
		if !want[tag] && !slices.Contains(otherTags, tag) {
			return fmt.Errorf("%s has %v, the index %v", target, list.Tags, versions)
		}
	}
	return nil
}

// image checks the manifest of a version, and all that it leads to.
func (r *reading) image(name, version, archive string) error {
	path, dropping := "/v2/charts/"+r.at.prefix()+name, r.dropping.Load()
	resp, data, err := r.get(path+"/manifests/"+oci.Tag(version), 200)
	if err != nil {
		return err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	is := string(digest.FromBytes(data))
	if said := resp.Header.Get("Docker-Content-Digest"); is != said {
		return fmt.Errorf("%s:%s is %s, and is said to be %s", name, version, is, said)
	}
	layers := map[string]digest.Digest{}
	for _, l := range m.Layers {
		layers[l.MediaType] = l.Digest
	}
	if layers[oci.ChartType] != digest.NewDigestFromEncoded(digest.SHA256, archive) {
		return fmt.Errorf("%s:%s has the archive %s, the index %s", name, version, layers[oci.ChartType], archive)
	}
	for _, d := range append(m.Layers, m.Config) {
		_, data, err := r.get(path+"/blobs/"+string(d.Digest), 200)
		if err != nil || digest.FromBytes(data) != d.Digest || int64(len(data)) != d.Size {
			return fmt.Errorf("%s:%s: %s has other bytes (%v)", name, version, d.MediaType, err)
		}
	}
	if _, byDigest, err := r.get(path+"/manifests/"+is, 200); string(byDigest) != string(data) && dropping%2 == 0 && r.dropping.Load() == dropping {
		return fmt.Errorf("%s:%s: by digest it has other bytes (%v)", name, version, err)
	}
	return nil
}
