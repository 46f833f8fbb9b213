//go:build linux

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	octets       = "application/octet-stream"
)

// image is what is pushed as to a registry: blobs, config first, and their manifest.
type image struct {
	blobs    [][]byte
	manifest []byte
}

func (i *image) digest() string { return "sha256:" + digest(i.manifest) }

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

// newImage makes one; note is in its manifest alone. kinds are those of the blobs.
func newImage(note string, kinds []string, blobs ...[]byte) *image {
	m := struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		Config        descriptor        `json:"config"`
		Layers        []descriptor      `json:"layers"`
		Annotations   map[string]string `json:"annotations"`
	}{SchemaVersion: 2, MediaType: manifestType, Annotations: map[string]string{"org.opencontainers.image.created": note}}
	for i, b := range blobs {
		m.Layers = append(m.Layers, descriptor{kinds[i], "sha256:" + digest(b), len(b)})
	}
	m.Config, m.Layers = m.Layers[0], m.Layers[1:]
	data, _ := json.Marshal(m) // strings and numbers
	return &image{blobs, data}
}

// asImage is the upload as helm push sends it.
func (u upload) asImage(note int) *image {
	blobs := [][]byte{fmt.Appendf(nil, `{"name":%q,"version":%q,"apiVersion":"v2"}`, u.name, u.version), u.archive}
	if u.prov != "" {
		blobs = append(blobs, []byte(u.prov))
	}
	const helm = "application/vnd.cncf.helm."
	return newImage(fmt.Sprint(note), []string{helm + "config.v1+json", helm + "chart.content.v1.tar+gzip", helm + "chart.provenance.v1.prov"}, blobs...)
}

// pushing is an upload of a blob that was begun.
type pushing struct {
	name, location string // location is empty while nobody has answered
	blob           []byte
	taken          int  // bytes that were answered
	ending         bool // the last request was sent
}

// pusher pushes to a server that may be killed. Its methods return an error where there was
// no answer, and the status of the first one that is not what was to come.
type pusher struct {
	client *http.Client
	host   string // with its scheme
	random *rand.Rand
	// begun are the uploads that have not ended, and has the blobs that were taken, as
	// NAME@DIGEST.
	begun []*pushing
	has   map[string]bool
}

// do asks, and returns where an upload goes on.
// header is pairs of name and value.
func (p *pusher) do(method, path string, body io.Reader, header ...string) (code int, location string, err error) {
	req, err := http.NewRequest(method, p.host+path, body)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), err
}

// push pushes an image to a tag, or with an empty one by its digest alone.
func (p *pusher) push(name, tag string, i *image) (int, error) {
	for _, b := range i.blobs {
		if code, err := p.blob(name, b); err != nil || code != http.StatusCreated {
			return code, err
		}
	}
	path := "/v2/" + name + "/manifests/"
	for _, reference := range []string{i.digest(), tag} {
		if reference == "" || tag != "" && reference != tag && p.random.IntN(3) == 0 {
			continue // crane puts the tag alone
		}
		if code, _, err := p.do("PUT", path+reference, bytes.NewReader(i.manifest), "Content-Type", manifestType); err != nil || code != http.StatusCreated {
			return code, err
		}
	}
	return http.StatusCreated, nil
}

// blob uploads a blob that is not there: whole, or in chunks.
func (p *pusher) blob(name string, b []byte) (int, error) {
	id := "sha256:" + digest(b)
	if code, _, err := p.do("HEAD", "/v2/"+name+"/blobs/"+id, nil); err != nil || code != http.StatusNotFound {
		if code == http.StatusOK {
			code = http.StatusCreated
		}
		return code, err
	}
	u := &pushing{name: name, blob: b}
	p.begun = append(p.begun, u)
	code, location, err := p.do("POST", "/v2/"+name+"/blobs/uploads/", nil)
	if err != nil || code != http.StatusAccepted {
		return code, err
	}
	u.location = location
	for p.random.IntN(2) == 0 && len(b)-u.taken > 4 {
		if code, err := p.chunk(u, 2+p.random.IntN(len(b)-u.taken-4)); err != nil || code != http.StatusAccepted {
			return code, err
		}
	}
	return p.end(u)
}

