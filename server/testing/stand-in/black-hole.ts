/**
 * An address where connection attempts hang, without a firewall: a listener with the smallest backlog whose queue is full
 * and which never accepts, so that the kernel drops every further SYN. Node accepts whenever its loop turns, so the
 * listener lives in a worker thread that stands still.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

export interface BlackHole {
  /** Gives the port back. */
  close(): Promise<void>
}

/**
 * @param release called when the worker is ready to listen and the port has to be free; between it and the first hanging
 * attempt lie a few milliseconds in which attempts are refused.
 */
export async function openBlackHole(host: string, port: number, release: () => void): Promise<BlackHole> {
  const gate = new SharedArrayBuffer(4)
  const worker = new Worker(LISTEN_AND_STAND_STILL, { eval: true, workerData: { host, port, gate } })
  await message(worker, 'ready')
  release()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  worker.postMessage('listen')
  await message(worker, 'listening')
  const queued = await fillQueue(host, port)
  return {
    close: async () => {
      for (const socket of queued) socket.destroy()
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      Atomics.store(new Int32Array(gate), 0, 1)
      Atomics.notify(new Int32Array(gate), 0)
      await ended
    },
  }
}

const LISTEN_AND_STAND_STILL = `
const { parentPort, workerData } = require('node:worker_threads')
const { createServer } = require('node:net')
const server = createServer((socket) => socket.destroy())
const listen = () => server.listen({ host: workerData.host, port: workerData.port, backlog: 1 })
server.on('error', (error) => error.code === 'EADDRINUSE' ? setTimeout(listen, 5) : parentPort.postMessage(error.message))
server.on('listening', () => {
  parentPort.postMessage('listening')
  Atomics.wait(new Int32Array(workerData.gate), 0, 0)
  server.close(() => process.exit())
  setTimeout(() => process.exit(), 100)
})
parentPort.once('message', listen)
parentPort.postMessage('ready')
`

function message(worker: Worker, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (said: unknown) => {
      worker.removeListener('error', reject)
      if (said === expected) resolve()
      else reject(new Error(`The black hole did not open: ${String(said)}`))
    })
  })
}

const HANGS_AFTER_MS = 60
const MOST_THAT_FIT = 64

/** Connects until one attempt hangs. Linux keeps two for a backlog of one, other systems a few more. */
async function fillQueue(host: string, port: number): Promise<Socket[]> {
  const queued: Socket[] = []
  for (let hanging = false; !hanging && queued.length < MOST_THAT_FIT;) {
    const socket = connect({ host, port })
    socket.on('error', () => undefined)
    queued.push(socket)
    hanging = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), HANGS_AFTER_MS)
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve(false)
      })
    })
  }
  return queued
}
