import { describe, expect, test } from 'vitest'
import type { DeepRecord } from './database.ts'
import { judgeDatabase, nextDeepRecord, noDeepRecord } from './database.ts'
import { healthSettings } from './health-settings.ts'

const settings = healthSettings()

/** `ok@3` answered at 3; `no2@5` failed twice in a row, first at 5; `no1@5/3` had answered at 3 before. */
function record(text: string): DeepRecord {
  const parts = /^(?:ok@(\d+)|no(\d)@(\d+)(?:\/(\d+))?|-)$/.exec(text)
  if (text === '-' || parts === null) return noDeepRecord
  const [, okAt, failures, failedAt, before] = parts
  if (okAt !== undefined) return { failures: 0, firstFailureAt: null, answeredAt: Number(okAt) }
  return {
    failures: Number(failures),
    firstFailureAt: Number(failedAt),
    answeredAt: before === undefined ? null : Number(before),
  }
}

describe('the cluster database', () => {
  const table: [string, string[], boolean | null, number[], silent?: number][] = [
    ['nobody has asked', ['-', '-'], null, []],
    ['all answered', ['ok@1', 'ok@2', 'ok@3'], true, []],
    ['one failure is a lost packet', ['no1@5', 'ok@2', 'ok@3'], true, []],
    ['two failures, and others were answered before them only', ['no2@5', 'ok@2', 'ok@3'], true, []],
    ['two failures, and another was answered since', ['no2@5', 'ok@7', 'ok@3'], true, [0]],
    ['two members are cut off, the third is not', ['no2@5', 'no3@4', 'ok@9'], true, [0, 1]],
    ['all fail at once: it is gone, and nobody is to blame', ['no1@5/4', 'no1@6/4', 'no1@7/4'], false, []],
    ['all fail for long', ['no9@5/4', 'no9@6/4', 'no9@7/4'], false, []],
    ['it is back for one: the others wait for their turn', ['ok@60', 'no1@58/4', 'no1@59/4'], true, []],
    ['a member that stays behind when it is back', ['ok@60', 'no9@5/4', 'ok@61'], true, [1]],
    ['a cluster of one, one failure', ['no1@5/4'], true, []],
    ['a cluster of one, two failures', ['no2@5/4'], false, []],
    ['members that were not asked have no say', ['no2@5/4', '-', '-'], false, []],
    ['one failure, and one member is silent', ['no1@5/4', '-'], false, [], 1],
    ['one failure, and two members are silent', ['no1@5/4', '-', '-'], false, [], 2],
    ['one failure and a silent member, and another that was not asked yet', ['no1@5/4', '-', '-'], true, [], 1],
    ['one failure and a silent member, and another that was answered', ['no1@5/4', '-', 'ok@3'], true, [], 1],
    ['an answer beside silent members', ['ok@4', '-', '-'], true, [], 2],
    ['nobody is left to be asked', ['-', '-', '-'], null, [], 3],
  ]
  test.each(table)('%s', (_, records, available, cutOff, silent = 0) => {
    const known = new Map(records.map((text, index) => [String(index), record(text)]))
    const judged = judgeDatabase(known, silent, settings)
    expect(judged.available).toBe(available)
    expect([...judged.cutOff]).toEqual(cutOff.map(String))
    expect(judged.goneSince !== null).toBe(available === false)
  })

  test('is gone since the first of the failures that say so', () => {
    const records = new Map([record('no3@8/4'), record('no1@6/5'), noDeepRecord].map((each, at) => [String(at), each]))
    expect(judgeDatabase(records, 1, settings).goneSince).toBe(6)
  })

  test('failures are counted in a row, from the first', () => {
    const failed = [10, 15, 20].reduce((each, now) => nextDeepRecord(each, false, now), record('ok@5'))
    expect(failed).toEqual({ failures: 3, firstFailureAt: 10, answeredAt: 5 })
    expect(nextDeepRecord(failed, true, 25)).toEqual(record('ok@25'))
  })
})
