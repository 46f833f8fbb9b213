package index

// plainScalar reports whether s, the inside of a JSON string, can be a value or key of
// block YAML without quotes ("plain" in YAML's words): only when no reader, of YAML 1.1 or
// 1.2, can take it for anything but that string. What begins with a letter is a
// number to nobody; what begins with a digit only passes as a version (two dots)
// or as the hex digest it has the look of. The rest is quoted, as JSON has it.
func plainScalar(s []byte) bool {
	if len(s) == 0 {
		return false
	}
	switch c := s[0]; {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return plainTail(s) && !keyword(s)
	case '0' <= c && c <= '9':
		return digits(s) && plainTail(s) || hexDigest(s)
	}
	return false
}

// plainTail reports whether nothing in s needs quotes: ASCII on one line, no escape,
// no comment, nothing that looks like a key.
func plainTail(s []byte) bool {
	for i, c := range s {
		switch {
		case c < ' ' || c > '~' || c == '\\':
			return false
		case c == ':' && (i+1 == len(s) || s[i+1] == ' '):
			return false
		case c == '#' && s[i-1] == ' ':
			return false
		}
	}
	return s[len(s)-1] != ' '
}

// keyword reports whether s is null or a truth value in any capitals.
func keyword(s []byte) bool {
	if len(s) > 5 {
		return false
	}
	var low [5]byte
	for i, c := range s {
		low[i] = c | 0x20
	}
	switch string(low[:len(s)]) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return true
	}
	return false
}

// digits reports whether s begins like a version, MAJOR.MINOR.PATCH: with the second
// dot it is no number. A colon makes it a time of day to YAML 1.1.
func digits(s []byte) bool {
	dots := 0
	for i, c := range s {
		switch {
		case '0' <= c && c <= '9':
		case c == '.' && s[i-1] != '.' && i+1 < len(s) && '0' <= s[i+1] && s[i+1] <= '9':
			dots++
		case dots == 2 && (c == '-' || c == '+'):
			return versionTail(s[i:])
		default:
			return false
		}
	}
	return dots == 2
}

// versionTail reports whether s could be a version's prerelease and build metadata.
func versionTail(s []byte) bool {
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '+', c == '.':
		default:
			return false
		}
	}
	return true
}

// hexDigest reports whether s is long, lower-case hex and no number: a letter other
// than e (exponent) and b (0b, binary) is in it.
func hexDigest(s []byte) bool {
	if len(s) < 32 {
		return false
	}
	letter := false
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9', c == 'b', c == 'e':
		case c == 'a', c == 'c', c == 'd', c == 'f':
			letter = true
		default:
			return false
		}
	}
	return letter
}
