import { Copy } from '../../ui/Copy.tsx'

/** What does the same in a terminal. */
export function Command({ text, what = 'the command' }: { text: string; what?: string }) {
  return (
    <p className="flex min-w-0 items-start gap-1 rounded-md bg-sunken px-2 py-1">
      <code className="min-w-0 grow py-1 font-mono text-12 whitespace-pre-wrap wrap-anywhere text-ink-2">{text}</code>
      <Copy text={text} what={what} />
    </p>
  )
}
