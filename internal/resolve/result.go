package resolve

import "crypto/sha256"

// Result says what charts are built from.
type Result struct {
	// Nodes holds each chart that was asked for, and each that those are built from.
	Nodes map[*Chart]*Node
	// Dirs are the directories that file:// paths lead to and Input does not know.
	// Charts that need them fail until it does.
	Dirs []string
	// Names are the chart names that were looked for in this repository.
	Names []string
	// Wants are the dependencies on other repositories; Input.Fetched may have them.
	Wants []Want
}

// Node is a chart with what its dependencies were resolved to.
type Node struct {
	Chart *Chart
	// Subs are sorted by name and version.
	Subs []Sub
	// Ingredients are what Chart depends on, in the order of its dependencies, and what only
	// charts/ has after them. A chart that has an error of its own has none.
	Ingredients []Ingredient
	// Key identifies everything that goes into the archive, but for what is added
	// when it is made (version, timestamp).
	Key [32]byte
	// Bare says that the chart's lock is left out: it records what Helm would have
	// downloaded, which is not what goes in when a dependency is built from its
	// source; and it holds the time of writing.
	Bare bool
	// Err is why the chart can't be built.
	Err error
	// Waiting says that Err is only that downloads have not ended yet.
	Waiting bool
	// Warnings are of the chart's dependencies, for its author.
	Warnings []string

	done  bool
	cycle *cycleError // in Err, or in the error of a chart that Err comes from
}

// Sub is one sub-chart: built from Node, read from Archive, or, where both are nil,
// the chart's Vendored with that index.
type Sub struct {
	Name, Version string
	Key           [32]byte
	Node          *Node
	Archive       *Archive
	Vendored      int
}

// keyOf identifies the chart's content with all that goes into it.
func keyOf(n *Node) [32]byte {
	h := sha256.New()
	if n.Bare {
		h.Write(n.Chart.BareKey[:])
	} else {
		h.Write(n.Chart.Key[:])
	}
	for _, s := range n.Subs {
		h.Write(s.Key[:])
	}
	return [32]byte(h.Sum(nil))
}
