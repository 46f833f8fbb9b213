package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadHub(t *testing.T) {
	link := hubLink{Name: "issue", URL: "https://h/1"}
	for name, tt := range map[string]struct {
		annotations map[string]string
		want        hub
	}{
		"none":            {nil, hub{}},
		"facts":           {map[string]string{"license": "Apache-2.0", "prerelease": "true", "containsSecurityUpdates": "true"}, hub{License: "Apache-2.0", Prerelease: true, Security: true}},
		"other words":     {map[string]string{"prerelease": "yes", "containsSecurityUpdates": "1"}, hub{}},
		"plain changes":   {map[string]string{"changes": "- first\n- second\n"}, hub{Changes: []hubChange{{Description: "first"}, {Description: "second"}}}},
		"changes":         {map[string]string{"changes": "- kind: fixed\n  description: it\n  links: [{name: issue, url: https://h/1}]\n"}, hub{Changes: []hubChange{{"fixed", "it", []hubLink{link}}}}},
		"links":           {map[string]string{"links": "- {name: issue, url: 'https://h/1'}"}, hub{Links: []hubLink{link}}},
		"not YAML":        {map[string]string{"links": "{", "changes": "a: b: c"}, hub{}},
		"another type":    {map[string]string{"links": "1", "changes": "{a: 1}", "signKey": "[1]"}, hub{}},
		"nothing in it":   {map[string]string{"changes": "[null]"}, hub{Changes: []hubChange{{}}}},
		"too large":       {map[string]string{"changes": "- " + strings.Repeat("x", maxHub)}, hub{}},
		"aliases unfold?": {map[string]string{"links": "- &a {name: issue, url: 'https://h/1'}\n- *a"}, hub{Links: []hubLink{link, link}}},
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]string{}
			for k, v := range tt.annotations {
				all[hubPrefix+k] = v
			}
			if diff := cmp.Diff(tt.want, readHub(all)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := readHub(map[string]string{hubPrefix + "changes": strings.Repeat("- x\n", 1000)}); len(got.Changes) != maxHubItems {
		t.Errorf("%d changes", len(got.Changes))
	}
}
