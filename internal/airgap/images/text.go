package images

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
)

// text judges a single value by its key. Names of keys are a convention, so the
// value must be plain too:
//
//   - "image" and "imageName" hold an image. Without a tag it is undecided; what
//     can't be one, such as a path or a URL, is passed over.
//   - "...Image", "...ImageName", the entries of a map "images" and of a list "...Images" hold one
//     where the value has a tag or a digest; without a slash it is undecided unless
//     the tag looks like a version (busybox:1.36). A name with a slash but no tag is
//     undecided. A bare word (backgroundImage: dark) and the checks of OpenStack's
//     policies (delete_image: rule:owner) are passed over.
//   - "...Containers" and "...Sidecars" may be YAML as text: its image lines count.
func (s *search) text(p place, value string) {
	value = strings.TrimSpace(value)
	switch {
	case isContainers(p.key):
		s.block(p, value)
	case isExact(p.key):
		s.exact(p, value)
	case isLoose(p):
		s.loose(p, value)
	}
}

func isExact(key string) bool {
	return slices.Contains([]string{"image", "imagename", "image_name", "image-name"}, key)
}

func isLoose(p place) bool {
	if slices.ContainsFunc([]string{"registry", "repository", "policy", "secret"}, func(word string) bool {
		return strings.Contains(p.key, word)
	}) {
		return false
	}
	return isImage(p.key) || strings.HasSuffix(p.key, "imagename") || strings.HasSuffix(p.key, "images") || strings.HasSuffix(p.parent, "images")
}

func (s *search) exact(p place, value string) {
	if !isTemplate(value) && (!plausible(value) || isDisk(value)) {
		return
	}
	i, err := parseRef(value)
	if err != nil {
		s.doubt(p.path, value, err.Error())
		return
	}
	s.add(p.path, i)
}

func (s *search) loose(p place, value string) {
	if isTemplate(value) {
		s.doubt(p.path, value, "a template or a variable decides")
		return
	}
	if !plausible(value) || isPicture(value) {
		return
	}
	i, err := parseRef(value)
	switch bare := !strings.Contains(value, "/"); {
	case bare && (strings.HasPrefix(value, "rule:") || strings.HasPrefix(value, "role:")):
	case err == nil && bare && i.Tag != "latest" && i.Digest == "" && !strings.ContainsAny(i.Tag, "0123456789"):
		s.doubt(p.path, value, "perhaps not an image: the tag does not look like a version")
	case err == nil:
		s.add(p.path, i)
	case namesRegistry(value), errors.Is(err, errNoTag) && strings.Contains(value, "/"):
		s.doubt(p.path, value, err.Error())
	}
}

// argument looks at an argument of a program. One about an image, such as
// --solver-image=NAME:TAG, or NAME:TAG behind --image, names one.
func (s *search) argument(path, value string, before any) {
	flag, text, ok := strings.Cut(value, "=")
	if !ok {
		flag, _ = before.(string)
		text = value
	}
	if !strings.HasPrefix(text, "-") {
		s.passed(path, flag, text)
	}
}

// passed looks at a text that is passed to a program under a name. Where that is about an
// image, a name of several parts with a tag or a digest is one; elsewhere perhaps.
func (s *search) passed(path, name, value string) {
	i, err := parseRef(value)
	switch {
	case !strings.Contains(strings.ToLower(name), "image"):
		if err == nil && namesRegistry(value) {
			s.doubt(path, value, "perhaps an image: it looks like one, and a program is passed it")
		}
	case !isTemplate(value) && (!plausible(value) || isDisk(value)):
	case err == nil && !strings.Contains(value, "/"):
		s.doubt(path, value, "perhaps an image: a program is passed it")
	case err == nil:
		s.add(path, i)
	case strings.ContainsAny(value, "/:{$"):
		s.doubt(path, value, err.Error())
	}
}

// block reads containers that a value holds as text.
func (s *search) block(p place, value string) {
	for line := range strings.Lines(value) {
		line = strings.TrimLeft(strings.TrimSpace(line), "- ")
		if image, ok := strings.CutPrefix(line, "image:"); ok {
			s.whole(p.path, strings.Trim(strings.TrimSpace(image), `"'`))
		}
	}
}

// plausible reports whether a text could be the name of an image at all: not nothing,
// not prose, a URL, a path or an address of git.
func plausible(value string) bool {
	return value != "" && !strings.ContainsAny(value, " \t\n") && !strings.Contains(value, "://") &&
		!strings.HasPrefix(value, "/") && !strings.HasPrefix(value, ".") &&
		!strings.HasPrefix(value, "git@") && !strings.HasSuffix(value, ".git")
}

// isPicture reports whether a file is an image of another kind: a picture, or a disk.
func isPicture(value string) bool {
	ext := strings.ToLower(path.Ext(value))
	return slices.Contains([]string{
		".png", ".svg", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".iso", ".img", ".qcow2", ".raw", ".vmdk", ".vhd", ".ova",
	}, ext)
}

// isDisk reports whether a value is an image that OpenStack knows: a file, an ID, a name
// such as cirros-0.3.4-x86_64-uec, or the path of a service's images.
func isDisk(value string) bool {
	if strings.Contains(value, "x86_64") && !strings.ContainsAny(value, "/:") {
		return true
	}
	isID := func() bool {
		return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(value)
	}
	return isPicture(value) || len(value) == len("00000000-0000-0000-0000-000000000000") && isID() || path.Base(value) == "image" && value != "image"
}
