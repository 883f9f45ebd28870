import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { capture } from './child.mjs'
import { read, tallyVariable } from './tally.mjs'

const vitest = path.resolve(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const reporter = path.join(import.meta.dirname, 'vitest-reporter.mjs')

let folder

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-reporter-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a run', () => {
  test('ends with what passed and failed', async () => {
    const { code, lastLine, tally } = await runTests(`
      test('right', () => {})
      test('wrong', () => { throw new Error('wrong') })`)
    expect(lastLine).toBe('1 passed, 1 failed')
    expect(tally).toEqual([{ passed: 1, failed: 1, skipped: 0 }])
    expect(code).toBe(1)
  })

  test('says why a test was skipped', async () => {
    const { code, output, lastLine } = await runTests(`
      test('right', () => {})
      test('elsewhere', ({ skip }) => skip('needs a second machine'))`)
    expect(output).toContain('skipped: elsewhere: needs a second machine')
    expect(lastLine).toBe('1 passed, 0 failed, 1 skipped')
    expect(code).toBe(0)
  })

  test('fails over a test that is skipped without a reason', async () => {
    const { code, output, lastLine } = await runTests(`
      test('right', () => {})
      test.skip('later', () => {})`)
    expect(output).toMatch(/skipped without a reason: .*later/)
    expect(lastLine).toBe('1 passed, 1 failed')
    expect(code).toBe(1)
  })

  test('says which test passed only the second time', async () => {
    const { code, output, lastLine } = await runTests(
      `
      let tries = 0
      test('at last', () => { if (++tries === 1) throw new Error('not yet') })`,
      ['--retry', '1'],
    )
    expect(output).toContain('only the second time: at last')
    expect(lastLine).toBe('1 passed, 0 failed')
    expect(code).toBe(0)
  })

  test('counts a file that cannot be loaded as a failure', async () => {
    const { code, lastLine } = await runTests(`throw new Error('no')`)
    expect(lastLine).toBe('0 passed, 1 failed')
    expect(code).toBe(1)
  })

  test('counts an unhandled rejection as a failure', async () => {
    const { code, lastLine } = await runTests(`
      test('right', async () => {
        Promise.reject(new Error('nobody waits for me'))
        await new Promise(setImmediate)
      })`)
    expect(lastLine).toBe('1 passed, 1 failed')
    expect(code).toBe(1)
  })
})

async function runTests(text, more = []) {
  await writeFile(path.join(folder, 'a.test.mjs'), text)
  const tallyFile = path.join(folder, 'tally')
  const args = [vitest, 'run', '--root', folder, '--globals', '--no-color', '--reporter', reporter, ...more]
  const { code, output } = await capture(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, [tallyVariable]: tallyFile },
  })
  return { code, output, lastLine: output.trim().split('\n').at(-1), tally: read(tallyFile) }
}
