import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What the door counts. Others add their own to the same registry. */
export class DoorMetrics {
  readonly registry: Registry
  readonly #requests: Counter<'method' | 'route' | 'status'>
  readonly #seconds: Histogram<'route'>
  readonly #refusals: Counter<'code'>
  readonly #reports: Counter<'directive'>

  constructor(registry = new Registry()) {
    this.registry = registry
    const registers = [registry]
    this.#requests = new Counter({
      name: 'malleus_http_requests_total',
      help: 'Requests of browsers, by route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'malleus_http_request_seconds',
      help: 'Time from the first byte of a request to the last of its answer.',
      labelNames: ['route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 5, 30],
      registers,
    })
    this.#refusals = new Counter({
      name: 'malleus_http_refusals_total',
      help: 'Requests that ended with a problem, by its code.',
      labelNames: ['code'],
      registers,
    })
    this.#reports = new Counter({
      name: 'malleus_browser_reports_total',
      help: 'Reports of browsers that something broke the content policy.',
      labelNames: ['directive'],
      registers,
    })
  }

  served(method: string, route: string, status: number, ms: number): void {
    this.#requests.inc({ method, route, status })
    this.#seconds.observe({ route }, ms / 1000)
  }

  refused(code: string): void {
    this.#refusals.inc({ code })
  }

  reported(directive: string): void {
    this.#reports.inc({ directive })
  }

  /** A value that is asked for whenever somebody reads the metrics. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [], collect: () => gauge.set(read()) })
    this.registry.registerMetric(gauge)
  }

  /** Values that are asked for whenever somebody reads the metrics, one for each set of labels. */
  gauges<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: () => readonly { readonly labels: Readonly<Record<Label, string>>; readonly value: number }[],
  ): void {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [],
      collect: () => {
        // Members come and go; a value of one that has left would stay for ever.
        gauge.reset()
        for (const { labels, value } of read()) gauge.set(labels, value)
      },
    })
    this.registry.registerMetric(gauge)
  }

  /** Adds what Node says of the process: memory, event loop, garbage collection. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.registry })
  }
}
