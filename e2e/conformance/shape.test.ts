import { describe, expect, test } from 'vitest'
import { differences, shapeOf } from './shape.ts'

const compare = (real: unknown, standIn: unknown, openMaps: string[] = []): string[] =>
  differences(shapeOf(real, openMaps), shapeOf(standIn, openMaps))

describe('two answers have the same shape', () => {
  test.each([
    [
      { a: 1, b: ['x'] },
      { a: 2, b: [] },
    ],
    [[{ a: 1 }, { a: null }], [{ a: 5 }]],
    [{ rows: null }, { rows: null }],
    [{ rows: [] }, { rows: [{ any: 'thing' }] }],
    [[{ a: { b: 1 } }, { a: null }], [{ a: null }]],
  ])('%j and %j', (real, standIn) => expect(compare(real, standIn)).toEqual([]))

  test('when only names differ that somebody chose', () => {
    expect(compare({ config: { 'user.a': 'x' } }, { config: { 'image.os': 'y' } }, ['.config'])).toEqual([])
    expect(compare({ config: { 'user.a': 'x' } }, { config: { 'image.os': 1 } }, ['.config'])).toEqual([
      '.config{} is number, in Incus string',
    ])
  })
})

describe('two answers differ', () => {
  test.each([
    [{ a: 1 }, {}, '.a is only in Incus'],
    [{}, { a: 1 }, '.a is only in the stand-in'],
    [{ a: 1 }, { a: '1' }, '.a is string, in Incus number'],
    [{ a: 1 }, { a: null }, '.a is null, in Incus number'],
    [[{ a: 1 }], [{ a: 1, b: 2 }], '[].b is only in the stand-in'],
    [{ a: [] }, { a: null }, '.a is null, in Incus list'],
    ['text', { a: 1 }, 'the value is object, in Incus string'],
  ])('%j and %j: %s', (real, standIn, difference) => expect(compare(real, standIn)).toContain(difference))
})
