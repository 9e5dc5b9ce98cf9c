package post

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// parseBody gives the tree of a fragment.
func parseBody(t *testing.T, source string) *html.Node {
	t.Helper()
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragmentWithOptions(strings.NewReader(source), body, html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Skip(err)
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	return body
}

func TestHarmless(t *testing.T) {
	for source, want := range map[string]bool{
		`<p>a <em>b</em> <a href="https://a.example/?a=1&amp;b=2#c">c</a> <img src="https://a.example/b.png" alt="&lt;&#34;"><br></p>`: true,
		"<pre><code>\n\n&lt;a&gt;</code></pre><ul><li>x</ul>":                                                                          true,
		"text":               true,
		`<p class="x">a</p>`: false, `<p onclick="x">a</p>`: false, `<a>a</a>`: false, `<a href="javascript:x">a</a>`: false,
		`<a href="https://a.example/" onclick=x>a</a>`: false, `<a href="https:x">a</a>`: false, `<a href="https://a.example/ü">a</a>`: false,
		`<a href="mailto:a@b.example">a</a>`: false, `<img src="https://a.example/b.png">`: false, `<img src="data:image/png;base64,x" alt="">`: false,
		`<em><script>x</script></em>`: false, `<p><svg><p>x</p></svg></p>`: false, `<math><mi>x</mi></math>`: false, `a<!-- b -->`: false,
		`<div>a</div>`: false, `<ol start="3"><li>x</ol>`: false, `<textarea><p>x</textarea>`: false,
	} {
		if got := harmless(parseBody(t, source)); got != want {
			t.Errorf("harmless(%s) = %v", source, got)
		}
	}
}

// FuzzHarmless holds what skips the policy against the policy.
func FuzzHarmless(f *testing.F) {
	for _, source := range []string{
		`<p>a <em>b</em> <a href="https://a.example/?a=1&amp;b='2'#c">c</a> <img src="https://a.example/b.png" alt="&lt;&#34;'"><br></p>`,
		"<pre>\n\n&lt;a&gt;&amp;amp;</pre><ul><li>x<ol><li>y</ul><h1>z<hr>", "<a href=http://a@b:80/%41><a href=https://[::1]/>x",
		"<em><p>a</em>b<blockquote><code><li>\r\x00&nbsp;&#x2028;", "<p><p></p><strong><h2><pre>a</h2>",
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		body := parseBody(t, source)
		(&tidier{}).children(body, false)
		if !harmless(body) {
			return
		}
		var b bytes.Buffer
		for n := range body.ChildNodes() {
			if err := html.Render(&b, n); err != nil {
				t.Fatal(err)
			}
		}
		if got := policy.Sanitize(b.String()); got != b.String() {
			t.Errorf("%q passes, and the policy makes it\n%q", b.String(), got)
		}
	})
}
