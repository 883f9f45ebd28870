/** What the call throws; null when it returns. For claims about errors that may or may not come. */
export function thrownBy(act: () => unknown): unknown {
  try {
    act()
    return null
  } catch (error) {
    return error
  }
}
