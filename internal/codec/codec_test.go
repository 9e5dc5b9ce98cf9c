package codec_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/internal/codec"
)

// value has one field of each kind.
type value struct {
	Text   string
	Texts  []string
	Choice *bool
	Small  uint8
	Number int64
	Time   time.Time
	List   []value
}

func (v *value) code(c codec.Coder, loc *time.Location) {
	c.Text(&v.Text)
	c.Texts(&v.Texts)
	c.Choice(&v.Choice)
	codec.Number(c, &v.Small)
	c.Int(&v.Number)
	c.Time(&v.Time, loc)
	codec.List(c, &v.List, func(e *value) { e.code(c, loc) })
}

func draw(t *rapid.T, depth int) value {
	v := value{
		Text: rapid.String().Draw(t, "text"), Number: rapid.Int64().Draw(t, "number"), Small: rapid.Uint8().Draw(t, "small"),
		Texts:  rapid.OneOf(rapid.Just[[]string](nil), rapid.SliceOf(rapid.String())).Draw(t, "texts"),
		Choice: rapid.Ptr(rapid.Bool(), true).Draw(t, "choice"),
	}
	zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", -4*3600), time.FixedZone("CEST", 7200)}).Draw(t, "zone")
	if rapid.Bool().Draw(t, "dated") {
		v.Time = time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).In(zone)
	}
	if depth > 0 && rapid.Bool().Draw(t, "nested") {
		v.List = []value{draw(t, depth-1), draw(t, 0)}
	}
	return v
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := draw(t, 3)
		var e codec.Encoder
		want.code(&e, berlin)
		var got value
		d := codec.NewDecoder(e.Bytes)
		got.code(d, berlin)
		if diff := cmp.Diff(want, got); diff != "" || d.Err() != nil {
			t.Fatalf("%v (-want +got):\n%s", d.Err(), diff)
		}
		var less value
		d = codec.NewDecoder(e.Bytes[:rapid.IntRange(0, len(e.Bytes)-1).Draw(t, "cut")])
		less.code(d, berlin)
		if d.Err() == nil {
			t.Fatal("a record that was cut is read without a word")
		}
		d = codec.NewDecoder(append(e.Bytes, 0))
		less = value{}
		if less.code(d, berlin); d.Err() == nil {
			t.Fatal("what is left is passed over without a word")
		}
	})
}

func TestTimesKeepTheirZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []*time.Location{berlin, time.UTC, time.FixedZone("", -4*3600), time.FixedZone("CEST", 7200)} {
		want := time.Date(2026, 7, 1, 2, 3, 4, 5, zone)
		var e codec.Encoder
		e.Time(&want, berlin)
		var got time.Time
		codec.NewDecoder(e.Bytes).Time(&got, berlin)
		if !got.Equal(want) || got.String() != want.String() || (got.Location() == berlin) != (zone == berlin) {
			t.Errorf("in %s: %s, want %s", zone, got, want)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	var e codec.Encoder
	v := value{Text: "x", Texts: []string{"a", ""}, List: []value{{Small: 7}}}
	v.code(&e, time.UTC)
	f.Add(e.Bytes)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v value
		d := codec.NewDecoder(b)
		if v.code(d, time.UTC); d.Err() != nil {
			return
		}
		var e codec.Encoder
		v.code(&e, time.UTC)
		var again value
		d = codec.NewDecoder(e.Bytes)
		if again.code(d, time.UTC); d.Err() != nil || !cmp.Equal(v, again) {
			t.Errorf("%v:\n%s", d.Err(), cmp.Diff(v, again))
		}
	})
}
