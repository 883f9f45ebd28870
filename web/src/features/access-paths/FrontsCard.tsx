import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import { frontTitles, type FrontKind, type GeneratedFront } from '@malleus/shared/api/fronts.ts'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { frontQuery } from '../../api/access-paths.ts'
import { useMay } from '../../components/current.ts'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Card } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { addressFor } from './path-words.ts'

/** Configurations for the servers of now, to copy. */
export function FrontsCard({ cluster, path }: { cluster: string; path: AccessPath }) {
  const { may } = useMay('front.read')
  const [chosen, setChosen] = useState<FrontKind | null>(null)
  const [first] = path.fronts
  if (!may || first === undefined) return null
  const kind = chosen !== null && path.fronts.includes(chosen) ? chosen : first
  return (
    <Card
      title="Set it up"
      note="for the servers of now"
      aside={
        <select
          aria-label="Configuration of"
          value={kind}
          onChange={(event) => setChosen(path.fronts.find((each) => each === event.target.value) ?? null)}
          className="h-7 max-w-full rounded-md border border-line bg-surface px-2 text-12"
        >
          {path.fronts.map((each) => (
            <option key={each} value={each}>
              {frontTitles[each]}
            </option>
          ))}
        </select>
      }
    >
      <Front cluster={cluster} kind={kind} address={addressFor(path)} />
    </Card>
  )
}

function Front({ cluster, kind, address }: { cluster: string; kind: FrontKind; address: string | null }) {
  const { data, error } = useQuery(frontQuery(cluster, kind, address))
  if (error !== null) return <ProblemNotice error={error} />
  if (data === undefined) return <SkeletonRows rows={4} />
  return (
    <div className="divide-y divide-line">
      {data.notes.length > 0 && (
        <ul className="list-disc space-y-1 py-3 pr-(--pad-x) pl-8 text-12 text-ink-2">
          {data.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <Files files={data.files} />
      {data.commands.map(({ why, on, lines }) => (
        <Text key={why} title={`On ${on}`} note={why} text={lines.join('\n')} />
      ))}
      <Text
        title="The same from the command line"
        text={`malleus front ${kind} --cluster ${cluster}${address === null ? '' : ` --address ${address}`}`}
      />
    </div>
  )
}

/** Those of every server are alike but for addresses: one is shown open, the others can be. */
function Files({ files }: { files: GeneratedFront['files'] }) {
  return files.map(({ path, on, content }, at) => {
    const title = on === null ? path : `${path} on ${on}`
    const isFirst = files.findIndex((file) => file.path === path) === at
    if (isFirst) return <Text key={title} title={title} text={content} />
    return (
      <details key={title}>
        <summary className="cursor-default px-(--pad-x) py-2.5 font-mono text-12 text-ink-2 hover:bg-hover">
          {title}
        </summary>
        <Text title={title} text={content} />
      </details>
    )
  })
}

function Text({ title, note, text }: { title: string; note?: string; text: string }) {
  return (
    <div className="px-(--pad-x) py-2.5">
      <div className="flex items-center gap-2">
        <h3 className="min-w-0 font-mono text-12 break-words">{title}</h3>
        <span className="ml-auto">
          <Copy text={text} what={title} />
        </span>
      </div>
      {note !== undefined && <p className="pb-1.5 text-12 text-ink-3">{note}</p>}
      <pre
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable (WCAG 2.1.1)
        tabIndex={0}
        aria-label={title}
        className="max-h-80 overflow-auto rounded-md bg-sunken px-3 py-2 font-mono text-12"
      >
        {text}
      </pre>
    </div>
  )
}
