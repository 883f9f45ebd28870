/** Tries until it holds, for ten seconds unless told otherwise; then fails with the last value. */
export async function eventually<Value>(
  get: () => Promise<Value> | Value,
  holds: (value: Value) => boolean,
  patienceMs = 10_000,
): Promise<Value> {
  for (const deadline = performance.now() + patienceMs; ;) {
    const value = await get()
    if (holds(value)) return value
    if (performance.now() > deadline) throw new Error(`it never held: ${shown(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(-1_500)
}
