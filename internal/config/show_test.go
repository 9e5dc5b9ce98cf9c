package config_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidings/internal/config"
)

const rich = `
site: {title: "yes: #1 'n' \"more\" <b>", description: "- a\n- b", timezone: Asia/Kolkata, author: {name: "~"}}
posts: {settle: 90m}
newsletters:
  zebra: {tags: ["2024", "true", "a, b", " c "], categories: ["[x]"]}
  2024: {postal_address: "1 Road\n  Town\n"}
mail:
  transport: smtp
  smtp: {host: h, username: "0123", password: hush-one}
  rate: {per_second: 12.5, domains: {Example.com: {per_second: 0.5}, bücher.example: {connections: 2}}}
database: {url: "postgres://ann:hush-two@db.example/t?sslpassword=hush-three&sslmode=require"}
http: {url: "https://news.example", trusted_proxies: ["::1"]}
`

func show(t *testing.T, c *config.Config) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Show(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestShowComesBack(t *testing.T) {
	want := parse(t, rich)
	text := show(t, want)
	got := parse(t, text)
	ignore := cmpopts.IgnoreUnexported(config.Config{})
	secrets := cmpopts.IgnoreFields(config.Config{}, "Database", "Mail.SMTP.Password")
	if diff := cmp.Diff(want, got, ignore, secrets, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("came back changed (-want +got):\n%s\nfrom\n%s", diff, text)
	}
	if again := show(t, got); again != text {
		t.Errorf("shown differently the second time:\n%s", cmp.Diff(text, again))
	}
}

func TestShowHidesSecrets(t *testing.T) {
	c := parse(t, rich)
	var asJSON bytes.Buffer
	if err := c.ShowJSON(&asJSON); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{show(t, c), asJSON.String()} {
		if strings.Contains(text, "hush") {
			t.Errorf("a secret is shown:\n%s", text)
		}
		for _, want := range []string{"ann:", "db.example", "sslmode=require", "0123"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not shown:\n%s", want, text)
			}
		}
	}
	if got := show(t, parse(t, "")); strings.Contains(got, "xxxxx") {
		t.Errorf("a secret that is not set looks set:\n%s", got)
	}
}

func TestShowJSON(t *testing.T) {
	var b bytes.Buffer
	if err := parse(t, rich).ShowJSON(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `<b>`) {
		t.Errorf("not readable:\n%s", b.String())
	}
	if strings.Index(b.String(), `"zebra"`) > strings.Index(b.String(), `"2024"`) {
		t.Errorf("newsletters lost their order:\n%s", b.String())
	}
	var got struct {
		Posts       map[string]string
		Newsletters map[string]struct {
			Tags       []string
			MaxPostAge string `json:"max_post_age"`
		}
		Mail struct {
			Rate struct {
				PerSecond float64 `json:"per_second"`
				Domains   map[string]map[string]float64
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Posts["settle"] != "1h30m" || got.Newsletters["zebra"].MaxPostAge != "30d" || len(got.Newsletters["zebra"].Tags) != 4 || got.Mail.Rate.PerSecond != 12.5 || got.Mail.Rate.Domains["Example.com"]["per_second"] != 0.5 {
		t.Errorf("got %+v", got)
	}
}
