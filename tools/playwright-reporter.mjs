// Closes a Playwright run with one line, and says why each skipped story was skipped.

import { describe, report } from './tally.mjs'

export default class ClosingReporter {
  #suite
  #errors = 0

  onBegin(config, suite) {
    this.#suite = suite
  }

  /** Outside of any test: a configuration that does not load, a global setup that fails. */
  onError() {
    this.#errors += 1
  }

  onEnd() {
    const tally = { passed: 0, failed: this.#errors, skipped: 0 }
    for (const test of this.#suite?.allTests() ?? []) {
      const outcome = test.outcome()
      tally[outcome === 'skipped' ? 'skipped' : outcome === 'unexpected' ? 'failed' : 'passed'] += 1
      // What passes only the second time has failed once, and is not allowed to hide it.
      if (outcome === 'flaky') console.log(`only the second time: ${test.titlePath().filter(Boolean).join(' > ')}`)
      if (outcome !== 'skipped') continue
      const why = test.annotations.find(({ type }) => type === 'skip' || type === 'fixme')?.description
      console.log(`skipped: ${test.titlePath().filter(Boolean).join(' > ')}: ${why ?? 'did not get its turn'}`)
    }
    report(tally)
    console.log(describe(tally))
  }

  printsToStdio() {
    return false
  }
}
