// Children: they get our signals, and we get their exit codes.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'

import { PlainError } from './plain-error.mjs'

const running = new Set()
let told = false

/**
 * Hands signals on to whatever runs, and waits for it instead of dying first. One Ctrl-C arrives here up to twice, from
 * the terminal and from npm; many programs take the second one as "now", so what comes in the same moment is one.
 */
export function passSignalsOn() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    let handedOnAt = -Infinity
    process.on(signal, () => {
      if (performance.now() - handedOnAt < sameMomentMs) return
      handedOnAt = performance.now()
      told = true
      for (const child of running) child.kill(signal)
    })
  }
}

const sameMomentMs = 500

/**
 * Runs a program on our terminal to its end.
 *
 * @returns {Promise<number>} its exit code, or 128 and the signal's number as a shell would say
 */
export async function run(command, args, options = {}) {
  const child = start(command, args, { stdio: 'inherit', ...options })
  return ended(child)
}

/** Runs a program to its end and keeps what it says. */
export async function capture(command, args, options = {}) {
  const child = start(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await ended(child)
  return { code, output }
}

/**
 * Starts a program that runs beside us and gets our signals. After a signal nothing new is started.
 *
 * It leads a session of its own, so that the terminal's Ctrl-C reaches it through us, once; what is typed it can read
 * all the same. With `terminal: true` it stays in ours: a program that starts shells needs the terminal to be its own,
 * and then hears Ctrl-C from both.
 */
export function start(command, args, { terminal = false, ...options } = {}) {
  if (told) throw new PlainError('Stopped.')
  const child = spawn(command, args, { detached: !terminal, ...options })
  running.add(child)
  child.once('close', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

/** Waits for a child's end. @returns {Promise<number>} as `run` */
export function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
  })
}
