export class NoSuchSink extends Error {
  override readonly name = 'NoSuchSink'
  readonly code = 'not_found'
  readonly detail: string

  constructor(sink: string) {
    const detail = `No ${sink} is configured for alerts (alerts.${sink}).`
    super(detail)
    this.detail = detail
  }
}
