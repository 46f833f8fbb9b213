package images

import "golang.org/x/sys/unix"

// boundMemory bounds the memory of a process that has begun, and of each that it starts. It counts
// what they can write to (setrlimit(2), RLIMIT_DATA): Go reserves far more addresses than that.
func boundMemory(pid int, most uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: most, Max: most}, nil)
}
