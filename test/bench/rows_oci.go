package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartserve/test/bench/report"
)

// registryName is what the table calls distribution's server.
const registryName = "distribution's `registry`"

// imageSize is that of the one layer of the image in row 16, in bytes.
const imageSize = 200 << 20

// manifestType is the media type of a manifest.
const manifestType = "application/vnd.oci.image.manifest.v1+json"

// registries is row 16: charts and an image by OCI, from chartserve and from a registry that
// has the same bytes on disk.
func (b *bench) registries(ctx context.Context) error {
	n := min(many, b.largest)
	if b.tools.wrk == "" || b.tools.registry == "" {
		b.add(report.Comparison{Row: "16", Work: "charts and images by OCI", Peer: registryName, Missing: "wrk or the registry could not be installed"})
		return nil
	}
	if err := b.describeArchives(n); err != nil {
		return err
	}
	dir, err := b.repository("oci", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ours, _, err := b.serve(ctx, "--repo-path", dir, "--allow-upload")
	if err != nil {
		return err
	}
	defer ours.stop()
	ours.url = strings.TrimSuffix(ours.url, "/charts")
	if err := settled(ctx, ours, newClient(1)); err != nil {
		return err
	}
	theirs, err := b.serveRegistry(ctx)
	if err != nil {
		return err
	}
	defer theirs.stop()
	file, err := b.archives.near(12_000, n)
	if err != nil {
		return err
	}
	p, err := copyChart(ctx, ours, theirs, file)
	if err != nil {
		return err
	}
	for _, w := range []work{
		{row: "16", text: "GET the manifest of a chart by its tag", path: p.manifest, headers: []string{"Accept: " + manifestType}},
		{row: "16", text: "GET the blob that is its archive", path: p.layer},
	} {
		if err := b.rates(ctx, w, ours, rival{registryName, theirs, 1}); err != nil {
			return err
		}
	}
	if err := b.pulls(ctx, p.reference, ours, theirs); err != nil {
		return err
	}
	return b.images(ctx, ours, theirs)
}

// chartPaths are where both servers have one chart.
type chartPaths struct{ manifest, layer, reference string }

// copyChart pushes the chart of an archive, as chartserve makes it for OCI, to the other.
func copyChart(ctx context.Context, from, to *server, archive string) (p chartPaths, err error) {
	c := newClient(1)
	defer c.close()
	name, version := nameVersion(archive)
	repository, tag := "/v2/charts/"+name, strings.ReplaceAll(version, "+", "_")
	p = chartPaths{manifest: repository + "/manifests/" + tag, reference: "/charts/" + name + " " + version}
	text, err := c.get(ctx, from.url+p.manifest)
	if err != nil || text.status != http.StatusOK {
		return p, fmt.Errorf("GET %s: status %d: %w", p.manifest, text.status, err)
	}
	type blob struct{ Digest string }
	var m struct {
		Config blob
		Layers []blob
	}
	if err := json.Unmarshal(text.body, &m); err != nil {
		return p, err
	}
	for _, d := range append([]blob{m.Config}, m.Layers...) {
		p.layer = repository + "/blobs/" + d.Digest
		a, err := c.get(ctx, from.url+p.layer)
		if err == nil {
			err = c.pushBlob(ctx, to.url+repository, d.Digest, bytes.NewReader(a.body))
		}
		if err != nil {
			return p, err
		}
	}
	_, err = c.ociSend(ctx, http.MethodPut, to.url+p.manifest, manifestType, bytes.NewReader(text.body))
	return p, err
}

// nameVersion takes the file name of an archive of the corpus apart.
func nameVersion(file string) (name, version string) {
	base := strings.TrimSuffix(file, ".tgz")
	for i := range len(base) - 1 {
		if base[i] == '-' && base[i+1] >= '0' && base[i+1] <= '9' {
			return base[:i], base[i+1:]
		}
	}
	return base, ""
}

// pulls adds the line of `helm pull`.
func (b *bench) pulls(ctx context.Context, reference string, ours, theirs *server) error {
	path, version, _ := strings.Cut(reference, " ")
	var took [2]report.Series
	for range b.runs {
		for i, s := range []*server{ours, theirs} {
			seconds, err := b.run(ctx, b.tools.helm3, "pull", "--plain-http", strings.Replace(s.url, "http://", "oci://", 1)+path, "--version", version, "--destination", b.temp)
			if err != nil {
				return err
			}
			took[i] = append(took[i], seconds)
		}
	}
	b.add(report.Comparison{Row: "16", Work: "Helm 3: `pull oci://` of one chart", Peer: registryName, Unit: report.Seconds, Ours: took[0], Theirs: took[1]})
	return nil
}

// images adds the lines of an image of one large layer, pushed and pulled.
func (b *bench) images(ctx context.Context, ours, theirs *server) error {
	file := filepath.Join(b.temp, "layer")
	defer os.Remove(file)
	c := newClient(1)
	defer c.close()
	var pushed, pulled [2]report.Series
	for round := range b.runs {
		digest, err := writeLayer(file, uint64(round))
		if err != nil {
			return err
		}
		for i, s := range []*server{ours, theirs} {
			repository := s.url + "/v2/images/large"
			began := time.Now()
			if err := c.pushFile(ctx, repository, digest, file); err != nil {
				return err
			}
			pushed[i] = append(pushed[i], time.Since(began).Seconds())
			began = time.Now()
			if err := c.drain(ctx, repository+"/blobs/"+digest, imageSize); err != nil {
				return err
			}
			pulled[i] = append(pulled[i], time.Since(began).Seconds())
		}
	}
	line := report.Comparison{Row: "16", Peer: registryName, Unit: report.Seconds}
	line.Work, line.Ours, line.Theirs = "a layer of 200 MB pushed", pushed[0], pushed[1]
	b.add(line.AtMost(1.1))
	line.Work, line.Ours, line.Theirs = "a layer of 200 MB pulled", pulled[0], pulled[1]
	b.add(line.AtMost(1.1))
	return nil
}

// writeLayer fills a file with what can't be compressed, another for each seed, and returns
// its digest.
func writeLayer(file string, seed uint64) (string, error) {
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var key [32]byte
	key[0] = byte(seed)
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.NewChaCha8(key), imageSize); err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", sum.Sum(nil)), f.Sync()
}

