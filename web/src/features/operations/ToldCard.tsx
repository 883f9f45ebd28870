import { Ago } from '../../components/Ticking.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'

/** What Incus said of an operation last: what it adds to it, and all of it as it came. */
export function ToldCard(props: {
  told: Readonly<Record<string, unknown>> | null | undefined
  isPending: boolean
  heardAt: string
}) {
  const { told, isPending, heardAt } = props
  if (told === null || told === undefined) {
    return (
      <Card title="What Incus said">
        {isPending ? <SkeletonRows rows={6} /> : <p className="px-(--pad-x) py-3 text-ink-3">Nothing yet.</p>}
      </Card>
    )
  }
  const text = JSON.stringify(told, null, 2)
  const added = Object.entries(isRecord(told['metadata']) ? told['metadata'] : {})
  return (
    <Card title="What Incus said" note={<Ago at={heardAt} />} aside={<Copy text={text} what="what Incus said" />}>
      {added.length > 0 && (
        <Facts>
          {added.map(([key, value]) => (
            <Fact key={key} name={key}>
              <span className="font-mono text-12 wrap-anywhere text-ink-2">
                {typeof value === 'string' ? value : JSON.stringify(value)}
              </span>
            </Fact>
          ))}
        </Facts>
      )}
      <pre
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable (WCAG 2.1.1)
        tabIndex={0}
        role="group"
        aria-label="The record as Incus sent it, without secrets"
        className="max-h-[60vh] overflow-auto border-t border-line bg-sunken px-(--pad-x) py-3 font-mono text-12 wrap-anywhere whitespace-pre-wrap text-ink-2 first:border-t-0"
      >
        {text}
      </pre>
      <p className="border-t border-line px-(--pad-x) py-2 text-12 text-ink-3">
        Secrets, and what a command was given, are left out.
      </p>
    </Card>
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
