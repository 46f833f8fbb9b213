//go:build linux

package torture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
)

const (
	stormVersions = 6  // of each client's chart
	stormTags     = 3  // of each client's image
	stormPast     = 20 // images that a client remembers
)

// kept is what a version, or a tag, may be after all answers so far: uploads, of which a nil
// one is that it is not there. One that an answer was given of is alone.
type kept struct {
	may []*upload
	// sure says that the last request was answered.
	sure bool
}

// stormClient changes the versions of a chart of its own, and the tags of an image.
type stormClient struct {
	pusher
	t        *testing.T
	base     string // the repository's URL
	chart    string
	seq      *atomic.Int64
	versions [stormVersions]kept
	tags     [stormTags]kept
	// past are images that lost their tags, and are found by their digests.
	past []*upload
}

func newStormClient(t *testing.T, c int, seq *atomic.Int64, random *rand.Rand) *stormClient {
	sc := &stormClient{t: t, chart: fmt.Sprintf("storm%d", c), seq: seq}
	sc.random, sc.has = rand.New(rand.NewPCG(random.Uint64(), 1)), map[string]bool{}
	for i := range sc.versions {
		sc.versions[i] = kept{[]*upload{nil}, true}
	}
	for i := range sc.tags {
		sc.tags[i] = kept{[]*upload{nil}, true}
	}
	return sc
}

// connect has c ask s.
func (c *stormClient) connect(s *server) {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
	c.client, c.base, c.host = newClient(c.t), s.url, "http://"+s.host()
}

func version(v int) string { return fmt.Sprintf("1.%d.0", v) }
func tag(i int) string     { return fmt.Sprintf("t%d", i) }

// place is the name of the chart, as one of the clients calls it.
func (c *stormClient) place() string {
	if c.random.IntN(2) == 0 {
		return c.chart
	}
	return "charts/" + c.chart
}

func (c *stormClient) imageName() string { return "img/" + c.chart }

// request changes one version, or one tag. False: there was no answer.
func (c *stormClient) request() bool {
	v := c.random.IntN(stormVersions)
	k := &c.versions[v]
	was, next := k.may[0], newUpload(c.t, c.chart, version(v), int(c.seq.Add(1)), c.random.IntN(30_000), c.random.IntN(2) == 0)
	switch n := c.random.IntN(12); {
	case n < 3 && was != nil:
		return c.remove(k, was)
	case n < 5:
		return c.try(k, &next, http.StatusCreated, func() (int, error) { return next.post(c.client, c.base, "?force") })
	case n < 7 && was != nil: // another manifest of what is there
		next = *was
		fallthrough
	case n < 10:
		next.image = next.asImage(int(c.seq.Add(1)))
		return c.try(k, &next, http.StatusCreated, func() (int, error) { return c.push(c.place(), next.version, next.image) })
	}
	return c.retag()
}

// remove deletes a version, by its name, its tag, or the digest of its manifest.
func (c *stormClient) remove(k *kept, was *upload) bool {
	reference := was.version
	switch n := c.random.IntN(3); {
	case n == 0:
		return c.try(k, nil, http.StatusOK, func() (int, error) {
			return exchange(c.client, http.MethodDelete, c.base+"/api/charts/"+was.name+"/"+was.version, "", nil)
		})
	case n == 1 && was.image != nil:
		reference = was.image.digest()
	}
	return c.removeReference(k, was, c.chart, reference)
}

func (c *stormClient) removeReference(k *kept, was *upload, name, reference string) bool {
	ok := c.try(k, nil, http.StatusAccepted, func() (int, error) {
		code, _, err := c.do("DELETE", "/v2/"+name+"/manifests/"+reference, nil)
		return code, err
	})
	if n := len(c.past); ok && reference != was.version && n > 0 && c.past[n-1] == was {
		c.past = c.past[:n-1]
	}
	return ok
}

// retag pushes another image to a tag, or deletes it.
func (c *stormClient) retag() bool {
	i := c.random.IntN(stormTags)
	k := &c.tags[i]
	was := k.may[0]
	if was != nil && c.random.IntN(3) == 0 {
		reference := was.version
		if c.random.IntN(2) == 0 {
			reference = was.image.digest()
		}
		return c.removeReference(k, was, c.imageName(), reference)
	}
	seq := int(c.seq.Add(1))
	layer := append(fmt.Appendf(nil, "layer %d", seq), noise(c.random.IntN(30_000))...)
	next := &upload{name: c.imageName(), version: tag(i)}
	next.image = newImage(fmt.Sprint(seq), []string{"application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"}, []byte(`{"os":"linux"}`), layer)
	return c.try(k, next, http.StatusCreated, func() (int, error) { return c.push(next.name, next.version, next.image) })
}

// try has do make next of a version or tag. False: there was no answer.
func (c *stormClient) try(k *kept, next *upload, want int, do func() (int, error)) bool {
	was := k.may[0]
	k.may, k.sure = append(k.may, next), false
	code, err := do()
	if err != nil {
		return false
	}
	if code != want {
		c.t.Errorf("%s: status %d, want %d", c.chart, code, want)
		return false
	}
	*k = kept{[]*upload{next}, true}
	if was != nil && was.image != nil {
		c.past = append(c.past[max(0, len(c.past)+1-stormPast):], was)
	}
	return true
}

// check compares what the registry has with what was answered. The versions of the chart were
// compared before.
func (c *stormClient) check() error {
	for i := range c.tags {
		is, err := c.tagged(&c.tags[i], tag(i))
		if err != nil {
			return err
		}
		c.tags[i] = kept{[]*upload{is}, true}
	}
	n := 0
	for blob := range c.has { // some of them
		name, id, _ := bytes.Cut([]byte(blob), []byte("@"))
		if got, err := c.get(fmt.Sprintf("/v2/%s/blobs/%s", name, id)); err != nil || got == nil {
			return fmt.Errorf("blob %s was taken and is not there (%v)", blob, err)
		}
		if n++; n == 20 {
			break
		}
	}
	if n := len(c.past); n > 0 {
		for range 3 {
			u := c.past[c.random.IntN(n)]
			if err := c.whole(u.name, u.image.digest(), u.image); err != nil {
				return fmt.Errorf("which lost its tag %s: %w", u.version, err)
			}
		}
	}
	return nil
}

// tagged is which of the images that a tag may have it has.
func (c *stormClient) tagged(k *kept, tag string) (*upload, error) {
	data, err := c.get("/v2/" + c.imageName() + "/manifests/" + tag)
	if err != nil {
		return nil, err
	}
	for _, u := range k.may {
		switch {
		case u == nil && data == nil:
			return nil, nil
		case u != nil && bytes.Equal(data, u.image.manifest):
			return u, c.whole(u.name, tag, u.image)
		}
	}
	return nil, fmt.Errorf("%s:%s has %.200q: none of the %d that it may have; answered: %v", c.imageName(), tag, data, len(k.may), k.sure)
}

// pulled is which of the uploads that a version may be has its tag, of those whose archive it
// is.
func (c *stormClient) pulled(all []*upload) (*upload, error) {
	u := all[0]
	data, err := c.get("/v2/charts/" + u.name + "/manifests/" + u.version)
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		if u.image != nil && bytes.Equal(data, u.image.manifest) {
			return u, c.whole(u.name, u.version, u.image)
		}
	}
	for _, u := range all {
		if u.image == nil && bytes.Contains(data, []byte("sha256:"+digest(u.archive))) {
			return u, nil
		}
	}
	return nil, fmt.Errorf("%s:%s has another manifest than it was pushed with: %.300s", u.name, u.version, data)
}
