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
		if n.Schedule == nil {
			continue
		}
		if slot, ok := n.Schedule.Next(v.now, n.Zone); ok {
			w.metrics.next.WithLabelValues(n.Name).Set(seconds(slot.At))
		}
		last, err := w.Service.Store.LastRun(ctx, n.Name, store.CadenceSchedule, schedule.Key(v.now, n.Zone))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look up the last run of %s: %w", n.Name, err)
		}
		w.metrics.last.WithLabelValues(n.Name).Set(seconds(last.CreatedAt))
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
