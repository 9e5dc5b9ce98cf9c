package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) subscribersReasons() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reasons", Short: "Count why people left, by newsletter", Args: noArgs,
		RunE: a.runPeople(func(ctx context.Context, _ []string) error { return a.countReasons(ctx) }),
	}
	a.jsonFlag(cmd)
	return cmd
}

// countReasons prints how many left for which reason; "" is that of those who
// gave none.
func (a *app) countReasons(ctx context.Context) error {
	counts, err := a.store.WhyLeft(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, counts)
	}
	t := newTable(a.out, "NEWSLETTER", "REASON", "PEOPLE")
	for _, newsletter := range slices.Sorted(maps.Keys(counts)) {
		reasons := counts[newsletter]
		for _, why := range slices.SortedFunc(maps.Keys(reasons), func(x, y string) int {
			return cmp.Or(cmp.Compare(reasons[y], reasons[x]), cmp.Compare(x, y))
		}) {
			t.row(newsletter, cmp.Or(why, "not said"), strconv.Itoa(reasons[why]))
		}
	}
	return t.flush()
}
