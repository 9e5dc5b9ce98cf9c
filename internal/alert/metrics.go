package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// metrics are what a Watch measures at each look.
type metrics struct {
	alerts, last, next, pending *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	gauge := func(name, help, label string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{label})
		if reg != nil {
			reg.MustRegister(g)
		}
		return g
	}
	m := &metrics{
		alerts:  gauge("tidings_alerts", "Open alerts, by kind.", "kind"),
		last:    gauge("tidings_schedule_last_run_timestamp_seconds", "When the last scheduled run was put on record, whatever became of it.", "newsletter"),
		next:    gauge("tidings_schedule_next_run_timestamp_seconds", "When the next scheduled run is due.", "newsletter"),
		pending: gauge("tidings_editions_pending", "Editions with mails that are not sent yet, those that wait for approval among them.", "newsletter"),
	}
	m.count(nil)
	return m
}

// count shows open alerts.
func (m *metrics) count(open map[string]store.Alert) {
	n := map[string]int{}
	for _, a := range open {
		n[a.Kind]++
	}
	for _, kind := range Kinds {
		m.alerts.WithLabelValues(kind).Set(float64(n[kind]))
	}
}

// measure shows what concerns single newsletters.
func (w *Watch) measure(ctx context.Context, v *view) error {
	pending := map[string]int{}
	for _, e := range v.pending {
		pending[e.Newsletter]++
	}
	for _, n := range w.Service.Newsletters {
		w.metrics.pending.WithLabelValues(n.Name).Set(float64(pending[n.Name]))
		next, ok, err := w.Service.NextRun(ctx, n, v.now)
		if err != nil {
			return err
		}
		if ok {
			w.metrics.next.WithLabelValues(n.Name).Set(seconds(next))
		}
		if err := w.measureLast(ctx, n.Name, v); err != nil {
			return err
		}
	}
	return nil
}

// measureLast shows the last run of any cadence. The clocks of readers are at
// most a day ahead.
func (w *Watch) measureLast(ctx context.Context, name string, v *view) error {
	var last time.Time
	for _, c := range store.Cadences {
		e, err := w.Service.Store.LastRun(ctx, name, c, schedule.Key(v.now.AddDate(0, 0, 1), time.UTC))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look up the last %s run of %s: %w", c, name, err)
		}
		if e.CreatedAt.After(last) {
			last = e.CreatedAt
		}
	}
	if !last.IsZero() {
		w.metrics.last.WithLabelValues(name).Set(seconds(last))
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
