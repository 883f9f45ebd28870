// Children: they get our signals, and we get their exit codes.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const running = new Set()

/**
 * Hands signals on to whatever runs, and waits for it instead of dying first. At a terminal Ctrl-C reaches the whole
 * process group by itself, so it is not sent a second time: many programs take the second one as "now".
 */
export function passSignalsOn() {
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) signalAll('SIGINT')
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => signalAll(signal))
}

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

/** Starts a program that runs beside us; it gets our signals like any other. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, options)
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

function signalAll(signal) {
  for (const child of running) child.kill(signal)
}
