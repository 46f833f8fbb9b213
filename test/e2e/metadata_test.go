package e2e

import (
	"path/filepath"
	"testing"
)

// metadataCases are Chart.yaml files, good and bad. Which is which, helm4 says.
var metadataCases = map[string]string{
	"plain v1":                 "apiVersion: v1\nname: t\nversion: 1.0.0\n",
	"plain v2":                 "apiVersion: v2\nname: t\nversion: 1.0.0\n",
	"no name":                  "apiVersion: v2\nversion: 1.0.0\n",
	"no version":               "apiVersion: v2\nname: t\n",
	"empty":                    "",
	"only a comment":           "# nothing\n",
	"a list":                   "- name: t\n",
	"a scalar":                 "t\n",
	"four numbers":             "apiVersion: v2\nname: t\nversion: 1.2.3.4\n",
	"leading zero, prerelease": "apiVersion: v2\nname: t\nversion: 1.2.3-049.abc\n",
	"trailing space, quoted":   "apiVersion: v2\nname: t\nversion: \"1.2.3 \"\n",
	"trailing space, plain":    "apiVersion: v2\nname: t\nversion: 1.2.3 \n",
	"not a version":            "apiVersion: v2\nname: t\nversion: latest\n",
	"name out of the folder":   "apiVersion: v2\nname: ../t\nversion: 1.0.0\n",
	"name with a slash":        "apiVersion: v2\nname: a/t\nversion: 1.0.0\n",
	"not UTF-8":                "apiVersion: v2\nname: t\nversion: 1.0.0\ndescription: \xff\xfe\n",
	"tab indent":               "apiVersion: v2\nname: t\nversion: 1.0.0\nmaintainers:\n\t- name: x\n",
	"bad type":                 "apiVersion: v2\nname: t\nversion: 1.0.0\ntype: service\n",
	"library type":             "apiVersion: v2\nname: t\nversion: 1.0.0\ntype: library\n",
	"null maintainer":          "apiVersion: v2\nname: t\nversion: 1.0.0\nmaintainers:\n  -\n",
	"annotation is a number":   "apiVersion: v2\nname: t\nversion: 1.0.0\nannotations:\n  n: 1\n",
	"annotation is a map":      "apiVersion: v2\nname: t\nversion: 1.0.0\nannotations:\n  n:\n    m: x\n",
	"apiVersion v3":            "apiVersion: v3\nname: t\nversion: 1.0.0\n",
	"no apiVersion":            "name: t\nversion: 1.0.0\n",
	"v prefix":                 "apiVersion: v2\nname: t\nversion: v1.2.3\n",
	"leading zero":             "apiVersion: v2\nname: t\nversion: 01.2.3\n",
	"two numbers":              "apiVersion: v2\nname: t\nversion: 1.20\n",
	"exponent":                 "apiVersion: v2\nname: t\nversion: 1e3\n",
	"one number":               "apiVersion: v2\nname: t\nversion: 1\n",
	"quoted two numbers":       "apiVersion: v2\nname: t\nversion: \"1.20\"\n",
	"appVersion is a number":   "apiVersion: v2\nname: t\nversion: 1.0.0\nappVersion: 1.10\n",
	"name is a boolean":        "apiVersion: v2\nname: yes\nversion: 1.0.0\n",
	"duplicate keys":           "apiVersion: v2\nname: t\nversion: 1.0.0\nversion: 2.0.0\n",
	"header and footer":        "---\napiVersion: v2\nname: t\nversion: 1.0.0\n...\n",
	"comment above the header": "# c\n\n---\napiVersion: v2\nname: t\nversion: 1.0.0\n...\n",
	"a second document":        "apiVersion: v2\nname: t\nversion: 1.0.0\n---\nname: u\nversion: 2.0.0\n",
	"BOM with CRLF":            "\ufeffapiVersion: v2\r\nname: t\r\nversion: 1.0.0\r\n",
	"no final newline":         "apiVersion: v2\nname: t\nversion: 1.0.0",
	"other name than folder":   "apiVersion: v2\nname: other\nversion: 1.0.0\n",
	"unknown field":            "apiVersion: v2\nname: t\nversion: 1.0.0\nengine: gotpl\nx-mine: 1\n",
	"build metadata":           "apiVersion: v2\nname: t\nversion: 1.0.0+abc.1\n",
	"prerelease and build":     "apiVersion: v2\nname: t\nversion: 1.0.0-rc.1+abc\n",
	"keywords are a string":    "apiVersion: v2\nname: t\nversion: 1.0.0\nkeywords: a\n",
	"deprecated is a string":   "apiVersion: v2\nname: t\nversion: 1.0.0\ndeprecated: \"yes\"\n",
	"name is null":             "apiVersion: v2\nname: null\nversion: 1.0.0\n",
	"anchors":                  "apiVersion: v2\nname: &n t\nversion: 1.0.0\ndescription: *n\n",
	"merge key":                "apiVersion: v2\nname: t\nversion: 1.0.0\nannotations:\n  <<: {a: b}\n",
	"folded description":       "apiVersion: v2\nname: t\nversion: 1.0.0\ndescription: >\n  two\n  lines\n",
	"null dependency":          "apiVersion: v2\nname: t\nversion: 1.0.0\ndependencies:\n  -\n",
	"space in the name":        "apiVersion: v2\nname: \"a b\"\nversion: 1.0.0\n",
	"capitals in the name":     "apiVersion: v2\nname: T_x.y\nversion: 1.0.0\n",
	"key in other case":        "apiVersion: v2\nName: t\nversion: 1.0.0\n",
}

// TestMetadata: chartserve packages a Chart.yaml if, and only if, helm4 does, and
// what it packages reads the same to Helm.
func TestMetadata(t *testing.T) {
	for name, yaml := range metadataCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files{"Chart.yaml": yaml}.write(t, filepath.Join(t.TempDir(), "t"))
			compare(t, dir, asHelm)
		})
	}
}
