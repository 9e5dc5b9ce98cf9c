package post_test

import (
	"testing"

	"tidings/internal/post"
)

func TestIsCandidate(t *testing.T) {
	for file, want := range map[string]bool{
		"a.md":                               true,
		"A.MD":                               true,
		"a.markdown":                         true,
		"a.mdown":                            true,
		"a.mkd":                              true,
		"a.mkdn":                             true,
		"a.mdx":                              true,
		"deep/er/2024-05-07-x.md":            true,
		"news/_posts/2024-05-07-x.md":        true,
		"_drafts/x.md":                       true,
		"x/index.md":                         true,
		"2024-05-07-x.html":                  true,
		"x.html":                             false,
		"index.html":                         false,
		"a.txt":                              false,
		"a":                                  false,
		"md":                                 false,
		"_index.md":                          false,
		"x/_index.fr.md":                     false,
		"README.md":                          false,
		"Readme.fr.md":                       false,
		".hidden.md":                         false,
		".git/a.md":                          false,
		"node_modules/x/a.md":                false,
		"_includes/a.md":                     false,
		"_template.md":                       false,
		"a.md~":                              false,
		"#a.md#":                             false,
		".#a.md":                             false,
		".a.md.swp":                          false,
		"~$a.md":                             false,
		"a.sync-conflict-20240507-ABCDEF.md": false,
		"":                                   false,
	} {
		if got := post.IsCandidate(file); got != want {
			t.Errorf("IsCandidate(%q) = %v", file, got)
		}
	}
}

func TestBundleResource(t *testing.T) {
	hasIndex := func(dir string) bool { return dir == "trip" || dir == "blog" || dir == "." }
	for file, want := range map[string]bool{
		"trip/index.md":               false,
		"trip/notes.md":               true,
		"trip/deep/notes.md":          true,
		"trip/deep/index.md":          true,
		"trip/2024-05-07-x.md":        false,
		"blog/_posts/2024-05-07-x.md": false,
		"blog/_drafts/x.md":           false,
		"other/notes.md":              false,
		"notes.md":                    false,
		"index.md":                    false,
	} {
		if got := post.BundleResource(file, hasIndex); got != want {
			t.Errorf("BundleResource(%q) = %v", file, got)
		}
	}
}

func TestLanguages(t *testing.T) {
	for file, want := range map[string]string{
		"2024-05-07-x.fr.md":           "fr",
		"2024-05-07-x.zh-cn.md":        "zh-CN",
		"2024-05-07-x.pt_BR.md":        "pt-BR",
		"2024-05-07-x/index.ja.md":     "ja",
		"ja/2024-05-07-x.md":           "ja",
		"zh_tw/_posts/2024-05-07-x.md": "zh-TW",
		"2024-05-07-socket.io.md":      "",
		"2024-05-07-v1.0.md":           "",
		"2024-05-07-node.js.md":        "",
		"cs/2024-05-07-x.md":           "",
		"ml/2024-05-07-x.md":           "",
	} {
		if got := parse(t, file, "---\ntitle: x\n---\n").Language; got != want {
			t.Errorf("%s: language %q, want %q", file, got, want)
		}
	}
	for lines, want := range map[string]string{"lang: zh_cn": "zh-CN", "language: EN-us": "en-US", "locale: es-PR": "es-PR"} {
		if got := withFields(t, lines).Language; got != want {
			t.Errorf("%s: language %q, want %q", lines, got, want)
		}
	}
	if got := parse(t, "2024-05-07-x.fr.md", "---\ntitle: x\n---\n").Slug; got != "x" {
		t.Errorf("slug %q", got)
	}
}

func TestSlugsOfStrangeNames(t *testing.T) {
	for file, want := range map[string]string{
		"2024-05-07-hash-#1.md":          "hash-1",
		"2024-05-07-escape-+ %20[].md":   "escape",
		"2024-05-07-trailing-dots....md": "trailing-dots",
		"2024-05-07-We-Are-Hiring.md":    "we-are-hiring",
		"2024-05-07-snake_case.md":       "snake-case",
		"2024-05-07.md":                  "2024-05-07",
		"2024-05-07-con.md":              "x-con",
		"2024-05-07-日本語.md":              "日本語",
		"2024-05-07-archive.md":          "archive",
		"2024-05-07-a-name/index.md":     "a-name",
		"a-name/index.markdown":          "a-name",
		"2024/05/07/index.md":            "07",
	} {
		p := parse(t, file, "---\ntitle: ''\ndate: 2024-05-07\n---\n")
		if p.Slug != want {
			t.Errorf("%s: slug %q, want %q", file, p.Slug, want)
		}
	}
	nameless := parse(t, "2024-05-07-!!!.md", "---\ntitle: ???\n---\n")
	if again := parse(t, "2024-05-07-!!!.md", "other"); again.Slug != nameless.Slug || nameless.Slug == "" {
		t.Errorf("slugs %q and %q", nameless.Slug, again.Slug)
	}
}