func (c *client) pushFile(ctx context.Context, repository, digest, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.pushBlob(ctx, repository, digest, struct{ io.Reader }{f})
}

// pushBlob pushes a blob in one stream, as clients do that don't know its size.
func (c *client) pushBlob(ctx context.Context, repository, digest string, blob io.Reader) error {
	where, err := c.ociSend(ctx, http.MethodPost, repository+"/blobs/uploads/", "", nil)
	if err == nil {
		where, err = c.ociSend(ctx, http.MethodPatch, where, "application/octet-stream", blob)
	}
	if err != nil {
		return err
	}
	end, err := url.Parse(where)
	if err != nil {
		return err
	}
	query := end.Query()
	query.Set("digest", digest)
	end.RawQuery = query.Encode()
	_, err = c.ociSend(ctx, http.MethodPut, end.String(), "", nil)
	return err
}

// ociSend sends what must be answered with 201 or 202, and returns where the answer leads.
func (c *client) ociSend(ctx context.Context, method, target, kind string, body io.Reader) (where string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return "", err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s %s: status %d: %s", method, target, resp.StatusCode, tail(text))
	}
	at, err := resp.Location()
	if err != nil {
		return "", nil // a manifest's answer need not have one
	}
	return at.String(), nil
}

// drain reads what has size bytes, and keeps nothing of it.
func (c *client) drain(ctx context.Context, target string, size int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != size {
		return fmt.Errorf("GET %s: status %d, %d bytes of %d: %w", target, resp.StatusCode, n, size, err)
	}
	return nil
}
