import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { askForToken } from './terminal.ts'

function ask() {
  const input = new PassThrough()
  const shown: string[] = []
  const output = {
    write: (words: Uint8Array | string) => {
      shown.push(String(words))
      return true
    },
  }
  return { input, token: askForToken(input, output), shown: () => shown.join('') }
}

describe('the trust token', () => {
  test('is asked for and never shown', async () => {
    const { input, token, shown } = ask()
    for (const character of 'eyJjbGllbnRf-canary') input.write(character)
    input.write('\r')
    expect(await token).toBe('eyJjbGllbnRf-canary')
    expect(shown()).toBe('Trust token (from: incus config trust add malleus; it is not shown): \n')
  })

  test('may be corrected while it is typed', async () => {
    const { input, token } = ask()
    input.write('wrong\u007F\u007F\u007F\u007F\u007Fright\n')
    expect(await token).toBe('right')
  })

  test('may be pasted though it is longer than a line', async () => {
    const { input, token } = ask()
    input.write(`${'a'.repeat(5_000)}\n`)
    expect(await token).toHaveLength(5_000)
  })

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('that is given up with %s ends the command', async (_name, key) => {
    const { input, token, shown } = ask()
    input.write(key)
    await expect(token).rejects.toThrow('No token was given; nothing was done.')
    expect(shown()).toMatch(/\n$/)
  })
})
