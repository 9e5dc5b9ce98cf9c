package pace

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Gate)(nil)

var (
	openDesc = prometheus.NewDesc("tidings_circuit_open",
		"1 for what does not work at present and is left alone: the relay, a newsletter's sender, a recipients' domain.",
		[]string{"circuit"}, nil)
	busyDesc = prometheus.NewDesc("tidings_mails_under_way", "Mails that are being handed over to the relay.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (g *Gate) Describe(to chan<- *prometheus.Desc) {
	to <- openDesc
	to <- busyDesc
}

// Collect implements [prometheus.Collector]. Of all that works, only the relay
// is shown.
func (g *Gate) Collect(to chan<- prometheus.Metric) {
	g.mu.Lock()
	open, busy, up := g.open(), g.flow.busy, g.relay.closed()
	g.mu.Unlock()
	for _, c := range open {
		to <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, 1, c.Name)
	}
	if up {
		to <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, 0, g.relay.Name)
	}
	to <- prometheus.MustNewConstMetric(busyDesc, prometheus.GaugeValue, float64(busy))
}
