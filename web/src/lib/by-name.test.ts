import { expect, test } from 'vitest'
import { byName } from './by-name.ts'

test('numbers in names count as numbers, and case does not', () => {
  const names = [
    'server10',
    'Server2',
    'server1',
    'rack2-b',
    'rack10-a',
    'rack2-a',
    'server',
    '10.20.0.9',
    '10.20.0.11',
    '',
  ]
  expect(names.toSorted(byName)).toEqual([
    '',
    '10.20.0.9',
    '10.20.0.11',
    'rack2-a',
    'rack2-b',
    'rack10-a',
    'server',
    'server1',
    'Server2',
    'server10',
  ])
})

test('names that differ only in case or zeros have an order of their own', () => {
  expect(byName('a', 'A')).toBe(1)
  expect(byName('A', 'a')).toBe(-1)
  expect(byName('s01', 's1')).toBe(-1)
  expect(byName('a', 'a')).toBe(0)
})
