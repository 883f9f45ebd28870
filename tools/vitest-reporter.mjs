// Closes a Vitest run with one line, and says why each skipped test was skipped.

import { describe, report } from './tally.mjs'

export default class ClosingReporter {
  #filtered = false

  onInit(vitest) {
    this.#filtered = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules, unhandledErrors, reason) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const silent = []
    for (const module of modules) {
      // A file that could not be loaded, or whose hooks failed, has no failed test of its own to show for it.
      if (module.state() === 'failed' && !hasFailedTest(module)) tally.failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        // What passes only the second time has failed once, and is not allowed to hide it.
        if (test.diagnostic()?.flaky) console.log(`only the second time: ${test.fullName}`)
        tally[result.state === 'pending' ? 'failed' : result.state] += 1
        if (result.state !== 'skipped' || this.#filtered) continue
        if (result.note) console.log(`skipped: ${test.fullName}: ${result.note}`)
        else silent.push(test)
      }
    }
    // `ctx.skip('why')` says why; `test.skip` and `skipIf` cannot, and a test nobody runs is worth a sentence.
    for (const test of silent) {
      console.log(`skipped without a reason: ${test.module.relativeModuleId}: ${test.fullName}`)
      tally.skipped -= 1
      tally.failed += 1
    }
    if (reason === 'interrupted') tally.failed += 1
    if (tally.failed > 0) process.exitCode = 1
    report(tally)
    console.log(describe(tally))
  }
}

function hasFailedTest(module) {
  return module.children.allTests('failed').next().done !== true
}
