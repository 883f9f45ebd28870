// Where everything of the drawing is, from what was measured: pure.

import type { AccessPath, PathServer } from '@malleus/shared/api/access-paths.ts'
import { formatMs } from '../../lib/time.ts'
import type { Tone } from '../../ui/StateMark.tsx'

export interface Box {
  readonly key: string
  readonly x: number
  readonly y: number
  readonly title: string
  readonly note: string
  readonly tone: Tone | null
}

export interface Edge {
  readonly key: string
  readonly path: string
  readonly tone: Tone
  readonly dashed: boolean
  readonly label: string
  readonly labelX: number
  readonly labelY: number
}

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly boxes: readonly Box[]
  readonly edges: readonly Edge[]
  /** How many servers do not fit; they are in the table. */
  readonly leftOut: number
}

export const boxWidth = 172
export const boxHeight = 44
const gap = 20
const width = 760
const mostServers = 10
const columns = { clients: 0, path: 286, servers: width - boxWidth }

export function drawPath(path: AccessPath): Drawing {
  const shown = path.servers.toSorted((a, b) => weight(b) - weight(a)).slice(0, mostServers)
  const names = new Set(shown.map(({ name }) => name))
  const servers = path.servers.filter(({ name }) => names.has(name))
  const height = Math.max(1, servers.length) * (boxHeight + gap) - gap
  const middle = (height - boxHeight) / 2
  const top = (at: number) => at * (boxHeight + gap)
  const entry: Edge = {
    key: 'entry',
    path: `M${columns.clients + boxWidth} ${middle + boxHeight / 2}H${columns.path}`,
    tone: path.verdict.level === 'bad' && path.verdict.word === 'Down' ? 'bad' : 'unknown',
    dashed: path.verdict.word === 'Down',
    label: '',
    labelX: 0,
    labelY: 0,
  }
  return {
    width,
    height,
    leftOut: path.servers.length - servers.length,
    boxes: [
      {
        key: ' clients',
        x: columns.clients,
        y: middle,
        title: 'Clients',
        note: 'incus, interfaces, tools',
        tone: null,
      },
      { key: ' path', x: columns.path, y: middle, title: path.name, note: describePlace(path), tone: null },
      ...servers.map((server, at) => ({
        key: server.name,
        x: columns.servers,
        y: top(at),
        title: server.name,
        note: server.place === 'off' && server.note !== null ? server.note : (server.address ?? ''),
        tone: server.place === 'on' ? toneOfServer(server) : null,
      })),
    ],
    edges: [entry, ...servers.flatMap((server, at) => edgeTo(server, middle, top(at)))],
  }
}

function edgeTo(server: PathServer, from: number, to: number): Edge[] {
  if (server.place === 'off') return []
  const [x1, y1] = [columns.path + boxWidth, from + boxHeight / 2]
  const [x2, y2] = [columns.servers, to + boxHeight / 2]
  const bend = (x2 - x1) * 0.55
  const tone = server.place === 'on' ? toneOfServer(server) : 'unknown'
  return [
    {
      key: server.name,
      path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
      tone,
      dashed: tone === 'bad' || server.place === 'unknown',
      label: labelOf(server),
      labelX: x2 - 8,
      // On the outer side of the line, which bends towards the middle.
      labelY: y2 > y1 ? y2 + 13 : y2 - 5,
    },
  ]
}

function labelOf({ place, symptom, answerMs, share }: PathServer): string {
  if (place === 'unknown') return symptom ?? 'not seen yet'
  if (symptom !== null) return symptom
  if (answerMs === null) return ''
  return share === null ? formatMs(answerMs) : `${formatMs(answerMs)}, ${Math.round(100 * share)}%`
}

export function toneOfServer({ symptom }: Pick<PathServer, 'symptom'>): Tone {
  if (symptom === null) return 'good'
  return symptom === 'slow' ? 'warning' : 'bad'
}

/** Those on the path before those off it, and ill ones first: they must be in the picture. */
function weight({ place, symptom }: PathServer): number {
  return (place === 'off' ? 0 : 1) + (symptom === null ? 0 : 2)
}

function describePlace({ kind, records, target, servers }: AccessPath): string {
  if (kind === 'dns' && records !== null) {
    const ttls = records.flatMap(({ ttlSeconds }) => (ttlSeconds === null ? [] : [ttlSeconds]))
    const addresses = `${records.length} ${records.length === 1 ? 'address' : 'addresses'}`
    return ttls.length === 0 ? addresses : `${addresses}, TTL ${Math.max(...ttls)} s`
  }
  if (kind === 'floating-ip') {
    const holder = servers.find(({ place }) => place === 'on')
    return holder === undefined ? target : `${target}, on ${holder.name}`
  }
  return target
}
