//go:build race

package bundle

// step is how many bytes the tests of every byte go on: what they look for is no
// race, and under its detector they take minutes.
const step = 11
