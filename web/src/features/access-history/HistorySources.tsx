import type { HistorySources as Sources } from '@malleus/shared/api/audit.ts'
import { useQuery } from '@tanstack/react-query'
import { historySourcesQuery } from '../../api/history.ts'
import { Notice } from '../../ui/Notice.tsx'
import { sourceNotices } from './source-notices.ts'

/** What the history does not have at this moment; nothing where it hears all. */
export function HistorySources({ cluster }: { cluster: string }) {
  const { data } = useQuery(historySourcesQuery(cluster))
  return data === undefined ? null : <Notices sources={data} />
}

function Notices({ sources }: { sources: Sources }) {
  return sourceNotices(sources).map(({ tone, headline, text }) => (
    <Notice key={headline} tone={tone} shape={tone === 'info' ? 'info' : 'alert'} headline={headline}>
      {text}
    </Notice>
  ))
}
