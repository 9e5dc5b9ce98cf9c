package post_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"tidings/internal/post"
)

func base(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse("https://example.org/blog/trip/")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestRenderCases renders every file in testdata/render and compares with
// the .golden beside it.
func TestRenderCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "render", "2024-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := post.Render(parse(t, filepath.Base(file), string(src)), base(t))
			checkHTML(t, got)
			compareFile(t, file+".golden", []byte(got+"\n"))
		})
	}
}

func TestRender(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"relative":        {"[a](b) ![c](/d.png)", `<p><a href="https://example.org/blog/trip/b">a</a> <img src="https://example.org/d.png" alt="c"/></p>`},
		"fragment":        {"[a](#b)", `<p><a href="https://example.org/blog/trip/#b">a</a></p>`},
		"scheme-relative": {"[a](//cdn.example/x)", `<p><a href="https://cdn.example/x">a</a></p>`},
		"mail":            {"[a](mailto:a@b.example)", `<p><a href="mailto:a@b.example">a</a></p>`},
		"script":          {"a\n\n<script>alert(1)</script>\n\nb", "<p>a</p>\n\n<p>b</p>"},
		"handler":         {`<b onclick="x()">a</b>`, `<p><b>a</b></p>`},
		"javascript":      {"[a](javascript:alert(1))", `<p>a</p>`},
		"id":              {"## Head {#top .big}", `<h2>Head</h2>`},
		"srcset":          {`<img src="a.png" srcset="a.png 1x, /b.png 2x">`, `<img src="https://example.org/blog/trip/a.png" srcset="https://example.org/blog/trip/a.png 1x, https://example.org/b.png 2x"/>`},
		"lazy":            {`<img data-src="a.png" alt="x">`, `<img alt="x" src="https://example.org/blog/trip/a.png"/>`},
		"iframe":          {`<iframe src="//video.example/1" title="A film"></iframe>`, `<a href="https://video.example/1">A film</a>`},
		"empty frames":    {`<iframe srcdoc="<p>x"></iframe><iframe src=" "></iframe>x`, `x`},
		"youtube frame":   {`<iframe src="https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0" title='A "film"'></iframe>`, `<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ"><img src="https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg" alt="A &#34;film&#34;"/></a>`},
		"vimeo frame":     {`<iframe src="//player.vimeo.com/video/12345?h=1"></iframe>`, `<a href="https://vimeo.com/12345">https://vimeo.com/12345</a>`},
		"playlist frame":  {`<iframe src="https://www.youtube.com/embed/videoseries?list=x"></iframe>`, `<a href="https://www.youtube.com/embed/videoseries?list=x">https://www.youtube.com/embed/videoseries?list=x</a>`},
		"picture nowhere": {`a <img src=""> <img src="{{< x >}}" alt="y"> b`, `<p>a   b</p>`},
		"address of self": {`<a href="">a</a>`, `<p><a href="https://example.org/blog/trip/">a</a></p>`},
		"no host":         {`[a](https:foo) [b](http:///c)`, `<p>a b</p>`},
		"foreign host":    {`[a](https://例え.jp/ü)`, `<p><a href="https://xn--r8jz45g.jp/%C3%BC">a</a></p>`},
		"task":            {"- [x] done\n- [ ] open", "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>"},
		"more":            {"one <!-- more --> two", `<p>one  two</p>`},
		"zola link":       {"[a](@/posts/b.md)", `<p>a</p>`},
		"comment":         {"a {# gone #} b", `<p>a  b</p>`},
		"liquid value":    {"Hi {{ user.name }}!", `<p>Hi !</p>`},
		"liquid href":     {"[a]({{ page.next }}) [b]({% post_url 2024-01-01-b %})", `<p>a b</p>`},
		"site address":    {"[a]({{ site.baseurl }}/b)", `<p><a href="https://example.org/b">a</a></p>`},
		"url filter":      {`![a]({{ "/x.png" | relative_url }})`, `<p><img src="https://example.org/x.png" alt="a"/></p>`},
		"literal":         {`by {{ "ann" | team_link }}.`, `<p>by ann.</p>`},
		"in code":         {"`{{ x }}` and `{% y %}`", `<p><code>{{ x }}</code> and <code>{% y %}</code></p>`},
		"raw in code":     {"`{% raw %}{{ x }}{% endraw %}`", `<p><code>{{ x }}</code></p>`},
		"raw in prose":    {"{% raw %}{{ x }}{% endraw %}", `<p><code>{{ x }}</code></p>`},
		"unclosed":        {"a {{ b\n\nc {% d", "<p>a <code>{{</code> b</p>\n<p>c <code>{%</code> d</p>"},
		"loop":            {"a{% for x in y %}{{ x }},{% endfor %}b", `<p>ab</p>`},
		"condition":       {"{% if a %}yes{% else %}no{% endif %}", `<p>yes</p>`},
		"youtube":         {`{{< youtube dQw4w9WgXcQ >}}`, `<p><a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ"><img src="https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg" alt="https://www.youtube.com/watch?v=dQw4w9WgXcQ"/></a></p>`},
		"figure":          {`{{< figure src="a.png" caption="A & B" >}}`, `<p><img src="https://example.org/blog/trip/a.png" alt="A &amp; B"/></p>`},
		"image tag":       {`{% image "assets/a.png" "An a" %}`, `<p><img src="https://example.org/assets/a.png" alt="An a"/></p>`},
		"pair":            {"{{% note %}}\nkeep\n{{% /note %}}", "<p>keep</p>"},
		"kramdown":        {"text\n{: .lead}\n\n*x*{:.y #z}", "<p>text</p>\n<p><em>x</em></p>"},
		"elixir":          {"gives {:ok, value}", `<p>gives {:ok, value}</p>`},
		"contents":        {"* TOC\n{:toc}\n\ntext", `<p>text</p>`},
		"split braces":    {"{<x-y></x-y>{ a }<x-y></x-y>}", `<p><code>{{ a }}</code></p>`},
		"entity control":  {"a&#12;b&#xFFFE;c", `<p>a bc</p>`},
		"linked address":  {`<a href="https://a.example/">https://b.example/</a> www.c.example`, `<p><a href="https://a.example/">https://b.example/</a> <a href="http://www.c.example">www.c.example</a></p>`},
		"import":          {"import X from './x'\n\ntext", `<p>text</p>`},
		"nested 600":      {strings.Repeat("<b>", 600) + "x", `<pre>x</pre>`},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, "2024-01-01-x.md", c.body)
			got := post.Render(p, base(t))
			if got != c.want {
				t.Errorf("Render(%q)\n got %s\nwant %s", c.body, got, c.want)
			}
			checkHTML(t, got)
		})
	}
}

