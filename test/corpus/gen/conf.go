package gen

import (
	"fmt"
	"strings"
)

// confBytes is the size of the conf section of a chart of weight 100. It grows
// with the square of the weight: most charts have little configuration, nova and
// neutron have a book of it.
const confBytes = 6300

// conf writes the service's configuration: options in sections, as oslo.config
// has them, policy rules, and for the heaviest charts dashboards in JSON.
func (w *writer) conf(r *source, s spec) {
	w.line(0, "conf:")
	budget := w.Len() + confBytes*s.weight*s.weight/10000
	if s.weight >= 300 && s.kind == "stateful" {
		w.dashboards(r, budget)
	}
	m := configured(r)
	w.line(1, "%s:", underscored(s.name))
	used := map[string]bool{}
	for first := true; first || w.Len() < budget*9/10; first = false {
		w.line(2, "%s:", fresh(used, func() string { return r.words(r.between(1, 2), "_") }))
		w.mapping(r, m, 3, r.between(3, 12), budget)
		if r.n(4) == 0 {
			w.line(3, "multi_valued:\n        type: multistring\n        values:\n          - %s\n          - %s", r.words(3, "."), r.words(3, "."))
		}
	}
	w.line(1, "policy:\n    rules:")
	for first := true; first || w.Len() < budget; first = false {
		w.line(3, "\"%s:%s\": \"rule:%s\"", fresh(used, func() string { return r.words(3, "_") }), r.word(), r.words(2, "_"))
	}
	w.line(0, "")
}

// dashboards fills the section up to two thirds of its budget.
func (w *writer) dashboards(r *source, budget int) {
	start := w.Len()
	for i := 0; w.Len()-start < (budget-start)*2/3; i++ {
		w.line(1, "dashboard_%02d_%s: |-", i, r.word())
		w.line(2, "{\n      \"title\": %q,\n      \"rows\": [", r.words(3, " "))
		for p := range 12 {
			w.line(4, "{\n          \"id\": %d,\n          \"type\": \"graph\",\n          \"datasource\": \"prometheus\",\n          \"title\": %q,\n          \"targets\": [{\"expr\": \"sum(rate(%s[5m]))\", \"legendFormat\": \"%s\", \"intervalFactor\": 2, \"step\": %d}],\n          \"lines\": true,\n          \"linewidth\": 1,\n          \"nullPointMode\": \"null\",\n          \"span\": %d\n        }%s",
				p, r.words(2, " "), r.words(3, "_"), r.word(), r.between(10, 600), r.between(2, 12), strings.Repeat(",", min(1, 11-p)))
		}
		w.line(3, "]\n    }")
	}
}

// fresh makes names until one is new. A YAML map may not hold a key twice.
func fresh(used map[string]bool, make func() string) string {
	for i := 0; ; i++ {
		name := make()
		if i > 20 {
			name = fmt.Sprintf("%s_%d", name, i)
		}
		if !used[name] {
			used[name] = true
			return name
		}
	}
}
