package images

import "strings"

// enable marks the sub-charts that tags and conditions leave out by default, and
// all below them. A condition wins over tags, the first that names a boolean
// counts (processDependencyTags, processDependencyConditions in Helm's
// pkg/chart/v2/util/dependencies.go). tags are those that n's parents set.
func (n *node) enable(tags table) {
	if n.chart == nil {
		return
	}
	set := clone(tags).(table)
	if own, ok := n.values["tags"].(table); ok {
		merge(set, own)
	}
	for i, sub := range n.subs {
		sub.disabled = n.disabled
		if deps := n.chart.Metadata.Dependencies; i < len(deps) { // in their order
			sub.disabled = sub.disabled || !n.enabled(deps[i].Condition, deps[i].Tags, set)
		}
		sub.enable(set)
	}
}

func (n *node) enabled(condition string, words []string, tags table) bool {
	for path := range strings.SplitSeq(strings.TrimSpace(condition), ",") {
		if on, ok := lookup(n.values, path).(bool); ok && path != "" {
			return on
		}
	}
	off := false
	for _, word := range words {
		on, ok := tags[word].(bool)
		if on {
			return true
		}
		off = off || ok
	}
	return !off
}
