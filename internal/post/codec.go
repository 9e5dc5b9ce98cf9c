package post

import (
	"time"

	"tidings/internal/codec"
)

// Code writes or reads the post without Body and Params. Times in the zone loc
// keep it, whichever that is when they are read.
func (p *Post) Code(c codec.Coder, loc *time.Location) {
	for _, s := range []*string{
		&p.File, &p.Hash, &p.BodyHash, &p.GUID, &p.Title, &p.Slug, &p.Link, &p.Hidden, &p.Language, &p.Image, &p.Summary,
	} {
		c.Text(s)
	}
	for _, list := range []*[]string{&p.Aliases, &p.Categories, &p.Tags, &p.Authors} {
		c.Texts(list)
	}
	for _, t := range []*time.Time{&p.Published, &p.Updated, &p.Expires} {
		c.Time(t, loc)
	}
	c.Choice(&p.FullText)
	c.Text(&p.ImageAlt)
	codec.Number(c, &p.ImageSize.Width)
	codec.Number(c, &p.ImageSize.Height)
	c.Text(&p.Enclosure.URL)
	c.Text(&p.Enclosure.Type)
	c.Int(&p.Enclosure.Length)
	codec.Number(c, &p.Enclosure.Duration)
	c.Text(&p.Comments)
	c.Text(&p.Announce)
	codec.Flag(c, &p.Pinned)
	codec.Number(c, &p.Minutes)
	codec.Number(c, &p.BodyStart)
	codec.Number(c, &p.BodySize)
}
