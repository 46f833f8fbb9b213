package chart

import (
	"strings"
	"testing"

	yamlv2 "go.yaml.in/yaml/v2"
)

// countNodes counts the nodes of a decoded document; of keys that are there twice
// one is lost.
func countNodes(doc any) int {
	n := 1
	switch doc := doc.(type) {
	case []any:
		for _, v := range doc {
			n += countNodes(v)
		}
	case map[any]any:
		for k, v := range doc {
			n += countNodes(k) + countNodes(v)
		}
	}
	return n
}

var nodesSeeds = []string{
	"", "a", "a: b", "a:\n- b\n- c: d\n  e: [f, {g: h}]\n", "- - - a\n", "? a\n? b\n", "{a,a,a}", "{? a, ? b: c}", "[[],[]]", "[{},{}]",
	"\"a\":1", "{\"a\":1,\"b\":[\"c\"]}", "a: |\n  x, y: z\nb: >\n  t\n", "a: \"x\\\n  y\"\n", "a:\r- b\r- c\r", "---\n- a\n---\n- b\n", "!!str a: !!map {}\n",
	"- \u2028- a", "-\ta", "a: -", "[a: b, c: d]", "'a''b': c", "a\u0085- b",
}

func TestNodes(t *testing.T) {
	for _, in := range nodesSeeds {
		nodesBound(t, []byte(in))
	}
	if got := Nodes([]byte("{" + strings.Repeat("a,", 1000) + "}")); got != 1002 {
		t.Errorf("%d nodes in a list of 1000", got)
	}
}

// nodesBound holds for any text: what the parser makes of it is within the bound.
func nodesBound(t *testing.T, data []byte) {
	t.Helper()
	if strings.Contains(string(data), "*") {
		return
	}
	var doc any
	if yamlv2.Unmarshal(data, &doc) != nil {
		return
	}
	// A value that is missing is a node without a text of its own.
	if got, limit := countNodes(doc), 2*Nodes(data); got > limit {
		t.Errorf("%d nodes in %q, more than %d", got, data, limit)
	}
}

func FuzzNodes(f *testing.F) {
	for _, in := range nodesSeeds {
		f.Add([]byte(in))
	}
	f.Fuzz(nodesBound)
}
