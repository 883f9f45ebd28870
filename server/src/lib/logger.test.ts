import { describe, expect, it } from 'vitest'
import { createLogger } from './logger.ts'

function logged(fields: object): unknown {
  const lines: string[] = []
  createLogger('info', { write: (line) => void lines.push(line) }).info(fields, 'said')
  return JSON.parse(lines.join(''))
}

describe('a line of the log', () => {
  it.each(['err', 'error'])('says what an error under %s is', (name) => {
    const error = new Error('outer', { cause: new Error('inner') })
    expect(logged({ [name]: error })).toMatchObject({ msg: 'said', [name]: { message: 'outer: inner', type: 'Error' } })
  })

  it('has no secret that an error brought along', () => {
    const error = Object.assign(new Error('asked /x?access_token=canary'), { sent: 'Bearer canary-canary-canary' })
    const line = JSON.stringify(logged({ error, header: '__Host-Http-sid=canary' }))
    expect(line).toContain('[redacted]')
    expect(line).not.toContain('canary')
  })
})
