package load

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"twip/infra/site"
)

// Title is the title of a load's nth post. No title is part of another.
func Title(titles string, n int) string { return fmt.Sprintf("%s-%06d", titles, n) }

// Tally is what became of a load's posts, by the list of articles afterwards.
type Tally struct {
	Sent, Acknowledged int
	Unanswered         int      // posts of which nobody was told whether they were carried out
	ThereAnyway        int      // those of them that were
	Lost               []string // titles of acknowledged posts that are not listed
	Doubled            []string // titles that are listed more than once
}

// Count looks every post of a load up in the page that lists the articles.
func Count(page, titles string, samples []Sample) Tally {
	listed := map[string]int{}
	title := regexp.MustCompile(regexp.QuoteMeta(titles) + `-[0-9]{6}`)
	for _, found := range title.FindAllString(site.Text(page), -1) {
		listed[found]++
	}
	var t Tally
	for _, s := range Of(samples, Post) {
		t.Sent++
		switch times := listed[s.Title]; {
		case s.OK() && times == 0:
			t.Lost = append(t.Lost, s.Title)
		case !s.OK() && times > 0:
			t.ThereAnyway++
		}
		if s.OK() {
			t.Acknowledged++
		}
	}
	t.Unanswered = t.Sent - t.Acknowledged
	for found, times := range listed {
		if times > 1 {
			t.Doubled = append(t.Doubled, found)
		}
	}
	slices.Sort(t.Lost)
	slices.Sort(t.Doubled)
	return t
}

// List reads the page that lists the articles, again and again until it is there.
func List(ctx context.Context, url string, patience time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		page, err := site.Get(ctx, strings.TrimSuffix(url, "/")+site.ReadPath)
		if err == nil {
			return page, nil
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Window is a time during which a server that writes may have died: from the fault until all was well again.
type Window struct{ From, To time.Time }

// Dated says how the dates of acknowledged articles compare with when they were posted.
type Dated struct {
	Exact int           // dated between sending and acknowledgement, as far as clocks agree
	Off   int           // dated later, as they may be near a fault
	Worst time.Duration // by how much at the most
	Wrong []string      // dated otherwise, with no fault near: a line for each
}

// Dates compares the dates that a page shows with when the articles were posted. A post whose server died may be dated
// by the takeover if it was acknowledged less than grace before a window, or in it. The servers' clocks may differ from
// this computer's by skew. A page that shows no dates gives nothing.
func Dates(page string, samples []Sample, windows []Window, grace, skew time.Duration) Dated {
	acked := map[string]Sample{}
	for _, s := range Of(samples, Post) {
		if s.OK() {
			acked[s.Title] = s
		}
	}
	var d Dated
	for _, article := range site.Articles(page) {
		s, mine := acked[article.Title]
		date, err := time.Parse(time.RFC3339Nano, article.Date)
		if !mine || err != nil {
			continue
		}
		near := func(w Window) bool {
			return s.Done.After(w.From.Add(-grace)) && !s.Done.After(w.To) && !date.After(w.To.Add(skew))
		}
		switch late := date.Sub(s.Done); {
		case date.Before(s.Sent.Add(-skew).Truncate(time.Millisecond)):
			d.Wrong = append(d.Wrong, fmt.Sprintf("%s is dated %s, before it was posted", s.Title, article.Date))
		case late <= skew:
			d.Exact++
		case slices.ContainsFunc(windows, near):
			d.Off++
			d.Worst = max(d.Worst, late)
		default:
			d.Wrong = append(d.Wrong, fmt.Sprintf("%s is dated %s, %s after it was acknowledged, and no fault was near",
				s.Title, article.Date, late.Round(time.Millisecond)))
		}
	}
	return d
}
