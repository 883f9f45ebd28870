import type { HistorySources } from '@malleus/shared/api/audit.ts'
import { formatFull } from '../../lib/time.ts'

interface SourceNotice {
  readonly tone: 'info' | 'warning'
  readonly headline: string
  readonly text: string
}

/** What is missing in the history now, or will be, in sentences. */
export function sourceNotices({ requests, deaf }: HistorySources): readonly SourceNotice[] {
  const events = deaf.filter(({ member }) => member === null)
  const silent = deaf.filter(({ member }) => member !== null)
  return [
    ...events.map(({ since }): SourceNotice => ({
      tone: 'warning',
      headline: `Events of the cluster are not heard since ${formatFull(since)}.`,
      text: 'What is changed outside this console until then is missing here.',
    })),
    ...(requests.off === null
      ? silent.map(({ member, since, reason }): SourceNotice => ({
          tone: 'warning',
          headline: `Requests to ${member} are not heard since ${formatFull(since)}.`,
          text: sentence(requests.servers.find((server) => server.member === member)?.reason ?? reason),
        }))
      : [
          {
            tone: 'info' as const,
            headline: 'Requests outside this console are not recorded: reads, and who was refused.',
            text: requests.off,
          },
        ]),
  ]
}

/** Reasons begin with a server's name, which stays as it is, or with another word. */
function sentence(text: string): string {
  const begun = /^(it|the|no)\b/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
  return begun.endsWith('.') ? begun : `${begun}.`
}
