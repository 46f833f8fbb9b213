package images

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/distribution/reference"
)

// Image is one container image at one place of a chart.
type Image struct {
	// Registry and Repository are normalised: "docker.io", "library/nginx".
	Registry, Repository string
	// One of Tag and Digest is set. With both, Digest decides.
	Tag, Digest string
	Origin
}

// Undecided is what looks like an image but does not say which one.
type Undecided struct {
	Origin
	// Value is the text in the chart, Reason what is missing.
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// Origin is where in a chart something was found.
type Origin struct {
	// Chart and Version are those of the chart that was looked at, not of its
	// sub-chart.
	Chart   string `json:"chart"`
	Version string `json:"version"`
	// File is relative to that chart, such as "charts/mariadb/values.yaml". A value
	// that a parent chart sets is reported in the file of the chart that it is for.
	File string `json:"file"`
	// Key is a path of values as `helm --set` takes it in Chart, such as
	// "images.tags.keystone_api", or annotations["NAME"], or "line 12" of a template,
	// or, in what was rendered, KIND/NAME and the path in that manifest.
	Key string `json:"key"`
	// From is "values", "annotation", "template" or "rendered"; "added" is what a person
	// named, without the rest.
	From string `json:"from"`
	// Disabled says that the image is a sub-chart's that the default values leave out.
	Disabled bool `json:"disabled,omitempty"`
	// AppVersionTag says that no tag is given, and the chart's appVersion was taken
	// for it, as charts do by convention.
	AppVersionTag bool `json:"appVersionTag,omitempty"`
}

// Ref is what a client copies: NAME@DIGEST, or NAME:TAG without a digest. Both
// together would be refused by skopeo.
func (i Image) Ref() string {
	if i.Digest != "" {
		return i.Registry + "/" + i.Repository + "@" + i.Digest
	}
	return i.Registry + "/" + i.Repository + ":" + i.Tag
}

func (i Image) sameName(j Image) bool {
	return i.Registry == j.Registry && i.Repository == j.Repository
}

var errNoTag = errors.New("no tag and no digest")

// parseRef reads a reference and normalises it, without an Origin. The error is
// errNoTag where the name alone is there.
func parseRef(text string) (Image, error) {
	if isTemplate(text) {
		return Image{}, errors.New("a template or a variable decides")
	}
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return Image{}, fmt.Errorf("not an image reference: %w", err)
	}
	i := Image{Registry: reference.Domain(named), Repository: reference.Path(named)}
	if t, ok := named.(reference.Tagged); ok {
		i.Tag = t.Tag()
	}
	if d, ok := named.(reference.Digested); ok {
		i.Digest = d.Digest().String()
	}
	switch {
	case i.Registry == "": // the library takes "0.0_0/a" so
		return Image{}, errors.New("not an image reference: what stands before the first / is no host")
	case i.Tag == "" && i.Digest == "":
		return i, errNoTag
	}
	return i, nil
}

// parseWhole is parseRef for texts that Kubernetes gets as they are: to it a name
// alone means the tag latest.
func parseWhole(text string) (Image, error) {
	i, err := parseRef(text)
	if errors.Is(err, errNoTag) {
		i.Tag, err = "latest", nil
	}
	return i, err
}

// Named returns the image that a person names by a reference with a tag or a digest.
func Named(ref string) (Image, error) {
	i, err := parseRef(ref)
	i.From = "added"
	return i, err
}

// Matches reports whether a glob, as path.Match has them, matches the image's name with
// the tag or the digest, or what of it is before a "/", ":" or "@".
func (i Image) Matches(glob string) bool {
	name := i.Registry + "/" + i.Repository
	for at, r := range i.Ref() {
		if strings.ContainsRune("/:@", r) && matches(glob, i.Ref()[:at]) {
			return true
		}
	}
	return matches(glob, i.Ref()) || i.Tag != "" && matches(glob, name+":"+i.Tag)
}

// Matches reports whether a glob matches the value.
func (u Undecided) Matches(glob string) bool { return matches(glob, u.Value) }

func matches(glob, text string) bool {
	ok, err := path.Match(glob, text)
	return err == nil && ok
}

// isTemplate reports whether something else fills in the text later.
func isTemplate(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "${") || strings.Contains(text, "$(")
}

// namesRegistry reports whether a reference begins with a host, by the rule that
// container clients share: the first of several parts has a dot or a port, or is
// localhost.
func namesRegistry(text string) bool {
	first, _, more := strings.Cut(text, "/")
	return more && (strings.ContainsAny(first, ".:") || first == "localhost")
}
