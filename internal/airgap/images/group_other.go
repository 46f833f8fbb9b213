//go:build !unix

package images

import "os/exec"

// endTogether leaves cmd as it is.
func endTogether(*exec.Cmd) {}
