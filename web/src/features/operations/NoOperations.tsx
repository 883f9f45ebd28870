import { Copy } from '../../ui/Copy.tsx'

const command = 'incus launch images:debian/13 first'

/** In the place of a table that would be empty: what would fill it. */
export function NoOperations() {
  return (
    <div className="px-(--pad-x) py-8 text-center">
      <p className="font-strong">Nothing runs, and you have seen nothing end in the last 30 days.</p>
      <p className="mt-1 text-ink-2">Whatever takes its time shows up here by itself, wherever it was started:</p>
      <p className="mt-3 inline-flex max-w-full items-center gap-1 rounded-[7px] border border-line bg-sunken py-0.5 pr-1 pl-3">
        <code className="min-w-0 font-mono text-12 wrap-anywhere">{command}</code>
        <Copy text={command} what="the command" />
      </p>
    </div>
  )
}
