//go:build !race

package markup

const share = 1
