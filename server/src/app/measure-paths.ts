import type { CheckLevel } from '@malleus/shared/api/access-paths.ts'
import type { AccessPaths } from '../access-paths/access-paths.ts'
import type { Instruments } from '../lib/instruments.ts'
import { accessPathMetrics, pathLevels } from './metric-definitions.ts'

/** Lets the metrics hear of every visit of an access path, and ask what each is worth. Returns what ends it. */
export function measurePaths(instruments: Instruments, clusters: ReadonlyMap<string, AccessPaths>): () => void {
  const visits = instruments.counter(accessPathMetrics.visits)
  const seconds = instruments.histogram(accessPathMetrics.seconds)
  instruments.read(accessPathMetrics.verdict, () =>
    [...clusters].flatMap(([cluster, paths]) =>
      paths.list().map(({ name, verdict }) => ({ labels: [cluster, name] as const, value: valueOf(verdict.level) })),
    ),
  )
  const ends = [...clusters].map(([cluster, paths]) =>
    paths.visits.subscribe(({ path, visit: { end } }) => {
      visits.add([cluster, path.name, end.kind === 'answered' ? 'answered' : end.how])
      if (end.kind === 'answered') seconds.observe([cluster, path.name], end.ms / 1_000)
    }),
  )
  return () => {
    for (const end of ends) end()
  }
}

function valueOf(level: CheckLevel): number {
  return pathLevels.indexOf(level)
}
