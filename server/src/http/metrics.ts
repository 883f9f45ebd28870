import { counter, type Counter, gauge, histogram, type Histogram, Instruments } from '../lib/instruments.ts'

/** What the door counts: routes are templates and codes are closed, so no address and no person is among the labels. */
export const doorMetrics = {
  requests: counter(
    'malleus_http_requests_total',
    'Requests of browsers, by the template of their route; 499 when the browser had gone before the answer was out.',
    ['method', 'route', 'status'],
  ),
  seconds: histogram(
    'malleus_http_request_seconds',
    'Time from the head of a request to the last byte of its answer; without live streams.',
    ['route'],
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 5, 30],
  ),
  inFlight: gauge('malleus_http_in_flight', 'Requests that are being answered, with the live streams.', []),
  refusals: counter('malleus_http_refusals_total', 'Requests that ended with a problem, by its code.', ['code']),
  reports: counter(
    'malleus_browser_reports_total',
    'Reports of browsers that the content policy stopped something, by its directive.',
    ['directive'],
  ),
} as const

/** What the door counts of each request. */
export class DoorMetrics {
  readonly #requests: Counter<readonly ['method', 'route', 'status']>
  readonly #seconds: Histogram<readonly ['route']>
  readonly #refusals: Counter<readonly ['code']>
  readonly #reports: Counter<readonly ['directive']>
  #inFlight = 0

  constructor(instruments = new Instruments()) {
    this.#requests = instruments.counter(doorMetrics.requests)
    this.#seconds = instruments.histogram(doorMetrics.seconds)
    instruments.read(doorMetrics.inFlight, () => [{ labels: [], value: this.#inFlight }])
    this.#refusals = instruments.counter(doorMetrics.refusals)
    this.#reports = instruments.counter(doorMetrics.reports)
  }

  began(): void {
    this.#inFlight += 1
  }

  served(method: string, route: string, status: number, ms: number): void {
    this.#inFlight -= 1
    this.#requests.add([methods.has(method) ? method : 'other', route, String(status)])
    // A stream is as long as somebody listens: its length is nobody's wait.
    if (route !== '/api/live') this.#seconds.observe([route], ms / 1000)
  }

  refused(code: string): void {
    this.#refusals.add([code])
  }

  reported(directive: string): void {
    this.#reports.add([directive])
  }
}

/** Anybody can send anything else, and each would be a line of the metrics for good. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
