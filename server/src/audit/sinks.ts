import { hostname } from 'node:os'
import { fileSink } from './file-sink.ts'
import type { SinkFeedOptions } from './sink-feed.ts'
import { SinkFeed } from './sink-feed.ts'
import type { Sink, SinkSettings } from './sink.ts'
import { syslogSink } from './syslog-sink.ts'
import { webhookSink } from './webhook-sink.ts'

/** A feed for each sink of the configuration; poke them when there is something new. */
export function openSinks(
  settings: readonly SinkSettings[],
  options: Omit<SinkFeedOptions, 'sink'>,
): readonly SinkFeed[] {
  return settings.map((one) => new SinkFeed({ ...options, sink: sinkOf(one) }))
}

function sinkOf(settings: SinkSettings): Sink {
  switch (settings.kind) {
    case 'file':
      return fileSink(settings)
    case 'webhook':
      return webhookSink(settings)
    case 'syslog':
      return syslogSink(settings, hostname())
  }
}
