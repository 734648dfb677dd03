package bench

import (
	"fmt"
	"image/color"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Table prints the results side by side. Ratios are to the route of that name, if it is there.
func Table(w io.Writer, results []Result, baseline string) error {
	var base *Result
	names := map[string]bool{}
	for i := range results {
		if results[i].Route.Name == baseline {
			base = &results[i]
		}
		for name := range results[i].CPU {
			names[name] = true
		}
	}
	processes := slices.Sorted(maps.Keys(names))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "route\trequests/s\tratio\tp50 ms\tp99 ms\tp99 ratio\tfailed\t")
	for _, name := range processes {
		fmt.Fprintf(table, "%s µs\t", name)
	}
	fmt.Fprintln(table)
	for _, r := range results {
		ratio, tail := "-", "-"
		if base != nil {
			ratio, tail = fmt.Sprintf("%.2f", r.Rate/base.Rate), fmt.Sprintf("%.1f", r.Latency[99]/base.Latency[99])
		}
		fmt.Fprintf(
			table,
			"%s\t%.0f\t%s\t%.1f\t%.1f\t%s\t%d\t",
			r.Route.Name,
			r.Rate,
			ratio,
			r.Latency[50],
			r.Latency[99],
			tail,
			r.Failed,
		)
		for _, name := range processes {
			fmt.Fprintf(table, "%.0f\t", r.CPU[name])
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// colours tell the routes apart for people who see colours differently too (Okabe and Ito's set).
var colours = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xcc, 0x79, 0xa7, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff},
}

// Draw writes the latency percentiles of every route as SVG.
func Draw(w io.Writer, results []Result) error {
	p := plot.New()
	p.Title.Text = "Latency by route"
	p.X.Label.Text = "percent of requests answered"
	p.Y.Label.Text = "milliseconds"
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, r := range results {
		points := make(plotter.XYs, len(r.Latency))
		for percent, latency := range r.Latency {
			points[percent] = plotter.XY{X: float64(percent), Y: latency}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return fmt.Errorf("draw %s: %w", r.Route.Name, err)
		}
		line.Color, line.Width = colours[i%len(colours)], vg.Points(1.5)
		if i >= len(colours) {
			line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
		}
		p.Add(line)
		p.Legend.Add(r.Route.Name, line)
	}
	svg, err := p.WriterTo(18*vg.Centimeter, 11*vg.Centimeter, "svg")
	if err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	_, err = svg.WriteTo(w)
	return err
}
