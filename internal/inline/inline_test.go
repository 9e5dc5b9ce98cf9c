package inline_test

import (
	"strings"
	"testing"

	"tidings/internal/inline"
)

func TestStyles(t *testing.T) {
	for name, c := range map[string]struct{ head, body, wantHead, wantBody string }{
		"element, class, id": {
			`<style>p{margin:1px;color:red}.a{color:green}#b{color:blue}</style>`, `<p>1</p><p class="a">2</p><p class="a" id="b">3</p>`,
			``, `<p style="margin:1px;color:red">1</p><p class="a" style="margin:1px;color:green">2</p><p class="a" id="b" style="margin:1px;color:blue">3</p>`,
		},
		"specificity before order": {`<style>td p{color:red}.a{color:green}p{color:blue}</style>`, `<p class="a">x</p>`, `<style>td p{color:red!important}
</style>`, `<p class="a" style="color:green">x</p>`},
		"attribute before sheet": {`<style>p{color:red;margin:0}</style>`, `<p style="color:green">x</p>`, ``, `<p style="margin:0;color:green">x</p>`},
		"important before attribute": {
			`<style>p{color:red !important}#x{color:blue}</style>`, `<p id="x" style="color:green;font-weight:700">x</p>`, ``, `<p id="x" style="font-weight:700;color:red">x</p>`,
		},
		"important attribute":    {`<style>p{color:red!important}</style>`, `<p style="color:green!important">x</p>`, ``, `<p style="color:green">x</p>`},
		"shorthand, then single": {`<style>p{margin:0;margin-top:4px}</style>`, `<p style="margin:2px">x</p>`, ``, `<p style="margin-top:4px;margin:2px">x</p>`},
		"several selectors": {`<style>h1, .a , td[x="a,b"]{color:red}</style>`, `<h1>x</h1><i class="a">y</i>`, `<style>td[x="a,b"]{color:red!important}
</style>`, `<h1 style="color:red">x</h1><i class="a" style="color:red">y</i>`},
		"states stay": {`<style>a:hover,a{color:red}a::before{content:"x"}</style>`, `<a>x</a>`, `<style>a:hover{color:red!important}
a::before{content:"x"!important}
</style>`, `<a style="color:red">x</a>`},
		"media queries stay": {`<style>@media (max-width:480px){.a, p{padding:0;margin:1px 2px}}p{color:red}</style>`, `<p>x</p>`,
			`<style>@media (max-width:480px){.a,p{padding:0!important;margin:1px 2px!important}
}
</style>`, `<p style="color:red">x</p>`},
		"fonts stay": {`<style>@import "x.css";@font-face{font-family:'X';src:url(a.woff2)}@keyframes k{from{color:red}to{color:blue}}</style>`, `<p>x</p>`,
			`<style>@import "x.css";
@font-face{font-family:'X';src:url(a.woff2);}
@keyframes k{from{color:red}
to{color:blue}
}
</style>`, `<p>x</p>`},
		"everything": {`<style>*{zoom:1}</style>`, `<p>x</p>`, ``, `<p style="zoom:1">x</p>`},
		"values": {`<style>p{font-family:-apple-system,'Segoe UI', "X Y";background:url("a.png") no-repeat;width:calc(1px + 2%)}</style>`, `<p>x</p>`, ``,
			`<p style="font-family:-apple-system,&#39;Segoe UI&#39;,&#34;X Y&#34;;background:url(&#34;a.png&#34;) no-repeat;width:calc(1px + 2%)">x</p>`},
		"other media":    {`<style media="print">p{color:red}</style>`, `<p>x</p>`, `<style media="print">p{color:red}</style>`, `<p>x</p>`},
		"for Outlook":    {`<!--[if mso]><style>p{color:red}</style><![endif]-->`, `<p>x</p>`, `<!--[if mso]><style>p{color:red}</style><![endif]-->`, `<p>x</p>`},
		"in the body":    {``, `<style>p{color:red}</style><p>x</p>`, ``, `<p style="color:red">x</p>`},
		"faulty":         {`<style>p{color red;margin:0} } .a{</style>`, `<p>x</p>`, ``, `<p style="margin:0">x</p>`},
		"nothing at all": {``, `<p>x</p>`, ``, `<p>x</p>`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inline.Styles("<!DOCTYPE html><html><head>" + c.head + "</head><body>" + c.body + "</body></html>")
			if err != nil {
				t.Fatal(err)
			}
			got = strings.Replace(got, ` style="zoom:1"><p`, `><p`, 1)
			if want := "<!DOCTYPE html><html><head>" + c.wantHead + "</head><body>" + c.wantBody + "</body></html>"; got != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for sheet, want := range map[string]struct {
		offset int
		fault  bool
	}{
		"": {}, "p{color:red}": {}, "@media x{p{a:b}}": {}, "/* } */ p{}": {},
		"p{color red}": {fault: true}, "p{a:b}\n}": {fault: true}, "p": {fault: true},
	} {
		_, err := inline.Check(sheet)
		if (err != nil) != want.fault {
			t.Errorf("%q: %v", sheet, err)
		}
	}
}

func FuzzStyles(f *testing.F) {
	f.Add("p{color:red}", "<p style='a:b'>x")
	f.Add("@media x{p{a:b}}} h1,{a:b!important} @font-face{", "<style>p{a:b}</style><p>")
	f.Add("a:hover{}/*", "</style>")
	f.Fuzz(func(t *testing.T, sheet, body string) {
		out, err := inline.Styles("<html><head><style>" + sheet + "</style></head><body>" + body + "</body></html>")
		if err != nil {
			t.Skip(err)
		}
		if strings.Count(out, "<body") != 1 {
			t.Errorf("no document any more: %s", out)
		}
		if at, err := inline.Check(sheet); err != nil && (at < 0 || at > len(sheet)+1) {
			t.Errorf("a fault at byte %d of %d", at, len(sheet))
		}
	})
}
