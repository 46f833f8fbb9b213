package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// step does one thing, and says what.
func (w *world) step() string {
	h := pickOf(w, w.held)
	switch n := w.rng.IntN(25); {
	case n < 4:
		return w.edit()
	case n < 7:
		return w.upload(h)
	case n < 12:
		return w.pushChart(h)
	case n < 14:
		return w.pushAgain(h)
	case n < 17:
		return w.pushArtifact(h)
	case n < 19:
		return w.deleteVersion(h)
	case n < 22:
		return w.deleteManifest(h)
	case n < 23:
		return w.prune(h)
	case n < 24:
		return w.collect(h)
	}
	return w.restart()
}

// edit changes the SOURCE; the watcher finds it some time.
func (w *world) edit() string {
	name, version, archive, _ := w.archive()
	dir, file := filepath.Join(w.tree, "dir-"+name), filepath.Join(w.tree, name+"-"+version+".tgz")
	var err error
	switch w.rng.IntN(4) {
	case 0:
		err = os.MkdirAll(dir, 0o755)
		for file, text := range map[string]string{
			"Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n", "values.yaml": fmt.Sprintf("x: %d\n", w.rng.IntN(3)),
		} {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644))
		}
	case 1:
		err = os.WriteFile(file, archive, 0o644)
	default:
		err = os.RemoveAll(pickOf(w, []string{dir, file}))
	}
	if err != nil {
		w.t.Error(err)
	}
	if w.rng.IntN(2) == 0 {
		w.set.Root().Rescan()
	}
	return "edit"
}

func (w *world) upload(h *held) string {
	name, version, archive, prov := w.archive()
	target := "/api/" + h.prefix() + "charts"
	if w.rng.IntN(2) == 0 {
		target += "?force"
	}
	files := []file{{"chart", "x.tgz", string(archive)}}
	if prov != nil {
		files = append(files, file{"prov", "x.tgz.prov", string(prov)})
	}
	body, kind := formOf(w.t, files...)
	code, _ := w.write("POST", target, body.Bytes(), []string{"Content-Type", kind}, 200, 201, 409)
	if code < 300 && h.name != "" && w.view(h).Chart(name).Version(version).Entry.Digest != digest.FromBytes(archive).Encoded() {
		w.t.Errorf("%s %s was uploaded to %q, and is not there", name, version, h.name)
	}
	return fmt.Sprint("upload ", code)
}

func (w *world) pushChart(h *held) string {
	name, version, archive, prov := w.archive()
	if !layout.IsName(name) {
		return "nothing"
	}
	return fmt.Sprint("chart ", w.put(h, name, oci.Tag(version), helmImage(archive, prov, fmt.Sprint(w.rng.IntN(3))), digest.FromBytes(archive).Encoded()))
}

// pushAgain pushes what the repository has, with a manifest of its own: nothing is uploaded.
func (w *world) pushAgain(h *held) string {
	for c := range w.view(h).Charts() {
		v := pickOf(w, c.Versions)
		resp, data := w.ask("all", "GET", "/v2/charts/"+h.prefix()+c.Name+"/manifests/"+oci.Tag(v.Entry.Version), nil)
		var m ocispec.Manifest
		if resp.StatusCode != 200 || json.Unmarshal(data, &m) != nil || w.rng.IntN(2) == 0 {
			continue // another one
		}
		m.Annotations = map[string]string{ocispec.AnnotationCreated: fmt.Sprint(w.rng.IntN(3))}
		m.MediaType = ""
		archive := ""
		for _, l := range m.Layers {
			if l.MediaType == oci.ChartType {
				archive = l.Digest.Encoded()
			}
		}
		return fmt.Sprint("again ", w.put(h, c.Name, oci.Tag(v.Entry.Version), &image{manifest: jsonOf(m)}, archive))
	}
	return "nothing"
}

func (w *world) pushArtifact(h *held) string {
	name, tag := pickOf(w, otherNames), pickOf(w, otherTags)
	return fmt.Sprint("artifact ", w.put(h, name, tag, plainImage(fmt.Sprint(w.rng.IntN(3))), ""))
}

// put pushes an image as clients do, and notes what must be there then. archive is a chart's.
func (w *world) put(h *held, name, tag string, i *image, archive string) (code int) {
	path := "/v2/" + pickOf(w, []string{"", "charts/"}) + h.prefix() + name
	for _, b := range i.blobs {
		w.putBlob(path, b)
	}
	key, kind := name+"@"+i.digest(), []string{"Content-Type", ocispec.MediaTypeImageManifest}
	w.dropping.Add(1)
	defer w.dropping.Add(1)
	// What the repository had under its digests alone may be gone since the client asked.
	if w.rng.IntN(4) > 0 {
		if code, _ = w.write("PUT", path+"/manifests/"+i.digest(), i.manifest, kind, 201, 400); code != 201 {
			return code
		}
		if _, known := h.manifests[key]; !known {
			h.manifests[key] = stored{data: i.manifest}
		}
	}
	switch code, _ = w.write("PUT", path+"/manifests/"+tag, i.manifest, kind, 201, 409, 400); {
	case code == 201 && archive == "":
		h.tags[name+":"+tag], h.manifests[key] = i.digest(), stored{data: i.manifest}
	case code == 201:
		h.pushed[name+":"+tag+"@"+archive], h.manifests[key] = i.digest(), stored{i.manifest, archive}
	case archive != "" && h.pushed[name+":"+tag+"@"+archive] != i.digest(): // it may have taken that one's place
		delete(h.pushed, name+":"+tag+"@"+archive)
		fallthrough
	case archive != "":
		if h.manifests[key].archive == "" { // what was refused is not kept, unless it had been taken before
			delete(h.manifests, key)
			w.write("HEAD", path+"/manifests/"+i.digest(), nil, nil, 404)
		}
	}
	return code
}

