import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { AnsweredRow, KnownList, RowKind } from './known-list.ts'
import { changesSince, differsFrom, nothingKnown, withNames, withRows, withWholeAnswer } from './known-list.ts'

interface Row {
  readonly name: string
  readonly on: string
  /** Null where its member did not tell it. */
  readonly state: string | null
}

const kind: RowKind<Row> = {
  same: (a, b) => a.on === b.on && a.state === b.state,
  keep: (before, named) => (before.on === named.on ? before : { ...before, on: named.on }),
}

/** `a1 Running` on server1 and so on: the digit names the server; no state means that it was only named. */
function rowOf(text: string): AnsweredRow<Row> {
  const [place = '', state = null] = text.split(' ')
  const [name = '', digit = name.replaceAll(/\D/g, '')] = place.split('@')
  const member = `server${digit}`
  return { key: name, member, told: state !== null, row: { name, on: member, state } }
}

/** What a page would show: the state, `?` where there is none, and `~<asOf>` where it is only the last known. */
function shown(list: KnownList<Row>): string {
  return [...list.rows.values()]
    .map(({ row, asOf, current }) => `${row.name}@${row.on.slice(6)} ${row.state ?? '?'}${current ? '' : `~${asOf}`}`)
    .toSorted()
    .join(', ')
}

type Step =
  | { readonly whole: readonly string[]; readonly at: number }
  | { readonly names: readonly string[]; readonly at: number }
  | { readonly rows: readonly string[]; readonly gone?: readonly string[]; readonly at: number }

function after(...steps: readonly Step[]): KnownList<Row> {
  return steps.reduce((list, step) => {
    if ('whole' in step) return withWholeAnswer(list, step.whole.map(rowOf), step.at, kind)
    if ('names' in step) return withNames(list, step.names.map(rowOf), step.at)
    return withRows(list, step.rows.map(rowOf), step.gone ?? [], step.at, kind)
  }, nothingKnown<Row>())
}

describe('members that tell nothing', () => {
  const nobody = { told: [], silent: [] }

  it('are silent where somebody says so, and told what they had where somebody does', () => {
    const first = withWholeAnswer(nothingKnown<Row>(), [], 10, kind, { told: ['server1', 'server2'], silent: [] })
    const second = withWholeAnswer(first, [rowOf('a1 Running')], 20, kind, { told: ['server1'], silent: ['server2'] })
    expect([...second.untold]).toEqual(['server2'])
    expect([...second.toldAt]).toEqual([
      ['server1', 20],
      ['server2', 10],
    ])
    expect(withWholeAnswer(second, [], 30, kind, nobody).untold.size).toBe(0)
  })
})

