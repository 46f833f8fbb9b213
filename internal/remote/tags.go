package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
)

// Tags are the versions of the chart at oci://host[:port]/path/chart, newest
// first. What a tag has as "_" is "+" in a version; tags that are no versions, such
// as latest, are left out.
func (c *Client) Tags(ctx context.Context, address string) ([]string, error) {
	r, err := c.registryAt(address)
	if err != nil {
		return nil, err
	}
	versions, err := c.tags(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("tags of %s: %w", r, err)
	}
	return versions, nil
}

func (c *Client) tags(ctx context.Context, r *registryRepository) ([]string, error) {
	var versions []string
	at := r.at("tags", "list")
	for range maxTagPages {
		a, err := c.get(ctx, request{address: at, registry: r, limit: maxManifest})
		if err != nil {
			return nil, err
		}
		var page struct {
			Tags []string `json:"tags"`
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			return nil, fmt.Errorf("GET %s: not a list of tags: %w", at, err)
		}
		for _, tag := range page.Tags {
			if v := strings.ReplaceAll(tag, "_", "+"); isVersion(v) {
				versions = append(versions, v)
			}
		}
		if len(versions) > maxTags {
			break
		}
		next, more := nextPage(at.url, a.link)
		if !more {
			slices.SortFunc(versions, func(a, b string) int { return chart.CompareVersions(b, a) })
			return slices.Compact(versions), nil
		}
		at.url = next
	}
	return nil, &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("more than the %d tags, or the %d pages of them, that are read", maxTags, maxTagPages)}
}

// isVersion tells versions from tags such as "1.2", which move.
func isVersion(s string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	return err == nil
}

// nextPage is where a list goes on (RFC 8288, in the one form that registries
// use). A list that goes on at another host ends.
func nextPage(at *url.URL, link string) (*url.URL, bool) {
	ref, found := strings.CutPrefix(strings.TrimSpace(link), "<")
	ref, params, closed := strings.Cut(ref, ">")
	if !found || !closed || !strings.Contains(params, "next") {
		return nil, false
	}
	next, err := at.Parse(ref)
	if err != nil || !sameOrigin(next, at) || next.User != nil || next.String() == at.String() {
		return nil, false
	}
	return next, true
}