// chunk sends the next n bytes, slowly at times.
func (p *pusher) chunk(u *pushing, n int) (int, error) {
	var body io.Reader = bytes.NewReader(u.blob[u.taken : u.taken+n])
	if p.random.IntN(2) == 0 {
		body = &slow{body, time.Duration(p.random.IntN(5)) * time.Millisecond}
	}
	header := []string{"Content-Type", octets}
	if p.random.IntN(2) == 0 { // skopeo does not say where they belong
		header = append(header, "Content-Range", fmt.Sprintf("%d-%d", u.taken, u.taken+n-1))
	}
	code, _, err := p.do("PATCH", u.location, body, header...)
	if err == nil && code == http.StatusAccepted {
		u.taken += n
	}
	return code, err
}

// end sends the rest, and has a blob made of all.
func (p *pusher) end(u *pushing) (int, error) {
	u.ending = true
	id := "sha256:" + digest(u.blob)
	code, _, err := p.do("PUT", u.location+"?digest="+id, bytes.NewReader(u.blob[u.taken:]), "Content-Type", octets)
	if err != nil || code != http.StatusCreated {
		return code, err
	}
	for i, other := range p.begun {
		if other == u {
			p.begun = append(p.begun[:i], p.begun[i+1:]...)
			break
		}
	}
	p.has[u.name+"@"+id] = true
	return code, nil
}

// slow gives a few bytes at a time.
type slow struct {
	io.Reader
	wait time.Duration
}

func (s *slow) Read(b []byte) (int, error) {
	time.Sleep(s.wait)
	return s.Reader.Read(b[:min(len(b), 4000)])
}

// get returns a manifest or a blob, and fails where its bytes have not the digest that the
// path ends with; nil: it is not there.
func (p *pusher) get(path string) ([]byte, error) {
	resp, err := p.client.Get(p.host + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusNotFound:
		return nil, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s, %s", path, resp.Status, data)
	}
	if _, hex, ok := strings.Cut(path, "sha256:"); ok && digest(data) != hex {
		return nil, fmt.Errorf("%s has other bytes", path)
	}
	return data, nil
}

// whole checks that an image can be pulled by a reference.
func (p *pusher) whole(name, reference string, i *image) error {
	data, err := p.get("/v2/" + name + "/manifests/" + reference)
	if err != nil || !bytes.Equal(data, i.manifest) {
		return fmt.Errorf("%s %s is not the manifest %s that was pushed (%v): %.200s", name, reference, i.digest(), err, data)
	}
	for _, b := range i.blobs {
		if got, err := p.get("/v2/" + name + "/blobs/sha256:" + digest(b)); err != nil || !bytes.Equal(got, b) {
			return fmt.Errorf("%s %s: a blob of %d bytes is not there (%v)", name, reference, len(b), err)
		}
	}
	return nil
}

// resume goes on with what was begun, where the server says that it is, and returns how many
// these were. Uploads whose beginning nobody has answered are unknown.
func (p *pusher) resume(all bool) (n int, err error) {
	var open []*pushing
	for _, u := range append([]*pushing(nil), p.begun...) {
		if u.location == "" {
			continue
		}
		if !all && p.random.IntN(4) == 0 {
			open = append(open, u) // the next time
			continue
		}
		if err := p.goOn(u); err != nil {
			return n, fmt.Errorf("the upload of %d bytes to %s, of which %d were taken, last request sent: %v: %w", len(u.blob), u.name, u.taken, u.ending, err)
		}
		n++
	}
	p.begun = open
	return n, nil
}

func (p *pusher) goOn(u *pushing) error {
	blob := "/v2/" + u.name + "/blobs/sha256:" + digest(u.blob)
	resp, err := p.client.Get(p.host + u.location)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound && u.ending {
		if got, err := p.get(blob); err != nil || got == nil {
			return fmt.Errorf("neither it nor its blob is there (%v)", err)
		}
		return nil
	}
	var last int
	if _, err := fmt.Sscanf(resp.Header.Get("Range"), "0-%d", &last); err != nil || resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("GET answers %s, range %q", resp.Status, resp.Header.Get("Range"))
	}
	if last > 0 {
		last++ // of nothing the range is 0-0
	}
	if last < u.taken || last > len(u.blob) {
		return fmt.Errorf("it is at %d", last)
	}
	u.taken = last
	if rest := len(u.blob) - last; rest > 4 {
		if code, err := p.chunk(u, rest/2); err != nil || code != http.StatusAccepted {
			return fmt.Errorf("PATCH at %d: %d, %v", last, code, err)
		}
	}
	if code, err := p.end(u); err != nil || code != http.StatusCreated {
		return fmt.Errorf("PUT: %d, %v", code, err)
	}
	if got, err := p.get(blob); err != nil || !bytes.Equal(got, u.blob) {
		return fmt.Errorf("the blob is another (%v)", err)
	}
	return nil
}
