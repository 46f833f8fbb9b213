package report

import "fmt"

// Unit is what samples count.
type Unit string

// The units of comparisons. Of requests per second more is better, of the others
// less.
const (
	Seconds   Unit = "s"
	Megabytes Unit = "MB"
	PerSecond Unit = "/s"
)

// Goal is how a comparison's target is meant.
type Goal string

const (
	// Times is "at least Target times better than the peer".
	Times Goal = "times"
	// Bound is "at most Target times the peer".
	Bound Goal = "bound"
	// Limit is "at most Target of the unit": no other program does the work.
	Limit Goal = "limit"
	// Context is a comparison without a target: it is there to be read.
	Context Goal = ""
)

// Comparison is one line of the table: chartserve against one peer at one work.
type Comparison struct {
	// Row is the row's name in the table of targets, 1 to 16; Work is what was done.
	Row, Work string
	// Peer names the other program.
	Peer string
	Unit Unit
	// Ours and Theirs are the samples, in the order in which they were taken: the
	// i-th of both belong to one round.
	Ours, Theirs Series
	Goal         Goal
	Target       float64
	// Missing is why there is no figure; empty when there is one.
	Missing string
}

// AtLeast is c with the goal to be that many times better than the peer.
func (c Comparison) AtLeast(times float64) Comparison {
	c.Goal, c.Target = Times, times
	return c
}

// AtMost is c with the goal to cost no more than that many times the peer.
func (c Comparison) AtMost(times float64) Comparison {
	c.Goal, c.Target = Bound, times
	return c
}

// Within is c with the goal to take no more than that of the unit. It has no peer.
func (c Comparison) Within(most float64) Comparison {
	c.Goal, c.Target = Limit, most
	return c
}

// Ratio is the ratio of the medians with the lowest and the highest that any one
// round had: how many times better than the peer we are, and for a Bound how many
// times the peer's cost ours is.
func (c Comparison) Ratio() Spread {
	if len(c.Ours) == 0 || len(c.Theirs) == 0 {
		return Spread{}
	}
	s := Spread{Median: c.ratio(c.Ours.Spread().Median, c.Theirs.Spread().Median)}
	var rounds Series
	for i := range min(len(c.Ours), len(c.Theirs)) {
		rounds = append(rounds, c.ratio(c.Ours[i], c.Theirs[i]))
	}
	r := rounds.Spread()
	s.Low, s.High = r.Low, r.High
	return s
}

func (c Comparison) ratio(ours, theirs float64) float64 {
	if c.Unit == PerSecond || c.Goal == Bound {
		return ours / theirs
	}
	return theirs / ours
}

// Met reports whether the target is reached. It is true without a target, and
// without a figure.
func (c Comparison) Met() bool {
	switch {
	case c.Missing != "":
		return true
	case c.Goal == Times:
		return c.Ratio().Median >= c.Target
	case c.Goal == Bound:
		return c.Ratio().Median <= c.Target
	case c.Goal == Limit:
		return c.Ours.Spread().Median <= c.Target
	}
	return true
}

// Verdict is one word for the table, or why there is no figure.
func (c Comparison) Verdict() string {
	switch {
	case c.Missing != "":
		return "not measured: " + c.Missing
	case c.Goal == Context:
		return ""
	case c.Met():
		return "met"
	}
	return "**falls short**"
}

// Aim is the target as the table shows it.
func (c Comparison) Aim() string {
	switch c.Goal {
	case Times:
		return "≥ " + times(c.Target)
	case Bound:
		return "≤ " + times(c.Target)
	case Limit:
		return "≤ " + Amount(c.Target, c.Unit)
	}
	return ""
}

// Shown is the ratio with its spread as the table shows it.
func (c Comparison) Shown() string {
	if c.Missing != "" || c.Goal == Limit {
		return ""
	}
	r := c.Ratio()
	if r.Low == r.High {
		return times(r.Median)
	}
	return fmt.Sprintf("%s (%s to %s)", times(r.Median), times(r.Low), times(r.High))
}

// times is a ratio with as many digits as it deserves.
func times(x float64) string { return digits(x) + "×" }
