package pkgr

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"chartserve/internal/chart"
)

// maxLinks is how many links one path may lead through, as in Linux.
const maxLinks = 40

// resolve follows the symbolic link at rel to its target and returns the
// path of that, free of links and below the root. Helm follows links anywhere
// (internal/sympath/walk.go), so that a chart can carry /etc/passwd away; here
// the target must lie below the root, however it is spelled. Each directory that
// the answer depends on is watched before it is looked into.
func (w *walker) resolve(name, rel string) (string, fs.FileInfo, error) {
	r := linkResolver{w: w, name: name, at: path.Dir(rel), todo: []string{path.Base(rel)}}
	for len(r.todo) > 0 {
		part := r.todo[0]
		r.todo = r.todo[1:]
		if err := r.step(part); err != nil {
			return "", nil, err
		}
	}
	if r.fi != nil {
		return r.at, r.fi, nil
	}
	fi, err := w.fs.Lstat(r.at)
	if err != nil {
		return "", nil, cannotRead(name, err)
	}
	return r.at, fi, nil
}

// linkResolver walks one path, a part at a time.
type linkResolver struct {
	w     *walker
	name  string      // of the link in the chart, for messages
	at    string      // where we are, free of links
	fi    fs.FileInfo // of at; nil when it is a directory that was not looked at
	todo  []string    // the parts ahead
	links int
}

func (r *linkResolver) step(part string) error {
	switch part {
	case "", ".":
		return nil
	case "..":
		if r.at == "." {
			// Above the root, perhaps to come back into it.
			return r.outside(r.w.fs.dir + "/..")
		}
		r.at, r.fi = path.Dir(r.at), nil
		return nil
	}
	if r.fi != nil && !r.fi.IsDir() {
		return r.broken("not a directory")
	}
	next := join(r.at, part)
	fi, err := r.w.fs.Lstat(next)
	if err != nil {
		// Watch first, then look: what is missing may come at any moment.
		r.w.watch(r.at)
		if fi, err = r.w.fs.Lstat(next); vanished(err) {
			return r.broken("its target is missing")
		}
		if err != nil {
			return cannotRead(r.name, err)
		}
	}
	if fi.Mode()&fs.ModeSymlink == 0 {
		r.at, r.fi = next, fi
		if len(r.todo) == 0 && !fi.IsDir() {
			return r.watched()
		}
		return nil
	}
	if r.links++; r.links > maxLinks {
		return linkLoop(r.name)
	}
	r.w.watch(r.at)
	target, err := r.w.fs.Readlink(next)
	if err != nil {
		return cannotRead(r.name, err)
	}
	r.fi = nil
	if filepath.IsAbs(target) {
		return r.jump(target)
	}
	r.todo = append(strings.Split(filepath.ToSlash(target), "/"), r.todo...)
	return nil
}

// watched watches the directory of the file that the way ended at, and looks at
// the file again after that.
func (r *linkResolver) watched() error {
	r.w.watch(path.Dir(r.at))
	fi, err := r.w.fs.Lstat(r.at)
	if err != nil || fi.Mode()&fs.ModeSymlink != 0 {
		return r.broken("its target changed meanwhile")
	}
	r.fi = fi
	return nil
}

// jump goes on at an absolute path, which has to lead below the root.
func (r *linkResolver) jump(target string) error {
	if rest, ok := below(r.w.fs.dir, target); ok {
		r.at, r.fi = ".", nil
		r.todo = append(strings.Split(filepath.ToSlash(rest), "/"), r.todo...)
		return nil
	}
	return r.outside(target)
}

// outside goes on at a path that is not below the root as it is spelled. It may
// still come there, through links above the root or "..".
func (r *linkResolver) outside(target string) error {
	// Not filepath.Join: that cancels ".." against names that may be links.
	if len(r.todo) > 0 {
		target += "/" + strings.Join(r.todo, "/")
	}
	resolved, err := filepath.EvalSymlinks(target)
	if err == nil {
		if rest, ok := below(r.w.fs.dir, resolved); ok {
			r.at, r.fi, r.todo = ".", nil, strings.Split(filepath.ToSlash(rest), "/")
			return nil
		}
	}
	return &chart.Error{
		Kind: chart.ErrUnsafe, File: r.name, Value: target,
		Reason: "a symbolic link that leads out of the source directory",
		Remedy: "copy the file into the chart, or leave the link out with .helmignore",
	}
}

func (r *linkResolver) broken(reason string) error {
	return chart.Refuse(chart.ErrFile, r.name, "a broken symbolic link: "+reason, "mend or remove the link, or leave it out with .helmignore")
}

func linkLoop(name string) error {
	return chart.Refuse(chart.ErrFile, name, "a symbolic link that leads back to itself or to a directory that holds it",
		"remove the link, or leave it out with .helmignore")
}

// below reports whether target lies in dir, and where. Neither is cleaned: what
// follows dir may hold "..", which the caller must walk.
func below(dir, target string) (string, bool) {
	if target == dir {
		return ".", true
	}
	if dir != string(filepath.Separator) {
		dir += string(filepath.Separator)
	}
	return strings.CutPrefix(target, dir)
}
