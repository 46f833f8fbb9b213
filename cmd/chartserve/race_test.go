//go:build race

package main

// raceDetector tells that memory can't be measured and everything is slow.
const raceDetector = true