func TestRenderHighlight(t *testing.T) {
	body := "a\n\n{% highlight ruby %}\n{{ x }} ``` <b>\n{% endhighlight %}\n\n`{% highlight %}` b"
	want := "<p>a</p>\n<pre><code class=\"language-ruby\">{{ x }} ``` &lt;b&gt;\n</code></pre>\n<p><code>{% highlight %}</code> b</p>"
	if got := post.Render(parse(t, "2024-01-01-x.md", body), base(t)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRenderWithoutBaseDropsRelativeAddresses(t *testing.T) {
	p := parse(t, "2024-01-01-x.md", "[a](b) [c](https://d.example/)")
	if got, want := post.Render(p, nil), `<p>a <a href="https://d.example/">c</a></p>`; got != want {
		t.Errorf("Render = %s, want %s", got, want)
	}
}

// TestRenderInParallel gives the race detector something to see.
func TestRenderInParallel(t *testing.T) {
	p, address := parse(t, "2024-01-01-x.md", sampleBody), base(t)
	want := post.Render(p, address)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if got := post.Render(p, address); got != want {
					t.Errorf("rendered %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestHardBodies holds bodies that were made to be hard to parse: none may
// keep a processor busy, so that this test would not end.
func TestHardBodies(t *testing.T) {
	for _, unit := range []string{"> ", ">", "- ", "[a](", "*a_"} {
		body := strings.Repeat(unit, 150<<10/len(unit))
		p := parse(t, "2024-01-01-x.md", body)
		checkHTML(t, post.Render(p, base(t)))
	}
}

var goodAddress = regexp.MustCompile(`^(?:https?://|mailto:|tel:|data:image/)`)

// checkHTML holds what is promised of all rendered HTML.
func checkHTML(t *testing.T, source string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(source))
	code := 0
	for z.Next() != html.ErrorToken {
		token := z.Token()
		if name := token.Data; name == "code" || name == "pre" {
			switch token.Type {
			case html.StartTagToken:
				code++
			case html.EndTagToken:
				code--
			}
		}
		switch token.Type {
		case html.TextToken:
			checkText(t, token.Data, code > 0)
		case html.StartTagToken, html.SelfClosingTagToken:
			checkTag(t, token)
		case html.CommentToken, html.DoctypeToken:
			t.Errorf("%v in the output", token)
		}
	}
}

func checkText(t *testing.T, text string, code bool) {
	t.Helper()
	if !code && (strings.Contains(text, "{{") || strings.Contains(text, "{%")) {
		t.Errorf("template code outside of code: %q", text)
	}
	if strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe
	}) {
		t.Errorf("forbidden character in %q", text)
	}
}

func checkTag(t *testing.T, token html.Token) {
	t.Helper()
	switch token.Data {
	case "script", "style", "form", "input", "iframe", "object", "embed", "link", "meta", "base", "svg", "math", "button":
		t.Errorf("forbidden element %v", token)
	}
	for _, a := range token.Attr {
		switch key := a.Key; {
		case key == "id", key == "style", key == "name", strings.HasPrefix(key, "on"), strings.HasPrefix(key, "data-"):
			t.Errorf("forbidden attribute in %v", token)
		case key == "href", key == "src", key == "poster", key == "cite":
			if !goodAddress.MatchString(a.Val) || strings.Contains(a.Val, "{%") || strings.Contains(a.Val, "{{") {
				t.Errorf("address %q in %v", a.Val, token)
			}
		}
		checkText(t, a.Val, false)
	}
}

func FuzzRender(f *testing.F) {
	for _, body := range []string{
		sampleBody,
		"{% raw %}{{ x }}{% endraw %} [a]({{ b }} \"{% c %}\") <a href='{{ d }}'>",
		"<img srcset='a 1x, javascript:x 2x' onerror=x><svg><script>x</script></svg>",
		"<iframe src=javascript:x></iframe><object data=y><embed src=z>",
		"{% highlight x %}```{% endhighlight %}{{< highlight go >}}`{{< /highlight >}}",
		"<pre>{{ a }}<code>{% b %}</pre>{<!-- -->{ c }}",
		"[^1]\n\n[^1]: x {: .a}\n* TOC\n{:toc}\nimport a from 'b'\n",
		"<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
		"<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
	} {
		f.Add("x.md", body)
		f.Add("x.html", body)
		f.Add("x.mdx", body)
	}
	f.Fuzz(func(t *testing.T, file, body string) {
		p := &post.Post{File: file, Body: body}
		got := post.Render(p, base(t))
		checkHTML(t, got)
		if again := post.Render(p, base(t)); again != got {
			t.Errorf("rendered twice: %q and %q", got, again)
		}
	})
}

var sampleBody = strings.Repeat(`## A heading

Some text with a [link](/about), *emphasis*, `+"`code`"+` and a picture: ![x](pic.png).
It goes on for a while, so that the paragraph is as long as paragraphs are, and then ends.

- one
- two

`+"```go\nfunc main() {}\n```"+`

| a | b |
|---|:-:|
| 1 | 2 |

`, 4)

func BenchmarkRender(b *testing.B) {
	p := &post.Post{File: "x.md", Body: sampleBody}
	address := base(b)
	b.SetBytes(int64(len(sampleBody)))
	b.ReportAllocs()
	for b.Loop() {
		post.Render(p, address)
	}
}
