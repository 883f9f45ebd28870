import { describe, expect, it } from 'vitest'
import { parseDemoOptions } from './demo-options.ts'

describe('the options of the demo', () => {
  it.each([
    [[], { real: false, members: 5, publicUrl: null }],
    [['--real'], { real: true, members: 3, publicUrl: null }],
    [['--members', '50'], { real: false, members: 50, publicUrl: null }],
    [['--help'], 'help'],
  ])('%j', (args, options) => expect(parseDemoOptions(args)).toEqual(options))

  it.each([
    [['--members', '0'], '--members takes a whole number from 1 to 50.'],
    [['--real', '--members', '26'], '--members takes a whole number from 1 to 25.'],
    [['--members', 'many'], '--members takes a whole number from 1 to 50.'],
    [['--bogus'], "Unknown option '--bogus'."],
    [['extra'], "Unexpected argument 'extra'."],
  ])('%j is not understood', (args, mistake) =>
    expect(parseDemoOptions(args)).toMatchObject({ mistake: expect.stringContaining(mistake) }),
  )
})
