/** Putting right what one key of the server configuration puts right, as a finding says, and nothing else. */
import type { BodyOf } from '@malleus/shared/api/endpoint.ts'
import type { changeTrustSetting } from '@malleus/shared/api/trust.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Asker, TrustPorts } from './read-trust.ts'
import { readAuthorization } from './read-trust.ts'
import { ChangedMeanwhile } from './trust-error.ts'
import { trustFindings } from './trust-findings.ts'

export type Setting = BodyOf<typeof changeTrustSetting>

export interface SettingPorts extends TrustPorts {
  /** Writes one key, `to` empty to clear it, unless it is not `from` any more; loses no other. */
  readonly configure: (
    scope: Scope,
    setting: Setting,
    signal: AbortSignal | undefined,
  ) => Promise<Pick<Answer<unknown>, 'via' | 'attempts' | 'hedged'>>
}

/** @throws ChangedMeanwhile when there is no such finding any more, and what writing the configuration throws */
export async function changeSetting(ports: SettingPorts, asker: Asker, wanted: Setting) {
  const facts = await readAuthorization(ports, asker)
  const stands = trustFindings(facts).some(({ setting }) => {
    return setting !== null && setting.key === wanted.key && setting.from === wanted.from && setting.to === wanted.to
  })
  if (!stands) throw new ChangedMeanwhile()
  try {
    return await ports.configure(asker.scope, wanted, asker.signal)
  } finally {
    ports.told.changed()
  }
}