describe('what is known of a list', () => {
  const known: Step = { whole: ['a1 Running', 'b2 Stopped', 'c3 Running'], at: 10 }

  test.each<[string, readonly Step[], string]>([
    ['nothing at first', [], ''],
    ['the first whole answer', [known], 'a1@1 Running, b2@2 Stopped, c3@3 Running'],
    ['names before there is more', [{ names: ['a1', 'b2'], at: 5 }], 'a1@1 ?~null, b2@2 ?~null'],
    [
      'a whole answer in place of names',
      [{ names: ['a1', 'x9'], at: 5 }, known],
      'a1@1 Running, b2@2 Stopped, c3@3 Running',
    ],
    [
      'names that come after a whole answer say nothing',
      [known, { names: ['a1'], at: 11 }],
      'a1@1 Running, b2@2 Stopped, c3@3 Running',
    ],
    [
      'the last known of a member that is silent, never its error',
      [known, { whole: ['a1 Running', 'b2 Running', 'c3'], at: 20 }],
      'a1@1 Running, b2@2 Running, c3@3 Running~10',
    ],
    [
      'the same after it was silent for several answers',
      [
        known,
        { whole: ['a1 Running', 'b2 Stopped', 'c3'], at: 20 },
        { whole: ['a1 Stopped', 'b2 Stopped', 'c3'], at: 30 },
      ],
      'a1@1 Stopped, b2@2 Stopped, c3@3 Running~10',
    ],
    [
      'what it tells once it answers again',
      [known, { whole: ['a1 Running', 'c3'], at: 20 }, { whole: ['a1 Running', 'c3 Stopped'], at: 30 }],
      'a1@1 Running, c3@3 Stopped',
    ],
    ['a row that was never told: its name', [{ whole: ['a1 Running', 'c3'], at: 10 }], 'a1@1 Running, c3@3 ?~null'],
    [
      'a row that was named, and not told by the whole answer',
      [
        { names: ['a1', 'c3'], at: 5 },
        { whole: ['a1 Running', 'c3'], at: 10 },
      ],
      'a1@1 Running, c3@3 ?~null',
    ],
    [
      'a row that was made while its member is silent',
      [known, { whole: ['a1 Running', 'c3', 'd3'], at: 20 }],
      'a1@1 Running, c3@3 Running~10, d3@3 ?~null',
    ],
    ['what a whole answer lacks is gone', [known, { whole: ['a1 Running'], at: 20 }], 'a1@1 Running'],
    [
      'one that moved to a member that is silent is last known, and there',
      [known, { whole: ['a1@3', 'b2 Stopped', 'c3'], at: 20 }],
      'a1@3 Running~10, b2@2 Stopped, c3@3 Running~10',
    ],
    [
      'single rows that were told',
      [known, { rows: ['a1 Stopped', 'd1 Running'], at: 15 }],
      'a1@1 Stopped, b2@2 Stopped, c3@3 Running, d1@1 Running',
    ],
    ['a row that is said to be gone', [known, { rows: [], gone: ['a1'], at: 15 }], 'b2@2 Stopped, c3@3 Running'],
    [
      'a whole answer that was asked for before a row was told does not change it back',
      [known, { rows: ['a1 Stopped'], at: 25 }, { whole: ['a1 Running', 'b2 Running'], at: 20 }],
      'a1@1 Stopped, b2@2 Running',
    ],
    [
      'nor takes away a row that was made meanwhile',
      [known, { rows: ['d1 Running'], at: 25 }, { whole: ['a1 Running'], at: 20 }],
      'a1@1 Running, d1@1 Running',
    ],
    [
      'nor brings back one that is gone since',
      [known, { rows: [], gone: ['a1'], at: 25 }, { whole: ['a1 Running', 'b2 Stopped'], at: 20 }],
      'b2@2 Stopped',
    ],
    [
      'one with the name of a gone one is another one',
      [known, { rows: [], gone: ['a1'], at: 25 }, { whole: ['a1 Stopped'], at: 30 }],
      'a1@1 Stopped',
    ],
    [
      'a row told later than it is said to be gone stays',
      [known, { rows: ['a1 Stopped'], at: 30 }, { rows: [], gone: ['a1'], at: 25 }],
      'a1@1 Stopped, b2@2 Stopped, c3@3 Running',
    ],
    [
      'a row told earlier than it is known is old',
      [known, { rows: ['a1 Stopped'], at: 5 }],
      'a1@1 Running, b2@2 Stopped, c3@3 Running',
    ],
  ])('is %s', (_what, steps, expected) => {
    expect(shown(after(...steps))).toBe(expected)
  })

  test.each<[string, readonly Step[], Record<string, number>, readonly string[]]>([
    ['all that told', [known], { server1: 10, server2: 10, server3: 10 }, []],
    [
      'not one whose rows were only named',
      [known, { whole: ['a1 Running', 'c3'], at: 20 }],
      { server1: 20, server2: 10, server3: 10 },
      ['server3'],
    ],
    [
      'one that told some and failed at one',
      [known, { whole: ['c3 Running', 'd3'], at: 20 }],
      { server1: 10, server2: 10, server3: 20 },
      [],
    ],
    ['none by single rows', [known, { rows: ['a1 Stopped'], at: 15 }], { server1: 10, server2: 10, server3: 10 }, []],
  ])('knows when each member told its rows: %s', (_what, steps, toldAt, untold) => {
    const list = after(...steps)
    expect(Object.fromEntries(list.toldAt)).toEqual(toldAt)
    expect([...list.untold]).toEqual(untold)
  })

  it('keeps the very object of a row in which nothing is new', () => {
    const before = after(known)
    const same = withWholeAnswer(before, known.whole.map(rowOf), 20, kind)
    expect(same.rows.get('a1')?.row).toBe(before.rows.get('a1')?.row)
    expect(differsFrom(same, before)).toBe(false)
    expect(same.rows.get('a1')?.asOf).toBe(20)
  })
})

