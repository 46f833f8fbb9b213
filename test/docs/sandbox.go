//go:build linux

package docs

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// sandboxVariable has the root directory of the sandbox that this program is to enter.
const sandboxVariable = "CHARTSERVE_DOCS_SANDBOX"

// Machine is what a sandbox has of the machine.
type Machine struct {
	Mounts []Mount // in the order in which they are made
}

// Mount is a directory or file of the machine, and its place in the sandbox.
type Mount struct {
	From, At string
	ReadOnly bool
}

// command returns a command that runs bash in a sandbox whose root directory is root: with processes, a
// network and mounts of its own. The test program is started once more for it, see [Enter].
func (m Machine) command(root string, env []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(env, sandboxVariable+"="+root)
	for _, mount := range m.Mounts {
		cmd.Args = append(cmd.Args, strconv.FormatBool(mount.ReadOnly), mount.From, mount.At)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd, nil
}

// Enter never returns if this process was started to become a sandbox's shell. It has to be
// called before anything else.
func Enter() {
	root := os.Getenv(sandboxVariable)
	if root == "" {
		return
	}
	os.Unsetenv(sandboxVariable)
	err := enter(root, os.Args[1:])
	if err == nil {
		err = syscall.Exec("/bin/bash", []string{"bash", "--noprofile", "--norc"}, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	os.Exit(126)
}

// enter makes root the root directory, with mounts, each whether it is read-only, what and where.
func enter(root string, mounts []string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := errors.Join(memory(root), programs(root)); err != nil {
		return err
	}
	for ; len(mounts) >= 3; mounts = mounts[3:] {
		if err := bind(mounts[1], filepath.Join(root, mounts[2]), mounts[0] == "true"); err != nil {
			return fmt.Errorf("%s: %w", mounts[2], err)
		}
	}
	if err := unix.Mount("proc", filepath.Join(root, "proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	if err := errors.Join(address("lo", "127.0.0.1"), address("lo:1", "192.0.2.10")); err != nil {
		return err
	}
	if err := unix.Chroot(root); err != nil {
		return err
	}
	return os.Chdir("/root")
}

// memory mounts the directories in which pages write most: in memory that is fast on every machine.
func memory(root string) error {
	for _, dir := range []string{"root", "tmp", "srv", "src", "var", "usr"} {
		dir = filepath.Join(root, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("memory", dir, "tmpfs", 0, ""); err != nil {
			return err
		}
	}
	return errors.Join(os.Mkdir(filepath.Join(root, "var/tmp"), 0o755), os.Mkdir(filepath.Join(root, "var/log"), 0o755))
}

// programs gives the sandbox a /usr with what the machine has there. Pages may install into /usr/bin, so
// that this is a directory of links.
func programs(root string) error {
	entries, err := os.ReadDir("/usr")
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, at := filepath.Join("/usr", e.Name()), filepath.Join(root, "usr", e.Name())
		switch {
		case e.Name() == "bin":
			at = filepath.Join(root, "opt", "usr", "bin")
		case !e.IsDir() || e.Name() == "local":
			continue
		}
		if err := bind(from, at, true); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
	}
	links := filepath.Join(root, "usr", "bin")
	if err := os.Mkdir(links, 0o755); err != nil {
		return err
	}
	if entries, err = os.ReadDir("/usr/bin"); err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Symlink("/opt/usr/bin/"+e.Name(), filepath.Join(links, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func bind(dir, at string, readOnly bool) error {
	if err := place(dir, at); err != nil {
		return err
	}
	if err := unix.Mount(dir, at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil || !readOnly {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(at, &fs); err != nil {
		return err
	}
	// In a user namespace these flags may not be taken from a mount.
	kept := uintptr(fs.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	return unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|kept, "")
}

// place makes the directory or the empty file that something is mounted on.
func place(from, at string) error {
	if info, err := os.Stat(from); err != nil || info.IsDir() {
		return errors.Join(err, os.MkdirAll(at, 0o755))
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.WriteFile(at, nil, 0o755)
}

// address gives the loopback interface an address and switches it on.
func address(name, ip string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	ip4 := netip.MustParseAddr(ip).As4()
	if err := ifr.SetInet4Addr(ip4[:]); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCSIFADDR, ifr); err != nil {
		return fmt.Errorf("%s %s: %w", name, ip, err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}
