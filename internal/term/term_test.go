package term_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tidings/internal/term"
)

func TestKey(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"API", "api"},
		{"Api ", "api"},
		{"Open Science", "open-science"},
		{"open-science", "open-science"},
		{"open_science", "open-science"},
		{" Open \t--  science_", "open-science"},
		{"C", "c"},
		{"C++", "c++"},
		{"c#", "c#"},
		{".NET", ".net"},
		{"日本語", "日本語"},
		{"ＡＰＩ", "api"},
		{"Straße", "strasse"},
		{"Cafe\u0301", "café"},
		{"a/b", "a/b"},
		{"..", ".."},
		{"-", "-"},
		{"a\u200eb\x00", "ab"},
		{"bad \xff bytes", "bad-bytes"},
		{"", ""},
		{" \t\n", ""},
	} {
		if got := term.Key(c.name); got != c.want {
			t.Errorf("Key(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSlug(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"API", "api"},
		{"Best-Practices", "best-practices"},
		{"Open Science", "open-science"},
		{"open_science", "open-science"},
		{"C", "c"},
		{"C++", "cpp"},
		{"C++17", "cpp17"},
		{"C#", "csharp"},
		{"F#", "fsharp"},
		{".NET", "dotnet"},
		{".NET Core", "dotnet-core"},
		{"ASP.NET", "asp-net"},
		{".netrc", "netrc"},
		{"Node.js", "node-js"},
		{"R&D", "r-and-d"},
		{"Salt & Pepper", "salt-and-pepper"},
		{"Google+", "google-plus"},
		{"#golang", "golang"},
		{"What's new", "whats-new"},
		{"a/b", "a-b"},
		{`a\b:c*d?e"f<g>h|i`, "a-b-c-d-e-f-g-h-i"},
		{"../../etc/passwd", "etc-passwd"},
		{".hidden", "hidden"},
		{"trailing.", "trailing"},
		{"日本語", "日本語"},
		{"Cafe\u0301", "café"},
		{"Ünïcode", "ünïcode"},
		{"con", "x-con"},
		{"COM1", "x-com1"},
		{"com10", "com10"},
		{"..", "term-" + term.Suffix("..")},
		{"", "term-" + term.Suffix("")},
		{"🚀", "term-" + term.Suffix("🚀")},
		{"Feed", "feed-" + term.Suffix("feed")},
		{"archive", "archive-" + term.Suffix("archive")},
		{strings.Repeat("word ", 40), strings.TrimSuffix(strings.Repeat("word-", 18), "-")},
	} {
		if got := term.Slug(c.name); got != c.want {
			t.Errorf("Slug(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSimilarNamesStayApart(t *testing.T) {
	names := []string{"C", "C++", "C#", ".NET", "F", "F#", "日本語", "a/b", ".."}
	keys, slugs := map[string]string{}, map[string]string{}
	for _, name := range names {
		if other, taken := keys[term.Key(name)]; taken {
			t.Errorf("%q and %q share the key %q", name, other, term.Key(name))
		}
		if other, taken := slugs[term.Slug(name)]; taken {
			t.Errorf("%q and %q share the slug %q", name, other, term.Slug(name))
		}
		keys[term.Key(name)], slugs[term.Slug(name)] = name, name
	}
}

func TestSuffixDependsOnTheKeyAlone(t *testing.T) {
	if got := term.Suffix("a/b"); got != term.Suffix("a/b") || len(got) != 6 {
		t.Errorf("Suffix = %q", got)
	}
	if term.Suffix("a/b") == term.Suffix("a.b") {
		t.Error("two keys have the same suffix")
	}
}

func TestCleanLetsReservedWordsPass(t *testing.T) {
	for text, want := range map[string]string{"Archive": "archive", "???": "", "NUL": "x-nul", "We-Are-Hiring": "we-are-hiring"} {
		if got := term.Clean(text); got != want {
			t.Errorf("Clean(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzSlug(f *testing.F) {
	for _, seed := range []string{"C++", ".NET", "a/b", "..", "日本語", "Open Science", "İstanbul", "ǰ", "\xff\u0301x", "COM¹", strings.Repeat("é", 90), "ᏸ", "\u0345\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, slug := term.Key(name), term.Slug(name)
		if again := term.Key(key); again != key {
			t.Errorf("Key(%q) = %q, but its own key is %q", name, key, again)
		}
		if again := term.Slug(key); again != slug {
			t.Errorf("Slug(%q) = %q, but %q for its key", name, slug, again)
		}
		if again := term.Clean(slug); again != slug {
			t.Errorf("Clean(%q) = %q", slug, again)
		}
		if slug == "" || len(slug) > 100 || !utf8.ValidString(slug) || !norm.NFC.IsNormalString(slug) {
			t.Errorf("Slug(%q) = %q", name, slug)
		}
		if strings.HasPrefix(slug, "-") || strings.HasSuffix(slug, "-") || strings.ContainsFunc(slug, unsafeInName) {
			t.Errorf("Slug(%q) = %q", name, slug)
		}
	})
}

func unsafeInName(r rune) bool {
	return r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
}
