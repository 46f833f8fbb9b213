package page

import (
	"strings"

	"sigs.k8s.io/yaml"
)

// hub is what a chart's annotations for Artifact Hub say
// (https://artifacthub.io/docs/topics/annotations/helm/). What can't be read is left out.
type hub struct {
	License     string
	Prerelease  bool
	Security    bool // it has security fixes
	Changes     []hubChange
	Links       []hubLink
	Screenshots []hubLink
	Key         struct{ Fingerprint, URL string }
}

type hubChange struct {
	Kind, Description string
	Links             []hubLink
}

type hubLink struct{ Name, Title, URL string }

// Text is what is shown of a link.
func (l hubLink) Text() string {
	switch {
	case l.Name != "":
		return l.Name
	case l.Title != "":
		return l.Title
	}
	return l.URL
}

const (
	hubPrefix = "artifacthub.io/"
	// maxHub bounds an annotation that is read, in bytes, and the items of its list.
	maxHub      = 64 << 10
	maxHubItems = 200
)

func readHub(annotations map[string]string) (h hub) {
	read := func(name string, into any) {
		if text := annotations[hubPrefix+name]; text != "" && len(text) <= maxHub {
			_ = yaml.Unmarshal([]byte(text), into) // another's mistake: there is less to show
		}
	}
	h.License = annotations[hubPrefix+"license"]
	h.Prerelease = annotations[hubPrefix+"prerelease"] == "true"
	h.Security = annotations[hubPrefix+"containsSecurityUpdates"] == "true"
	read("links", &h.Links)
	read("screenshots", &h.Screenshots)
	read("signKey", &h.Key)
	var plain []string
	if read("changes", &plain); len(plain) > 0 && strings.Join(plain, "") != "" {
		for _, text := range plain {
			h.Changes = append(h.Changes, hubChange{Description: text})
		}
	} else {
		read("changes", &h.Changes)
	}
	h.Links, h.Screenshots = first(h.Links, maxHubItems), first(h.Screenshots, maxHubItems)
	h.Changes = first(h.Changes, maxHubItems)
	for i := range h.Changes {
		h.Changes[i].Links = first(h.Changes[i].Links, maxHubItems)
	}
	return h
}

func first[T any](list []T, n int) []T { return list[:min(len(list), n)] }
