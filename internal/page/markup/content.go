package markup

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// IsText reports whether data, the beginning of a file or all of it, is text that can be
// shown: UTF-8 but for a rune that is cut at its end, without NUL.
func IsText(data []byte) bool {
	data = data[:min(len(data), 8<<10)]
	if bytes.IndexByte(data, 0) >= 0 {
		return false
	}
	for cut := range utf8.UTFMax {
		if end := len(data) - cut; end >= 0 && utf8.Valid(data[:end]) {
			return cut == 0 || !utf8.FullRune(data[end:])
		}
	}
	return false
}

// Picture returns the content type of a picture that a browser shows: PNG, JPEG, GIF,
// WebP, by what data begins with, or SVG, by name and root element. An SVG file may hold
// scripts, which run where it is a page of its own, and do not in an img element.
func Picture(name string, data []byte) (contentType string, ok bool) {
	switch contentType = http.DetectContentType(data); contentType {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return contentType, true
	}
	if strings.EqualFold(path.Ext(name), ".svg") && isSVG(data) {
		return "image/svg+xml", true
	}
	return "", false
}

func isSVG(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		tok, err := d.RawToken()
		if err != nil {
			return false
		}
		if start, ok := tok.(xml.StartElement); ok {
			return start.Name.Local == "svg"
		}
	}
}