// putBlob uploads a blob that is not there, in one of the ways that there are.
func (w *world) putBlob(path string, b []byte) {
	d := string(digest.FromBytes(b))
	if resp, _ := w.ask("all", "HEAD", path+"/blobs/"+d, nil); resp.StatusCode == 200 {
		return
	}
	if w.rng.IntN(2) == 0 {
		w.write("POST", path+"/blobs/uploads/?digest="+d, b, nil, 201)
		return
	}
	_, resp := w.write("POST", path+"/blobs/uploads/", nil, nil, 202)
	at := resp.Header.Get("Location")
	if half := len(b) / 2; w.rng.IntN(2) == 0 {
		w.write("PATCH", at, b[:half], nil, 202)
		b = b[half:]
	}
	w.write("PUT", at+"?digest="+d, b, nil, 201)
}

// version is one that the repository has, most often.
func (w *world) version(h *held) (name, version string) {
	name, version, _, _ = w.archive()
	for c := range w.view(h).Charts() {
		if w.rng.IntN(2) == 0 {
			return c.Name, pickOf(w, c.Versions).Entry.Version
		}
	}
	return name, version
}

func (w *world) deleteVersion(h *held) string {
	name, version := w.version(h)
	code, _ := w.write("DELETE", "/api/"+h.prefix()+"charts/"+name+"/"+version, nil, nil, 200, 404, 409)
	return fmt.Sprint("delete ", code)
}

// deleteManifest deletes by a tag, or by a digest that a tag has or had.
func (w *world) deleteManifest(h *held) string {
	name, version := w.version(h)
	tag := pickOf(w, []string{oci.Tag(version), oci.Tag(version), "latest"})
	if !layout.IsName(name) {
		name = "img/x"
	}
	path := "/v2/" + h.prefix() + name + "/manifests/"
	w.dropping.Add(1)
	defer w.dropping.Add(1)
	if w.rng.IntN(2) == 0 {
		code, _ := w.write("DELETE", path+tag, nil, nil, 202, 404, 409)
		if code == 202 {
			delete(h.tags, name+":"+tag)
		}
		return fmt.Sprint("untag ", code)
	}
	resp, _ := w.ask("all", "HEAD", path+tag, nil)
	d := resp.Header.Get("Docker-Content-Digest")
	if d == "" {
		return "nothing"
	}
	code, _ := w.write("DELETE", path+d, nil, nil, 202, 404, 409)
	if code == 202 {
		h.forget(name, d)
	}
	return fmt.Sprint("delete by digest ", code)
}

// forget takes a manifest out.
func (h *held) forget(name, d string) {
	delete(h.manifests, name+"@"+d)
	for _, all := range []map[string]string{h.tags, h.pushed} {
		for key, is := range all {
			if is == d && strings.HasPrefix(key, name+":") {
				delete(all, key)
			}
		}
	}
}

func (w *world) prune(h *held) string {
	ask := repo.Prune{Charts: []chart.Pick{{Name: pickOf(w, someNames)}}}
	if w.rng.IntN(2) == 0 {
		ask = repo.Prune{Retention: repo.Retention{Keep: 1}}
	}
	out, byOther, err := repo.PruneFolder(w.t.Context(), filepath.Join(w.dir, h.name), ask, repo.Options{})
	if err != nil || !byOther {
		w.t.Errorf("prune: %v, %v", err, byOther)
	}
	return fmt.Sprint("prune ", len(out.Retired) > 0)
}

// collect removes at once what the server removes after an hour.
func (w *world) collect(h *held) string {
	l, err := w.repository(h).Content(false)
	void := func(archive string) bool { _, ok := w.view(h).Blob(archive); return !ok }
	all := layout.Collected{}
	for range 2 {
		if err == nil {
			all, err = l.Collect(w.t.Context(), layout.CollectOptions{Grace: 1, Void: void})
		}
	}
	if err != nil {
		w.t.Errorf("collect: %v", err)
	}
	for key := range h.pushed {
		if _, archive, _ := strings.Cut(key, "@"); void(archive) {
			delete(h.pushed, key)
		}
	}
	maps.DeleteFunc(h.manifests, func(_ string, s stored) bool { return s.archive != "" && void(s.archive) })
	return fmt.Sprint("collect ", all != layout.Collected{})
}

func (w *world) restart() string {
	w.serving.Lock()
	defer w.serving.Unlock()
	w.stop()
	w.start()
	return "restart"
}
