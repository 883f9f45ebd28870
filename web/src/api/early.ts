declare global {
  interface Window {
    /** What index.html asked for before the program was there, by path after `/api`. */
    malleusEarly?: Partial<Record<string, Promise<Response>>>
  }
}

/** An early answer is taken while the page is starting, not later, when it would be old. */
const takenWithinMs = 10_000

/** The answer to a path that index.html asked for already; once, and only while the page is starting. */
export function takeEarly(path: string, now = performance.now()): Promise<Response> | undefined {
  const early = globalThis.window?.malleusEarly
  const answer = early?.[path]
  if (early === undefined || answer === undefined) return undefined
  early[path] = undefined
  return now < takenWithinMs ? answer : undefined
}
