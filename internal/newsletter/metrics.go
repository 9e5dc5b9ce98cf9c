package newsletter

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what a Service and its Senders do.
type Metrics struct {
	deliveries *prometheus.CounterVec
	editions   *prometheus.CounterVec
	notices    *prometheus.CounterVec
	bounces    *prometheus.CounterVec
	reports    *prometheus.CounterVec
}

// NewMetrics makes the counters and registers them; reg may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		if reg != nil {
			reg.MustRegister(c)
		}
		return c
	}
	return &Metrics{
		deliveries: counter("tidings_delivery_attempts_total", "Attempts at deliveries of digests, by resulting state.", "state"),
		editions:   counter("tidings_editions_total", "Editions recorded by the schedule, by status.", "status"),
		notices:    counter("tidings_notices_total", "Attempts at confirmation mails, by result.", "result"),
		bounces:    counter("tidings_bounces_total", "Mails that came back or were refused for good, and complaints, by class.", "class"),
		reports:    counter("tidings_bounce_reports_total", "Reports of mails that came back or were refused, by what became of the report.", "result"),
	}
}

func (m *Metrics) delivery(state string) { m.deliveries.WithLabelValues(state).Inc() }
func (m *Metrics) edition(status string) { m.editions.WithLabelValues(status).Inc() }
func (m *Metrics) bounce(class string)   { m.bounces.WithLabelValues(class).Inc() }
func (m *Metrics) report(result string)  { m.reports.WithLabelValues(result).Inc() }
func (m *Metrics) notice(result string)  { m.notices.WithLabelValues(result).Inc() }
