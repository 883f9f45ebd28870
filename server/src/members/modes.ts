import type { evacuationModes, restoreModes } from '@malleus/shared/api/members.ts'

export type EvacuationMode = (typeof evacuationModes)[number]
export type RestoreMode = (typeof restoreModes)[number]

export interface SupportedModes {
  readonly evacuate: readonly EvacuationMode[]
  readonly restore: readonly RestoreMode[]
}

/**
 * How evacuation and restore can be done, by what the server says it can do (incus `doc/api-extensions.md`). The empty
 * mode is each instance's own `cluster.evacuate`, and always possible.
 *
 * `skip` came with 6.0.6 and has no extension of its own; the member states of the same release stand for it.
 *
 * @param extensions null while they are not known: then only what every version has
 */
export function supportedModes(extensions: readonly string[] | null): SupportedModes {
  if (extensions === null) return modesWith(new Set())
  const known = remembered.get(extensions)
  if (known !== undefined) return known
  const modes = modesWith(new Set(extensions))
  remembered.set(extensions, modes)
  return modes
}

/** A server names hundreds of extensions, and its list is the same for minutes. */
const remembered = new WeakMap<readonly string[], SupportedModes>()

function modesWith(has: ReadonlySet<string>): SupportedModes {
  const evacuate: EvacuationMode[] = ['']
  if (has.has('clustering_evacuation_mode')) {
    evacuate.push('auto', 'migrate')
    if (has.has('clustering_evacuation_live')) evacuate.push('live-migrate')
    evacuate.push('stop')
    if (has.has('clustering_evacuation_stop_options')) evacuate.push('stateful-stop', 'force-stop')
  }
  return { evacuate, restore: has.has('cluster_evacuating_restoring') ? ['', 'skip'] : [''] }
}
