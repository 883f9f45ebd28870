import type { AccessPath, PathServer } from '@malleus/shared/api/access-paths.ts'
import { describe, expect, test } from 'vitest'
import { drawPath } from './drawing.ts'

const server = (name: string, more: Partial<PathServer> = {}): PathServer => ({
  name,
  address: '10.20.0.11',
  place: 'on',
  answerMs: 4,
  symptom: null,
  share: null,
  note: null,
  ...more,
})

const path = (servers: PathServer[], more: Partial<AccessPath> = {}): AccessPath => ({
  name: 'incus.example.net',
  kind: 'dns',
  target: 'incus.example.net:8443',
  verdict: { level: 'good', word: 'Good', text: '' },
  probedAt: null,
  records: [{ address: '10.20.0.11', ttlSeconds: 60, member: 'server1', reason: null }],
  tlsEnds: 'member',
  servers,
  checks: [],
  works: [],
  firstAnswer: { nowMs: null, p50Ms: null, p99Ms: null, clients: 0, costs: [] },
  incidents: [],
  fronts: [],
  ...more,
})

const edgesTo = (drawn: ReturnType<typeof drawPath>) =>
  drawn.edges.filter(({ key }) => key !== 'entry').map(({ key, tone, dashed, label }) => [key, tone, dashed, label])

describe('the drawing of a path', () => {
  test('is coloured by what was measured', () => {
    const drawn = drawPath(
      path([
        server('server1'),
        server('server2', { symptom: 'slow', answerMs: null }),
        server('server3', { symptom: 'stuck', answerMs: null }),
        server('server4', { place: 'unknown', answerMs: null }),
        server('server5', { place: 'off', note: 'not in DNS' }),
      ]),
    )
    expect(edgesTo(drawn)).toEqual([
      ['server1', 'good', false, '4.0 ms'],
      ['server2', 'warning', false, 'slow'],
      ['server3', 'bad', true, 'stuck'],
      ['server4', 'unknown', true, 'not seen yet'],
    ])
    expect(drawn.boxes.find(({ key }) => key === 'server5')).toMatchObject({ note: 'not in DNS', tone: null })
  })

  test('says what a name leads to, and who holds an address', () => {
    const noteOf = (drawn: ReturnType<typeof drawPath>) => drawn.boxes.find(({ key }) => key === ' path')?.note
    expect(noteOf(drawPath(path([])))).toBe('1 address, TTL 60 s')
    const floating = path([server('server1')], { kind: 'floating-ip', target: '10.20.0.100:8443' })
    expect(noteOf(drawPath(floating))).toBe('10.20.0.100:8443, on server1')
  })

  test('shows the ill ones of many servers, and says how many it leaves out', () => {
    const many = Array.from({ length: 40 }, (_, n) => server(`server${n + 1}`))
    const ill = many.map((each, n) => (n === 37 ? { ...each, symptom: 'stuck' as const } : each))
    const drawn = drawPath(path(ill))
    expect(drawn.leftOut).toBe(30)
    expect(drawn.boxes.some(({ key }) => key === 'server38')).toBe(true)
  })

  test('no box lies on another', () => {
    const { boxes } = drawPath(path([1, 2, 3, 4, 5].map((n) => server(`server${n}`))))
    const places = boxes.map(({ x, y }) => `${x} ${y}`)
    expect(new Set(places).size).toBe(boxes.length)
  })
})
