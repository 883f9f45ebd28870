import { Copy } from '../ui/Copy.tsx'

/** The ends of a fingerprint, as people compare them, and the whole of it to copy. */
export function Fingerprint({ value, what = 'the fingerprint' }: { value: string; what?: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <span className="font-mono text-12" title={value}>
        {shorten(value)}
      </span>
      <Copy text={value} what={what} />
    </span>
  )
}

function shorten(fingerprint: string): string {
  return fingerprint.length <= 20 ? fingerprint : `${fingerprint.slice(0, 12)}…${fingerprint.slice(-8)}`
}