describe('changes since a revision', () => {
  const first = after({ whole: ['a1 Running', 'b2 Stopped', 'c3 Running'], at: 10 })
  const names = (list: KnownList<Row>, since: number | null) => {
    const { whole, rows, gone } = changesSince(list, since)
    return { whole, rows: rows.map(({ row }) => row.name), gone }
  }

  it('are all rows where no revision is given, or one that is not known', () => {
    const all = { whole: true, rows: ['a1', 'b2', 'c3'], gone: [] }
    expect(names(first, null)).toEqual(all)
    expect(names(first, 99)).toEqual(all)
  })

  it('are none where nothing has changed', () => {
    const again = withWholeAnswer(first, ['a1 Running', 'b2 Stopped', 'c3 Running'].map(rowOf), 20, kind)
    expect(names(again, first.revision)).toEqual({ whole: false, rows: [], gone: [] })
  })

  it('are the rows that are new or other, those that are only last known now, and what is gone', () => {
    const next = withWholeAnswer(first, ['a1 Stopped', 'c3', 'd1 Running'].map(rowOf), 20, kind)
    expect(names(next, first.revision)).toEqual({ whole: false, rows: ['a1', 'c3', 'd1'], gone: ['b2'] })
  })

  it('are all again where more has gone than is remembered', () => {
    const many = Array.from({ length: 1_200 }, (_, at) => `m${at}@1 Running`)
    const full = withWholeAnswer(first, many.map(rowOf), 20, kind)
    const empty = withWholeAnswer(full, [], 30, kind)
    expect(empty.gone.size).toBe(1_000)
    expect(names(empty, full.revision)).toEqual({ whole: true, rows: [], gone: [] })
    expect(names(empty, empty.revision)).toEqual({ whole: false, rows: [], gone: [] })
  })

  it('bring any earlier list to the present one', () => {
    const step = fc.record({
      whole: fc.boolean(),
      rows: fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('', ' Running', ' Stopped')), {
        selector: ([name]) => name,
      }),
      gone: fc.uniqueArray(fc.integer({ min: 0, max: 5 })),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.nat(8), (steps, from) => {
        const lists = [nothingKnown<Row>()]
        steps.forEach(({ whole, rows, gone }, index) => {
          const list = lists.at(-1) ?? nothingKnown<Row>()
          const answered = rows.map(([name, state]) => rowOf(`n${name}@${name % 3}${state}`))
          const at = (index + 1) * 10
          lists.push(
            whole
              ? withWholeAnswer(list, answered, at, kind)
              : withRows(
                  list,
                  answered,
                  gone.map((name) => `n${name}`),
                  at,
                  kind,
                ),
          )
        })
        const before = lists[Math.min(from, lists.length - 1)] ?? nothingKnown<Row>()
        const now = lists.at(-1) ?? nothingKnown<Row>()
        const change = changesSince(now, before.revision)
        const page = new Map(change.whole ? [] : [...before.rows].map(([key, { row }]) => [key, row]))
        for (const { row } of change.rows) page.set(row.name, row)
        for (const key of change.gone) page.delete(key)
        expect(page).toEqual(new Map([...now.rows].map(([key, { row }]) => [key, row])))
      }),
      { numRuns: 300 },
    )
  })
})
