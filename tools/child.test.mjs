import { spawn } from 'node:child_process'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { capture, run } from './child.mjs'

const node = process.execPath

describe('a child', () => {
  test.each([0, 1, 2, 42])('that ends with status %i is reported so', async (code) => {
    expect(await run(node, ['-e', `process.exit(${code})`])).toBe(code)
  })

  test('that is killed is reported as a shell would', async () => {
    expect(await run(node, ['-e', `process.kill(process.pid, 'SIGKILL')`])).toBe(137)
  })

  test('is heard on both its streams', async () => {
    const { output } = await capture(node, ['-e', `console.log('said'); console.error('warned')`])
    expect(output).toContain('said')
    expect(output).toContain('warned')
  })

  test('that does not exist is an error', async () => {
    await expect(run('/absent/program', [])).rejects.toThrow('ENOENT')
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('gets our %s, and we wait for it to end', async (signal) => {
    const parent = spawn(node, ['--input-type=module', '-e', parentOf(signal)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let heard = ''
    const closed = new Promise((resolve) => parent.once('close', resolve))
    for await (const chunk of parent.stdout.setEncoding('utf8')) {
      if (chunk.includes('ready')) parent.kill(signal)
      heard += chunk
    }
    expect(heard).toContain(`child got ${signal}`)
    expect(heard).toContain('7, and then: Stopped.')
    expect(await closed).toBe(7)
  })
})

/** A program that does as `run.mjs` does, over a child that takes its time to end and ends with status 7. */
function parentOf(signal) {
  const child = `
    process.on('${signal}', () => { console.log('child got ${signal}'); setImmediate(() => process.exit(7)) })
    setInterval(() => {}, 1000)
    console.log('ready')`
  return `
    import { passSignalsOn, run } from ${JSON.stringify(path.join(import.meta.dirname, 'child.mjs'))}
    passSignalsOn()
    process.exitCode = await run(process.execPath, ['-e', ${JSON.stringify(child)}])
    await run(process.execPath, ['-e', '']).catch((error) => console.log(process.exitCode + ', and then: ' + error.message))`
}
