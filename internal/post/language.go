package post

import (
	"regexp"
	"strings"

	"golang.org/x/text/language"
)

// Languages that a folder or the end of a file name may stand for. Codes
// that mean something else in most blogs (cs, hr, id, io, it, ml, ts) count
// only with a region, or at the end of a file name.
const (
	folderLanguages = " ar bg bn ca da de el en es et eu fa fi fr gl he hi hu ja ko lt lv nb nl nn pl pt ro ru sk sl sr sv ta th tr uk ur vi zh "
	suffixLanguages = folderLanguages + "cs hr id it "
)

var languageTag = regexp.MustCompile(`^([a-z]{2})(?:[-_](?:[A-Za-z]{4}|[A-Za-z]{2}))?$`)

// cutLanguage cuts the language off a name such as "x.fr" or "x.zh-cn".
func cutLanguage(stem string) (rest, tag string) {
	i := strings.LastIndexByte(stem, '.')
	if i <= 0 {
		return stem, ""
	}
	if tag = knownLanguage(stem[i+1:], suffixLanguages); tag == "" {
		return stem, ""
	}
	return stem[:i], tag
}

// folderLanguage takes the outermost folder for a language, or the one
// around _posts.
func folderLanguage(dirs []string) string {
	return knownLanguage(dirs[0], folderLanguages)
}

func knownLanguage(tag, known string) string {
	if len(tag) < 2 || len(tag) > len("zh-Hant") {
		return ""
	}
	m := languageTag.FindStringSubmatch(tag)
	if m == nil || len(tag) == 2 && !strings.Contains(known, " "+tag+" ") {
		return ""
	}
	return normalLanguage(tag)
}

// normalLanguage gives the BCP 47 form of a tag, zh-CN for zh_cn; "" if it
// is none.
func normalLanguage(tag string) string {
	parsed, err := language.Parse(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	if err != nil || parsed == language.Und {
		return ""
	}
	return parsed.String()
}
