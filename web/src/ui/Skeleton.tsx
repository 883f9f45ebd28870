/** Rows where rows will stand. Seen only when they take longer than 200 ms. */
export function SkeletonRows({ rows }: { rows: number }) {
  return (
    <div className="after-200ms divide-y divide-line" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex h-(--row) items-center gap-6 px-(--pad-x)">
          <span className="h-3 w-28 rounded bg-meter-track/60" />
          <span className="h-3 w-20 rounded bg-meter-track/60" />
          <span className="h-3 grow rounded bg-meter-track/40" />
        </div>
      ))}
    </div>
  )
}
