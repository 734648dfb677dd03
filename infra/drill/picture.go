package drill

import (
	"bytes"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"twip/infra/load"
)

// The colours tell lines apart for people who see colours differently too (Okabe and Ito's set).
var (
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	red    = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	green  = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	purple = color.RGBA{0xcc, 0x79, 0xa7, 0xff}
	orange = color.RGBA{0xe6, 0x9f, 0x00, 0xff}

	markColours = map[string]color.Color{"fault": red, "fault over": orange, "posts again": purple, "all well": green}
)

// Latency is drawn from a millisecond to 100 s.
const leastMillis, mostMillis = 1, 100_000

// bucket is one second of a timeline.
type bucket struct {
	answered, failed int
	reads, posts     time.Duration // what the slowest of those that were sent in it took
}

// buckets sorts samples by the second in which they were sent.
func buckets(t Timeline) []bucket {
	all := make([]bucket, int(t.Ended.Sub(t.Began).Seconds())+1)
	for _, s := range t.Samples {
		i := int(s.Sent.Sub(t.Began).Seconds())
		if i < 0 || i >= len(all) {
			continue
		}
		b := &all[i]
		switch {
		case !s.OK():
			b.failed++
			continue
		case s.Kind == load.Post:
			b.posts = max(b.posts, s.Took())
		default:
			b.reads = max(b.reads, s.Took())
		}
		b.answered++
	}
	return all
}

// picture draws requests, failures and latency over time, with the marks, as SVG.
func picture(t Timeline, marks []Mark) (string, error) {
	all := buckets(t)
	line := func(of func(bucket) float64) plotter.XYs {
		points := make(plotter.XYs, len(all))
		for i, b := range all {
			points[i] = plotter.XY{X: float64(i), Y: of(b)}
		}
		return points
	}
	most := 0
	for _, b := range all {
		most = max(most, b.answered, b.failed)
	}
	requests := panel("requests a second", 0, float64(most)*2+1) // room for the legend
	latency := panel("slowest answer", leastMillis, mostMillis)
	latency.Y.Scale = plot.LogScale{}
	latency.Y.Tick.Marker = plot.ConstantTicks{{Value: 1, Label: "1 ms"}, {Value: 10, Label: "10 ms"},
		{Value: 100, Label: "100 ms"}, {Value: 1000, Label: "1 s"}, {Value: 10_000, Label: "10 s"},
		{Value: 100_000, Label: "100 s"}}
	latency.X.Label.Text = "seconds, by when a request was sent"
	for _, l := range []struct {
		on     *plot.Plot
		name   string
		colour color.Color
		points plotter.XYs
	}{
		{requests, "answered", blue, line(func(b bucket) float64 { return float64(b.answered) })},
		{requests, "failed", red, line(func(b bucket) float64 { return float64(b.failed) })},
		{latency, "pages and files", blue, line(func(b bucket) float64 { return millis(b.reads) })},
		{latency, "posts", purple, line(func(b bucket) float64 { return millis(b.posts) })},
	} {
		drawn, err := plotter.NewLine(l.points)
		if err != nil {
			return "", err
		}
		drawn.Color, drawn.Width, drawn.StepStyle = l.colour, vg.Points(1.5), plotter.PostStep
		l.on.Add(drawn)
		l.on.Legend.Add(l.name, drawn)
	}
	for _, m := range marks {
		for _, p := range []*plot.Plot{requests, latency} {
			drawn, err := plotter.NewLine(plotter.XYs{{X: m.At, Y: p.Y.Min}, {X: m.At, Y: p.Y.Max}})
			if err != nil {
				return "", err
			}
			drawn.Color, drawn.Dashes = markColours[m.Name], []vg.Length{vg.Points(4), vg.Points(2)}
			p.Add(drawn)
			if p == requests {
				p.Legend.Add(m.Name, drawn)
			}
		}
	}
	return together(requests, latency)
}

func panel(label string, least, most float64) *plot.Plot {
	p := plot.New()
	p.Y.Label.Text = label
	p.Legend.Top, p.Legend.Left = true, false
	p.Add(plotter.NewGrid())
	p.Y.Min, p.Y.Max = least, most
	return p
}

func millis(d time.Duration) float64 {
	return math.Min(math.Max(float64(d)/float64(time.Millisecond), leastMillis), mostMillis)
}

// together draws plots below each other, with one axis of time.
func together(plots ...*plot.Plot) (string, error) {
	canvas := vgsvg.New(24*vg.Centimeter, 14*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: vg.Millimeter, PadRight: 4 * vg.Millimeter}
	rows := make([][]*plot.Plot, len(plots))
	for i, p := range plots {
		rows[i] = []*plot.Plot{p}
	}
	for i, row := range plot.Align(rows, tiles, draw.New(canvas)) {
		plots[i].Draw(row[0])
	}
	var svg bytes.Buffer
	_, err := canvas.WriteTo(&svg)
	return svg.String(), err
}
