package page

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"chartserve/internal/repo"
)

// Colours of badges, on which white text has a contrast of 4.5:1 and more.
const (
	badgeName = "#4a5058"
	badgeBlue = "#0b5cad"
	badgeGood = "#1a6b35"
	badgeOld  = "#7a5000"
	badgeGrey = "#6b7280"
)

// maxBadge bounds the letters of each half of a badge.
const maxBadge = 48

// Badge is a picture, in SVG, of a chart's name beside its newest version.
func Badge(c *repo.Chart) []byte {
	e := c.Versions[0].Entry
	if e.Deprecated {
		return badge(c.Name, e.Version+" deprecated", badgeOld)
	}
	return badge(c.Name, e.Version, badgeBlue)
}

// SignedBadge is that of whether v serves a provenance of the newest version.
func SignedBadge(v *repo.View, c *repo.Chart) []byte {
	if _, signed := v.File(c.Versions[0].Archive.Name + ".prov"); signed {
		return badge(c.Name, "signed", badgeGood)
	}
	return badge(c.Name, "not signed", badgeGrey)
}

// badge has label on the left and value on the right, on colour. Browsers fit the texts into
// the widths that are estimated here, whatever font they have.
func badge(label, value, colour string) []byte {
	name := escape(label + ": " + value)
	label, value = shorten(label), shorten(value)
	left, right := textWidth(label), textWidth(value)
	const pad, height = 6, 20
	split, whole := left+2*pad, left+right+4*pad
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img" aria-label="%s">
<title>%s</title>
<clipPath id="c"><rect width="%d" height="%d" rx="3"/></clipPath>
<g clip-path="url(#c)"><rect width="%d" height="%d" fill="%s"/><rect x="%d" width="%d" height="%d" fill="%s"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>
<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>
</g>
</svg>
`, whole, height, name, name, whole, height, split, height, badgeName, split, whole-split, height, colour,
		pad, left, escape(label), split+pad, right, escape(value))
}

// shorten bounds a text.
func shorten(s string) string {
	if letters := []rune(s); len(letters) > maxBadge {
		return string(letters[:maxBadge-1]) + "…"
	}
	return s
}

// textWidth estimates the width of a text in Verdana of 11 pixels.
func textWidth(s string) int {
	tenths := 0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljI.,:;|!'", r):
			tenths += 40
		case strings.ContainsRune("frt-()[]/ ", r):
			tenths += 47
		case strings.ContainsRune("mwMW%@", r):
			tenths += 105
		case 'A' <= r && r <= 'Z', r == '+':
			tenths += 82
		case r < utf8.RuneSelf:
			tenths += 68
		default:
			tenths += 110
		}
	}
	return (tenths + 9) / 10
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
