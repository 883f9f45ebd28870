import { describe, expect, test } from 'vitest'
import { planBeginning, planEnding, slotsOf, type Found } from './leftovers.ts'
import type { LabRecord } from './state-directory.ts'

const wanted = { name: 'lab', stateDirectory: '/run/malleus-lab/lab', members: undefined }
const nothing: Found = { record: undefined, unknownFiles: false, builderAlive: false, roomStands: false, claims: [] }
const record: LabRecord = {
  name: 'lab',
  slot: 0,
  members: 3,
  phase: 'up',
  builder: { pid: 10, startedAt: 20 },
  ownProvider: true,
}
const claim = { slot: 0, name: 'lab', stateDirectory: '/run/malleus-lab/lab' }
const standing: Found = { ...nothing, record, roomStands: true, claims: [claim] }

describe('up', () => {
  test('builds where there is nothing', () => {
    expect(planBeginning(nothing, wanted)).toEqual({ kind: 'build' })
  })

  test('builds beside other labs', () => {
    const other = { slot: 0, name: 'other', stateDirectory: '/run/malleus-lab/other' }
    expect(planBeginning({ ...nothing, claims: [other] }, wanted)).toEqual({ kind: 'build' })
  })

  test('reuses a lab that stands', () => {
    expect(planBeginning(standing, wanted)).toEqual({ kind: 'reuse' })
    expect(planBeginning(standing, { ...wanted, members: 3 })).toEqual({ kind: 'reuse' })
  })

  test('never changes the number of members of a lab that stands', () => {
    expect(planBeginning(standing, { ...wanted, members: 5 })).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/3 members, not 5/),
    })
  })

  test('clears away a lab whose builder was interrupted', () => {
    const interrupted: Found = { ...standing, record: { ...record, phase: 'forming' } }
    expect(planBeginning(interrupted, wanted)).toEqual({ kind: 'rebuild', slots: [0] })
  })

  test('leaves a lab alone while another process builds it', () => {
    const forming: Found = { ...standing, record: { ...record, phase: 'forming' }, builderAlive: true }
    expect(planBeginning(forming, wanted)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/process 10/),
    })
  })

  test('clears away a record that outlived its machine', () => {
    expect(planBeginning({ ...nothing, record }, wanted)).toEqual({ kind: 'rebuild', slots: [0] })
  })

  test('clears away a bridge whose state directory was deleted', () => {
    expect(planBeginning({ ...nothing, claims: [claim] }, wanted)).toEqual({ kind: 'rebuild', slots: [0] })
  })

  test('clears away what is left in a directory whose record was deleted', () => {
    expect(planBeginning({ ...nothing, unknownFiles: true, claims: [claim] }, wanted)).toEqual({
      kind: 'rebuild',
      slots: [0],
    })
  })

  test("refuses a directory with somebody else's files", () => {
    expect(planBeginning({ ...nothing, unknownFiles: true }, wanted)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/not a lab/),
    })
  })

  test('refuses a name that is in use elsewhere, and a directory that is in use by another name', () => {
    const elsewhere = { ...claim, stateDirectory: '/tmp/elsewhere' }
    expect(planBeginning({ ...nothing, claims: [elsewhere] }, wanted)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/\/tmp\/elsewhere/),
    })
    const neighbour = { ...claim, name: 'other' }
    expect(planBeginning({ ...nothing, claims: [neighbour] }, wanted)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/lab other/),
    })
    expect(planBeginning({ ...standing, claims: [], record: { ...record, name: 'other' } }, wanted)).toMatchObject({
      kind: 'refuse',
    })
  })
})

describe('the slots of a lab', () => {
  test('are those of its bridges and of its record', () => {
    expect(slotsOf({ record: { ...record, slot: 4 }, claims: [{ ...claim, slot: 2 }] }, wanted)).toEqual([2, 4])
  })

  test('do not include one that another lab has taken since', () => {
    const thief = { slot: 0, name: 'other', stateDirectory: '/run/malleus-lab/other' }
    expect(slotsOf({ record, claims: [thief] }, wanted)).toEqual([])
  })
})

describe('down', () => {
  test('does nothing where there is nothing', () => {
    expect(planEnding(nothing, wanted, 1)).toEqual({ kind: 'nothing' })
  })

  test('removes a lab, whole, interrupted, or without its record', () => {
    const interrupted: Found = { ...standing, record: { ...record, phase: 'forming' } }
    for (const found of [standing, interrupted, { ...nothing, claims: [claim], unknownFiles: true }]) {
      expect(planEnding(found, wanted, 1)).toEqual({ kind: 'remove', slots: [0] })
    }
  })

  test('leaves a lab alone that another process builds, and removes one that this process builds', () => {
    const forming: Found = { ...standing, record: { ...record, phase: 'forming' }, builderAlive: true }
    expect(planEnding(forming, wanted, 1)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/process 10/),
    })
    expect(planEnding(forming, wanted, 10)).toEqual({ kind: 'remove', slots: [0] })
  })

  test('never removes what is not a lab, or a lab of another name', () => {
    expect(planEnding({ ...nothing, unknownFiles: true }, wanted, 1)).toMatchObject({ kind: 'refuse' })
    expect(planEnding({ ...standing, record: { ...record, name: 'other' } }, wanted, 1)).toMatchObject({
      kind: 'refuse',
    })
  })
})
