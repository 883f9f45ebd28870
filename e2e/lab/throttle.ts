// Makes one process slow by letting it run only a thirtieth of the time. Unlike a delay in the network this also slows
// the connections that are already open, keeps the caller's address, and needs nothing of the kernel: `tc netem` is
// missing from many small ones.
//
//   node throttle.ts PID STARTED_AT
//
// Ends when it is told to or when that process is gone.

import { signal, stateOf } from './process-identity.ts'

/** Work waits up to this long: long against a healthy member's few milliseconds, short against the time-out of a health probe. */
const heldMs = 120
/** Short, so that a caller who comes back after it waits again; one handshake in two fits into it. */
const freeMs = 4

const target = { pid: Number(process.argv[2]), startedAt: Number(process.argv[3]) }

process.on('SIGTERM', () => {
  signal(target, 'SIGCONT')
  process.exit(0)
})

hold()

function hold(): void {
  if (!signal(target, 'SIGSTOP')) process.exit(0)
  setTimeout(release, heldMs)
}

function release(): void {
  if (!signal(target, 'SIGCONT') || stateOf(target) === 'gone') process.exit(0)
  setTimeout(hold, freeMs)
}
